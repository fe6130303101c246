//! What the clock owes on the lots that a command touches: closings and expiries.

use super::{OpenLot, state};
use crate::Due;
use crate::{Facts, Unavailable, claim};
use chl_commands::Command;
use chl_commands::claim::Claim;
use chl_commands::coop::{CloseCoopPeriod, Coop, ExpireCoopLot};
use chl_events::{Date, Instant, LotId, PartnerId, ProgrammeId, Stream};

/// What is due by `time` on the lots that a command touches, save what the command itself asks for.
pub(crate) fn due(
    command: &Command,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Due>, Unavailable> {
    let Some(Stream::Coop(programme, partner)) = command.stream() else { return Ok(Vec::new()) };
    let Some(fund) = state::fund(facts, &programme, &partner)? else { return Ok(Vec::new()) };
    let touched = touched(command, facts, (&programme, &partner))?;
    let lots = fund.lots.iter().filter(|(lot, open)| touched.has(lot, open));
    let due = lots.flat_map(|(lot, open)| of_lot(lot, open, time, (&programme, &partner)));
    Ok(due.filter(|due| due.command != *command).collect())
}

/// The lots that a command touches.
enum Touched {
    /// All that a claim may draw on.
    All,
    /// That of a day of sale.
    Of(Date),
    /// These.
    These(Vec<LotId>),
}

impl Touched {
    fn has(&self, lot: &LotId, open: &OpenLot) -> bool {
        match self {
            Self::All => true,
            Self::Of(day) => open.earning_from <= *day && *day <= open.earning_until,
            Self::These(lots) => lots.contains(lot),
        }
    }
}

fn touched(
    command: &Command,
    facts: Facts<'_>,
    (programme, partner): (&ProgrammeId, &PartnerId),
) -> Result<Touched, Unavailable> {
    Ok(match command {
        Command::Coop(Coop::AccrueCoop(command)) => Touched::Of(command.sold_on),
        Command::Coop(Coop::ReverseAccrual(command)) => {
            let sale = state::sale(facts, programme, partner, &command.sale)?;
            Touched::These(sale.map(|sale| sale.lot.clone()).into_iter().collect())
        }
        Command::Coop(Coop::CloseCoopPeriod(command)) => Touched::These(vec![command.lot.clone()]),
        Command::Coop(Coop::ExpireCoopLot(command)) => Touched::These(vec![command.lot.clone()]),
        // A dispute takes a new hold, so it looks through all lots as a claim does.
        Command::Claim(Claim::ClaimCoop(_) | Claim::DisputeClaim(_)) => Touched::All,
        Command::Claim(command) => Touched::These(claim::lots(command, facts)?),
        Command::Ledger(_)
        | Command::Partner(_)
        | Command::Programme(_)
        | Command::Customer(_)
        | Command::Deal(_)
        | Command::Conflict(_)
        | Command::Budget(_)
        | Command::Mdf(_)
        | Command::Rebate(_) => Touched::These(Vec::new()),
    })
}

fn of_lot(
    lot: &LotId,
    open: &OpenLot,
    time: Instant,
    (programme, partner): (&ProgrammeId, &PartnerId),
) -> impl Iterator<Item = Due> {
    // Hardly ever is anything due: then nothing is made.
    let closing = open.closes_at.filter(|at| *at <= time).map(|at| {
        let (partner, programme, lot) = (partner.clone(), programme.clone(), lot.clone());
        Due { at, command: CloseCoopPeriod { partner, programme, lot }.into() }
    });
    let expiry = Some(open.expires_at).filter(|at| *at <= time).map(|at| {
        let (partner, programme, lot) = (partner.clone(), programme.clone(), lot.clone());
        Due { at, command: ExpireCoopLot { partner, programme, lot }.into() }
    });
    closing.into_iter().chain(expiry)
}
