//! Which accruals and returns can be as if they had never been.
//!
//! Where bands depend on a running volume, an entry is undone by its exact mirror only if the same
//! change now would earn the same; else the sums would no longer follow from the volumes.

use super::lot::rate_named;
use super::{RateKey, accrue_coop, state};
use crate::{Facts, Unavailable, money, programme};
use chl_events::coop::{CoopAccrualReversed, CoopAccrued};
use chl_events::terms::BandMode;
use chl_events::{Money, ProgrammeId};

/// Whether nothing was built on an accrual: no return, and its lot still holds it.
pub(crate) fn can_undo_accrual(facts: Facts<'_>, event: &CoopAccrued) -> Result<bool, Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    let Some(sale) = state::sale(facts, programme, partner, &event.sale)? else {
        return Ok(false);
    };
    let lot = state::lot_of_fact(facts, programme, partner, &event.lot)?;
    let whole = sale.returned.is_zero() && sale.lot == event.lot && sale.net == event.net_amount;
    let there = !lot.expired && lot.available.minor() >= event.amount.minor();
    let after = lot.volume(&sale.rate);
    let before = money::less(after, event.net_amount);
    Ok(whole && there && earns(facts, programme, &sale.rate, (before, after), event.amount)?)
}

/// Whether a return can be taken back: its lot has not expired, and what it made the partner owe is
/// still owed.
pub(crate) fn can_undo_return(
    facts: Facts<'_>,
    event: &CoopAccrualReversed,
) -> Result<bool, Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    let Some(sale) = state::sale(facts, programme, partner, &event.sale)? else {
        return Ok(false);
    };
    let lot = state::lot_of_fact(facts, programme, partner, &event.lot)?;
    let owed = state::fund(facts, programme, partner)?.map_or(0, |fund| fund.owed.minor());
    let there = !lot.expired
        && sale.returned.minor() >= event.net_amount.minor()
        && owed >= event.owed.minor();
    let Some(amount) = event.from_lot.checked_add(event.owed) else { return Ok(false) };
    let before = lot.volume(&sale.rate);
    let Some(after) = before.checked_add(event.net_amount) else { return Ok(false) };
    Ok(there && earns(facts, programme, &sale.rate, (before, after), amount)?)
}

/// Whether a change of volume earns this amount; without bands each sale stands alone.
fn earns(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    key: &RateKey,
    (before, after): (Money, Money),
    amount: Money,
) -> Result<bool, Unavailable> {
    let version = programme::version(facts, programme, key.programme_version)?;
    let Some(rate) = rate_named(&version, key) else { return Ok(false) };
    let mode = rate.mode.unwrap_or(BandMode::Marginal);
    let share = money::cumulative(before, after, &rate.bands, mode, version.terms.rounding);
    let same = share.is_some_and(|share| share.amount == amount);
    Ok(accrue_coop::over(rate, same, true))
}
