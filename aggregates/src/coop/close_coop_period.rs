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
    let (converted, below_threshold) = conversion(&row, lot::terms(&version)?)
        .ok_or(AnyRejection::TooLarge { field: "data.lot" })?;
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

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue_on, claim_on, close, coop_terms, expire, flat, fund_of, two_percent,
    };
    use crate::given::Outcome;
    use crate::story::{id, usd};
    use chl_events::terms::{ActivityCap, CoopTerms, EarningPeriod, LateAccrual, UsableFrom};

    const LOT: &str = "20260101-20260630";

    fn split() -> CoopTerms {
        CoopTerms {
            accrual: vec![flat("0.03")],
            earning_period: EarningPeriod::Half,
            usable: UsableFrom::AfterPeriod,
            rebate_share: id("0.6"),
            conversion_threshold: Some(usd("10000")),
            match_rate: id("1"),
            caps: vec![ActivityCap {
                activity: Some(id("ad")),
                amount: None,
                share_of_lot: Some(id("0.25")),
            }],
            ..two_percent()
        }
    }

    #[test]
    fn thirty_thousand_are_split_and_one_activity_gets_a_quarter() {
        let mut story = fund_of(coop_terms(split()))
            .and(accrue_on("s", "1000000", "2026-03-01"))
            .at("2026-07-01T00:00:00Z");
        // The clock closes the period before the claim looks at the lot.
        let names = story.when(claim_on("c", "5000", "2026-07-01")).names();
        assert_eq!(names, ["CoopPeriodClosed", "CoopClaimed", "RebateCredited"]);
        assert_eq!(story.available(LOT), usd("9000"));
        story.when(claim_on("d", "1", "2026-07-01")).refused("claim.cap_reached");
        story.when(close(LOT)).refused("coop.lot_closed");
    }

    #[test]
    fn under_the_threshold_all_of_it_becomes_rebate() {
        let mut story = fund_of(coop_terms(split()))
            .and(accrue_on("s", "666666.67", "2026-03-01"))
            .at("2026-07-01T00:00:00Z");
        assert_eq!(story.available(LOT), usd("20000"));
        let names = story.when(close(LOT)).names();
        assert_eq!(names, ["CoopPeriodClosed", "RebateCredited"]);
        assert_eq!(story.available(LOT), usd("0"));
        // What comes in later goes to the next lot.
        let story = story.and(accrue_on("late", "100", "2026-06-30"));
        assert_eq!(story.available("20260701-20261231"), usd("3"));
    }

    #[test]
    fn a_late_sale_of_a_converted_lot_is_told_that_it_became_rebate() {
        let terms = CoopTerms { late_accrual: LateAccrual::Refuse, ..split() };
        let mut story = fund_of(coop_terms(terms))
            .and(accrue_on("s", "1000", "2026-03-01"))
            .at("2026-07-01T00:00:00Z")
            .and(close(LOT));
        let late = story.when(accrue_on("late", "100", "2026-06-30"));
        late.refused("coop.too_late");
        let Outcome::Rejected(rejection) = late else { panic!("it was refused") };
        let told = "lot 20260101-20260630, usable until 2026-12-31, became rebate and takes no";
        assert!(rejection.to_string().starts_with(told), "{rejection}");
    }

    #[test]
    fn nothing_is_closed_or_expired_before_it_is_due() {
        let story = fund_of(coop_terms(split())).and(accrue_on("s", "1000", "2026-03-01"));
        let mut story = story.at("2026-06-30T23:59:59Z");
        story.when(close(LOT)).refused("coop.too_early");
        story.when(expire(LOT)).refused("coop.too_early");
        story.when(close("20260101-20260331")).refused("coop.lot_unknown");
        story.when(expire("20260101-20260331")).refused("coop.lot_unknown");
    }
}
