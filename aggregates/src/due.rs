//! What is due: the clock's commands that come before a command that touches what they end.

use crate::{Due, Facts, Unavailable, conflict, coop, customer, deal, mdf};
use chl_commands::{Command, coop::Coop, deal::Deal, mdf::Mdf};
use chl_events::Instant;
use std::cmp::Ordering;

/// What is due by `time` on the slots, lot or request a command touches, in order of instant, kind
/// and id.
pub fn due(command: &Command, facts: Facts<'_>, time: Instant) -> Result<Vec<Due>, Unavailable> {
    let mut due = match command {
        Command::Deal(command) => deal::due(command, facts, time)?,
        Command::Conflict(command) => conflict::due(command, facts, time)?,
        Command::Coop(_) | Command::Mdf(_) | Command::Claim(_) => {
            let mut due = coop::due(command, facts, time)?;
            due.extend(mdf::due(command, facts, time)?);
            due
        }
        Command::Customer(command) => customer::due(command, facts, time)?,
        Command::Ledger(_)
        | Command::Partner(_)
        | Command::Programme(_)
        | Command::Budget(_)
        | Command::Rebate(_) => Vec::new(),
    };
    due.sort_by(order);
    Ok(due)
}

fn order(a: &Due, b: &Due) -> Ordering {
    let kind = |due: &Due| due.command.kind().tag;
    (a.at, kind(a)).cmp(&(b.at, kind(b))).then_with(|| item(&a.command).cmp(item(&b.command)))
}

/// The id of what a command of the clock ends.
fn item(command: &Command) -> &str {
    if let Command::Deal(Deal::ExpireDeal(command)) = command {
        command.deal.as_str()
    } else if let Command::Coop(Coop::CloseCoopPeriod(command)) = command {
        command.lot.as_str()
    } else if let Command::Coop(Coop::ExpireCoopLot(command)) = command {
        command.lot.as_str()
    } else if let Command::Mdf(Mdf::LapseMdfRequest(command)) = command {
        command.request.as_str()
    } else {
        ""
    }
}
