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
    context.require_past(version.zone(), "data.sold_on", *sold_on)?;
    let rate = lot::fitting(lot::terms(&version)?, enrolment.tier.as_ref(), product_line.as_ref())?;
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
        lot: taker.id().clone(),
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
    let after = money::sum(seen, net, "data.net_amount")?;
    let (before, after) = over(rate, (seen, after), (seen.currency().zero(), net));
    let mode = rate.mode.unwrap_or(BandMode::Marginal);
    money::cumulative(before, after, &rate.bands, mode, rounding)
        .ok_or(AnyRejection::TooLarge { field: "data.net_amount" })
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
        let opened = taker.window()?.opened(&event.programme, &partner, version);
        made.push(Fact::new(sold_on, opened));
    }
    let closed = further_conversion(&event, taker)?;
    let account = taker.version.terms.incentive_account;
    let lines = Posting::of(Fund::Coop, &partner)
        .add_to(Move::Accrue(account), Some(&event.lot), event.amount)
        .lines();
    made.push(Fact::posting(sold_on, event, lines));
    if let Some(closed) = closed {
        let closed_on = taker.version.zone().day(taker.window()?.closes_at);
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
    let earned = money::sum(lot.map_or(zero, |lot| lot.earned), event.amount, "data.net_amount")?;
    let available = lot.map_or(zero, |lot| lot.available);
    let available = money::sum(available, event.amount, "data.net_amount")?;
    let Some(lot) = lot.filter(|lot| lot.closed) else { return Ok(None) };
    let share = lot::terms(&taker.version)?.rebate_share;
    let (rebate, _) = money::split_off(earned, share)
        .ok_or(AnyRejection::TooLarge { field: "data.net_amount" })?;
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

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, accrue_on, banded, coop_terms, flat, fund_of, give_back, p, prog, two_percent,
    };
    use crate::story::{id, programme_with, usd};
    use chl_commands::coop::AccrueCoop;
    use chl_commands::partner::{GrantTier, SuspendPartner, TerminatePartner};
    use chl_events::terms::{BandMode, CoopTerms, LateAccrual, Terms, UsableFrom};

    const LOT: &str = "20260101-20260331";

    #[test]
    fn two_percent_of_a_hundred_thousand() {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "100000"));
        assert_eq!(story.available(LOT), usd("2000"));
        let mut again = story.clone();
        assert_eq!(again.when(accrue("s", "5")).refused("coop.sale_accrued"), ());
        let opened = again.when(accrue("t", "10")).names();
        assert_eq!(opened, ["CoopAccrued"]);
    }

    #[test]
    fn bands_are_rounded_over_the_running_volume() {
        let bands = [("0", "0.03"), ("7500", "0.04"), ("25000", "0.05")];
        for (mode, whole) in [(BandMode::WholeAmount, "1500"), (BandMode::Marginal, "1175")] {
            let coop =
                CoopTerms { accrual: vec![banded(&bands, Some(mode))], ..CoopTerms::default() };
            let at_once = fund_of(coop_terms(coop.clone())).and(accrue("s", "30000"));
            assert_eq!(at_once.available(LOT), usd(whole));
            let bit_by_bit = fund_of(coop_terms(coop))
                .and(accrue("a", "0.33"))
                .and(accrue("b", "7499.67"))
                .and(accrue("c", "20000.01"))
                .and(accrue("d", "12345.67"))
                .and(give_back("d", "12345.67"))
                .and(accrue("e", "2499.99"));
            assert_eq!(bit_by_bit.available(LOT), usd(whole));
        }
    }

    #[test]
    fn the_first_rate_that_fits_counts() {
        let mut gold = flat("0.05");
        gold.tier = Some(id("gold"));
        let mut gtx = flat("0.03");
        gtx.product_line = Some(id("gtx"));
        let coop = CoopTerms { accrual: vec![gold, gtx], ..CoopTerms::default() };
        let tiers = vec![id("silver"), id("gold")];
        let mut story = fund_of(Terms { tiers, ..coop_terms(coop) });
        story.when(accrue("s", "100")).refused("coop.no_rate");
        let of_line = |sale| AccrueCoop { product_line: Some(id("gtx")), ..accrue(sale, "100") };
        let story = story
            .and(of_line("s"))
            .and(GrantTier { partner: p(), programme: prog(), tier: id("gold") })
            .and(of_line("t"));
        assert_eq!(story.available(LOT), usd("8"));
    }

    #[test]
    fn a_late_sale_goes_to_the_lot_of_the_day_it_is_recorded() {
        let coop = CoopTerms { usage_months: 1, ..two_percent() };
        let story = fund_of(coop_terms(coop)).and(accrue("s", "100")).at("2026-05-01T00:00:00Z");
        let story = story.and(accrue_on("late", "200", "2026-03-31"));
        assert_eq!(story.available(LOT), usd("2"));
        assert_eq!(story.available("20260401-20260630"), usd("4"));
    }

    #[test]
    fn a_late_sale_within_the_window_keeps_its_own_lot() {
        let coop = CoopTerms { usage_months: 1, ..two_percent() };
        let story = fund_of(coop_terms(coop)).at("2026-04-30T23:59:59Z");
        let story = story.and(accrue_on("late", "200", "2026-03-31"));
        assert_eq!(story.available(LOT), usd("4"));
    }

    #[test]
    fn a_late_sale_is_refused_where_the_terms_say_so() {
        let late_accrual = LateAccrual::Refuse;
        let coop = CoopTerms { usage_months: 0, late_accrual, ..two_percent() };
        let mut story = fund_of(coop_terms(coop)).at("2026-04-01T00:00:00Z");
        story.when(accrue("s", "1")).refused("coop.too_late");
    }

    #[test]
    fn a_late_sale_into_a_closed_lot_is_split_at_once() {
        let coop =
            CoopTerms { usable: UsableFrom::AfterPeriod, rebate_share: id("0.6"), ..two_percent() };
        let mut story = fund_of(coop_terms(coop)).and(accrue("s", "1000"));
        story = story.at("2026-04-02T00:00:00Z");
        let late = story.when(accrue_on("t", "500", "2026-03-31"));
        let names = ["CoopPeriodClosed", "CoopAccrued", "CoopPeriodClosed"];
        let own: Vec<_> =
            late.names().into_iter().filter(|name| name.starts_with("Coop")).collect();
        assert_eq!(own, names);
        assert_eq!(story.available(LOT), usd("12"));
    }

    #[test]
    fn who_may_not_earn() {
        let story = || fund_of(coop_terms(two_percent()));
        let note = None;
        let suspended = SuspendPartner { partner: p(), note: note.clone() };
        story().and(suspended).and(accrue("s", "1"));
        let mut gone = story().and(TerminatePartner { partner: p(), note });
        gone.when(accrue("s", "1")).refused("partner.not_active");
        let stranger = AccrueCoop { partner: id("q"), ..accrue("s", "1") };
        story().when(stranger).refused("partner.unknown");
        let elsewhere = AccrueCoop { programme: id("other"), ..accrue("s", "1") };
        story().when(elsewhere).refused("programme.unknown");
        programme_with(Terms::default(), &["p"]).when(accrue("s", "1")).refused("coop.not_offered");
    }

    #[test]
    fn dates_and_money_that_cannot_be() {
        let mut story = fund_of(coop_terms(two_percent()));
        story.when(accrue_on("s", "1", "2026-03-02")).refused("time.in_future");
        story.when(accrue_on("s", "1", "2025-12-31")).refused("programme.not_in_force");
        story.when(accrue("s", "0")).refused("command.malformed");
        let euros = chl_events::Money::parse("1", crate::story::currency("EUR"));
        let euros = AccrueCoop { net_amount: euros.expect("a literal"), ..accrue("s", "1") };
        story.when(euros).refused("money.currency_differs");
        let coop = CoopTerms { accrual: vec![banded(&[("0", "1")], None)], ..two_percent() };
        let mut rich = fund_of(coop_terms(coop)).and(accrue("a", "999999999999999"));
        rich.when(accrue("b", "1")).refused("money.too_large");
    }

    #[test]
    fn a_second_import_says_already() {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "1"));
        let mut gone = story.and(TerminatePartner { partner: p(), note: None });
        gone.when(accrue("s", "1")).refused("coop.sale_accrued");
        gone.when(accrue_on("s", "1", "2026-03-02")).refused("coop.sale_accrued");
        gone.when(accrue_on("t", "1", "2026-03-02")).refused("partner.not_active");
    }
}
