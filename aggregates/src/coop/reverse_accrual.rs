//! ReverseAccrual: a sale, or part of it, came back.
//!
//! It is unwound by the terms of the sale, over the same running volume, so that any order of
//! sales and returns ends at the same cent. What the lot no longer holds the partner owes.

use super::{CoopRejection, accrue_coop, lot, state};
use crate::posting::{Move, Posting};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, Unavailable, money, partner, programme};
use chl_commands::coop::ReverseAccrual;
use chl_events::coop::CoopAccrualReversed;
use chl_events::terms::BandMode;
use chl_events::{Date, Fund};

pub(super) fn decide(
    command: &ReverseAccrual,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ReverseAccrual { partner, programme, sale, net_amount, .. } = command;
    money::positive(*net_amount, "net_amount")?;
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    let unknown = || CoopRejection::UnknownSale { sale: sale.clone() };
    let sold = state::sale(facts, programme, partner, sale)?.ok_or_else(unknown)?;
    let left = money::less(sold.net, sold.returned);
    if left.is_zero() {
        return Err(CoopRejection::SaleReturned { sale: sale.clone() }.into());
    }
    let version = programme::version(facts, programme, sold.rate.programme_version)?;
    let returned_on = command.returned_on.unwrap_or_else(|| version.zone().day(context.time));
    context.require_time()?;
    context.require_past(version.zone(), "data.returned_on", returned_on)?;
    check_dates(command, sold.sold_on, returned_on)?;
    money::expect_currency(sold.net.currency(), *net_amount)?;
    if net_amount.minor() > left.minor() {
        return Err(CoopRejection::OverSale { left, given: *net_amount }.into());
    }

    let lot = state::lot_of_fact(facts, programme, partner, &sold.lot)?;
    let missing = || Unavailable(format!("no rate of the terms that {sale} accrued by").into());
    let rate = lot::rate_named(&version, &sold.rate).ok_or_else(missing)?;
    let seen = accrue_coop::over(rate, lot.volume(&sold.rate), left);
    let rest = money::less(seen, *net_amount);
    let mode = rate.mode.unwrap_or(BandMode::Marginal);
    let share = money::cumulative(rest, seen, &rate.bands, mode, version.terms.rounding)
        .ok_or(AnyRejection::TooLarge { field: "data.net_amount" })?;
    let from_lot = money::min(share.amount, lot.available);
    let owed = money::less(share.amount, from_lot);
    let account = lot.account(facts, programme)?;
    let lines = Posting::of(Fund::Coop, partner)
        .add_to(Move::Unaccrue(account), Some(&sold.lot), from_lot)
        .add_to(Move::Owe(account), Some(&sold.lot), owed)
        .lines();
    let event = CoopAccrualReversed {
        partner: partner.clone(),
        programme: programme.clone(),
        lot: sold.lot.clone(),
        sale: sale.clone(),
        net_amount: *net_amount,
        returned_on,
        unrounded: share.unrounded,
        from_lot,
        owed,
    };
    Ok(vec![Fact::posting(returned_on, event, lines)])
}

fn check_dates(
    command: &ReverseAccrual,
    sold_on: Date,
    returned_on: Date,
) -> Result<(), CoopRejection> {
    if command.sold_on.is_some_and(|given| given != sold_on) {
        return Err(CoopRejection::SaleDiffers { sale: command.sale.clone(), sold_on });
    }
    if returned_on < sold_on {
        return Err(CoopRejection::ReturnedBeforeSold { sold_on, returned_on });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{accrue, claim, coop_terms, flat, fund_of, give_back, two_percent};
    use crate::story::{id, usd};
    use chl_commands::coop::ReverseAccrual;
    use chl_events::Event;
    use chl_events::coop::CoopEvent;
    use chl_events::terms::CoopTerms;

    const LOT: &str = "20260101-20260331";

    #[test]
    fn any_pieces_of_a_return_end_at_the_same_cent() {
        let coop = CoopTerms { accrual: vec![flat("0.033")], ..two_percent() };
        let story = fund_of(coop_terms(coop)).and(accrue("s", "10.01"));
        assert_eq!(story.available(LOT), usd("0.33"));
        let pieces = ["0.17", "3.33", "0.01", "6.50"];
        let mut story =
            pieces.into_iter().fold(story, |story, part| story.and(give_back("s", part)));
        assert_eq!(story.available(LOT), usd("0"));
        story.when(give_back("s", "0.01")).refused("coop.sale_returned");
    }

    #[test]
    fn what_the_lot_no_longer_holds_is_owed() {
        let mut story =
            fund_of(coop_terms(two_percent())).and(accrue("s", "1000")).and(claim("c", "30"));
        assert_eq!(story.available(LOT), usd("5"));
        let made = story.when(give_back("s", "1000")).events();
        let [Event::Coop(CoopEvent::CoopAccrualReversed(returned))] = made.as_slice() else {
            panic!("{made:?}");
        };
        assert_eq!((returned.from_lot, returned.owed), (usd("5"), usd("15")));
        assert_eq!(story.available(LOT), usd("0"));
    }

    #[test]
    fn what_is_no_return_of_the_sale() {
        let mut story = fund_of(coop_terms(two_percent())).and(accrue("s", "1000"));
        story.when(give_back("t", "1")).refused("coop.sale_unknown");
        story.when(give_back("s", "0")).refused("command.malformed");
        story.when(give_back("s", "1000.01")).refused("coop.over_sale");
        let back = |sold_on: &str, returned_on: &str| ReverseAccrual {
            sold_on: Some(id(sold_on)),
            returned_on: Some(id(returned_on)),
            ..give_back("s", "1")
        };
        story.when(back("2026-02-28", "2026-03-01")).refused("coop.sale_differs");
        story.when(back("2026-03-01", "2026-02-28")).refused("coop.returned_before_sold");
        story.when(back("2026-03-01", "2026-03-02")).refused("time.in_future");
    }
}
