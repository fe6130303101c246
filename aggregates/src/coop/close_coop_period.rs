//! CloseCoopPeriod: the earning period is over; its rebate share becomes rebate, and all of it
//! where the co-op share is below the terms' threshold.

use super::{CoopRejection, Lot, lot, state};
use crate::posting::Posting;
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, money, partner, programme};
use chl_commands::coop::CloseCoopPeriod;
use chl_events::coop::CoopPeriodClosed;
use chl_events::terms::CoopTerms;
use chl_events::{Fund, Money};

pub(super) fn decide(
    command: &CloseCoopPeriod,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let CloseCoopPeriod { partner, programme, lot: id } = command;
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    let unknown = || CoopRejection::UnknownLot { lot: id.clone() };
    let row = state::lot(facts, programme, partner, id)?.ok_or_else(unknown)?;
    if row.closed {
        return Err(CoopRejection::LotClosed { lot: id.clone() }.into());
    }
    context.require_time()?;
    if context.time < row.closes_at {
        return Err(CoopRejection::TooEarly { lot: id.clone(), due: row.closes_at }.into());
    }

    let version = programme::version(facts, programme, row.programme_version)?;
    let (converted, below_threshold) =
        conversion(&row, lot::terms(&version)?).ok_or(AnyRejection::TooLarge { field: "lot" })?;
    let event = CoopPeriodClosed {
        partner: partner.clone(),
        programme: programme.clone(),
        lot: id.clone(),
        earned: row.earned,
        converted,
        below_threshold,
    };
    let lines = Posting::of(Fund::Coop, partner).convert(id, converted).lines();
    Ok(vec![Fact::posting(version.zone().day(row.closes_at), event, lines)])
}

/// What becomes rebate, and whether that is all because too little is left for co-op.
fn conversion(lot: &Lot, coop: &CoopTerms) -> Option<(Money, bool)> {
    let (rebate, for_coop) = money::split_off(lot.earned, coop.rebate_share)?;
    let below = coop.conversion_threshold.is_some_and(|least| for_coop.minor() < least.minor());
    let converted = if below { lot.available } else { money::min(rebate, lot.available) };
    Some((converted, below))
}
