//! AccrueCoop: a sale earns by the terms in force when it was sold.
//!
//! A flat rate is rounded once; bands are rounded over the lot's running volume, so that any order
//! of sales ends at the same cent. A lot whose period was closed converts the rebate share of what
//! still comes in at once.

use super::lot::{self, Taker};
use super::{CoopRejection, RateKey, state};
use crate::posting::{Move, Posting};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, money, partner, programme};
use chl_commands::coop::AccrueCoop;
use chl_events::coop::{CoopAccrued, CoopPeriodClosed};
use chl_events::terms::{AccrualRate, BandMode, Rounding};
use chl_events::{Fund, Money, Rate};

pub(super) fn decide(
    command: &AccrueCoop,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let AccrueCoop { partner, programme, sale, net_amount, sold_on, product_line } = command;
    money::positive(*net_amount, "net_amount")?;
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    if let Some(taken) = state::sale(facts, programme, partner, sale)? {
        let (sale, lot) = (sale.clone(), taken.lot.clone());
        return Err(CoopRejection::SaleAccrued { sale, lot }.into());
    }
    partner::require_earning(facts, partner)?;
    let enrolment = partner::require_enrolled(facts, partner, programme)?;
    let version = programme::terms_at(facts, programme, *sold_on)?;
    context.require_time()?;
    context.require_past(&version.zone(), "sold_on", *sold_on)?;
    let rate = lot::fitting(
        lot::terms(&version)?,
        enrolment.tier.as_ref(),
        product_line.as_ref(),
    )?;
    let taker = lot::taker(facts, partner, &version, *sold_on, context)?;
    money::expect_currency(version.currency, *net_amount)?;

    let key = RateKey {
        programme_version: version.version,
        tier: rate.tier.clone(),
        product_line: rate.product_line.clone(),
    };
    let zero = version.currency.zero();
    let seen = taker.lot.as_ref().map_or(zero, |lot| lot.volume(&key));
    let share = change(rate, seen, *net_amount, version.terms.rounding)?;
    let event = CoopAccrued {
        partner: partner.clone(),
        programme: programme.clone(),
        lot: taker.window.lot.clone(),
        sale: sale.clone(),
        programme_version: version.version,
        tier: key.tier,
        product_line: key.product_line,
        net_amount: *net_amount,
        sold_on: *sold_on,
        rate: single(rate),
        unrounded: share.unrounded,
        amount: share.amount,
        late: taker.late,
    };
    facts_of(event, &taker)
}

/// The one rate of all volumes, where there are no bands.
fn single(rate: &AccrualRate) -> Option<Rate> {
    match rate.bands.as_slice() {
        [band] => Some(band.rate),
        _ => None,
    }
}

/// What a volume earns on top of the volume seen before; without bands each sale stands alone.
fn change(
    rate: &AccrualRate,
    seen: Money,
    net: Money,
    rounding: Rounding,
) -> Result<money::Share, AnyRejection> {
    let after = money::sum(seen, net, "net_amount")?;
    let (before, after) = over(rate, (seen, after), (seen.currency().zero(), net));
    let mode = rate.mode.unwrap_or(BandMode::Marginal);
    money::cumulative(before, after, &rate.bands, mode, rounding)
        .ok_or(AnyRejection::TooLarge { field: "net_amount" })
}

/// The running volumes that count: the lot's where there are bands, else the sale's own.
pub(super) fn over<T>(rate: &AccrualRate, of_lot: T, of_sale: T) -> T {
    if single(rate).is_some() { of_sale } else { of_lot }
}

fn facts_of(event: CoopAccrued, taker: &Taker) -> Result<Vec<Fact>, Refusal> {
    let (partner, sold_on) = (event.partner.clone(), event.sold_on);
    let mut made = Vec::with_capacity(2);
    if taker.lot.is_none() {
        let version = taker.version.version;
        made.push(Fact::new(sold_on, taker.window.opened(&event.programme, &partner, version)));
    }
    let closed = further_conversion(&event, taker)?;
    let account = taker.version.terms.incentive_account;
    let lines = Posting::of(Fund::Coop, &partner)
        .add_to(Move::Accrue(account), Some(&event.lot), event.amount)
        .lines();
    made.push(Fact::posting(sold_on, event, lines));
    if let Some(closed) = closed {
        let closed_on = taker.version.zone().day(taker.window.closes_at);
        let lines = Posting::of(Fund::Coop, &partner).convert(&closed.lot, closed.converted);
        made.push(Fact::posting(closed_on, closed, lines.lines()));
    }
    Ok(made)
}

/// What becomes rebate of an accrual into a lot whose period was closed before.
fn further_conversion(
    event: &CoopAccrued,
    taker: &Taker,
) -> Result<Option<CoopPeriodClosed>, Refusal> {
    let zero = event.net_amount.currency().zero();
    let lot = taker.lot.as_deref();
    let earned = money::sum(lot.map_or(zero, |lot| lot.earned), event.amount, "net_amount")?;
    let available = lot.map_or(zero, |lot| lot.available);
    let available = money::sum(available, event.amount, "net_amount")?;
    let Some(lot) = lot.filter(|lot| lot.closed) else { return Ok(None) };
    let share = lot::terms(&taker.version)?.rebate_share;
    let (rebate, _) =
        money::split_off(earned, share).ok_or(AnyRejection::TooLarge { field: "net_amount" })?;
    let converted = money::min(money::less(rebate, lot.converted), available);
    Ok(converted.is_positive().then(|| CoopPeriodClosed {
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        lot: event.lot.clone(),
        earned,
        converted,
        below_threshold: false,
    }))
}
