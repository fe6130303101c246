//! ApproveMdfRequest: the vendor's share of the estimate, or less, is reserved.
//!
//! The terms of this moment fix the claim window, the lapse and the tail; its claims follow them.

use super::{MdfRejection, Request, RequestState, state};
use crate::posting::{Move, Posting};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, calendar, money, partner, programme};
use chl_commands::mdf::ApproveMdfRequest;
use chl_events::mdf::MdfRequestApproved;
use chl_events::terms::{MdfTerms, Rounding};
use chl_events::{Fund, Money};

pub(super) fn decide(
    command: &ApproveMdfRequest,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ApproveMdfRequest { request: id, partner, programme, amount } = command;
    if let Some(amount) = amount {
        money::positive(*amount, "amount")?;
    }
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    let request = state::request(facts, programme, partner, id)?;
    if request.submitted_by == *context.author() {
        return Err(MdfRejection::OwnRequest { request: id.clone() }.into());
    }
    if request.state != RequestState::Submitted {
        let state = request.state.as_str();
        return Err(MdfRejection::WrongState { request: id.clone(), state }.into());
    }
    partner::require_active(facts, partner)?;
    let version = programme::terms_in_force(facts, programme, context.time)?;
    context.require_time()?;
    context.require_order(request.latest)?;
    let terms = state::terms(&version)?;
    if terms.excluded_activities.contains(&request.activity) {
        return Err(MdfRejection::ActivityExcluded { activity: request.activity.clone() }.into());
    }
    let most = share(&request, terms, version.terms.rounding)
        .ok_or(AnyRejection::TooLarge { field: "data.estimated_cost" })?;
    let amount = amount.unwrap_or(most);
    money::expect_currency(version.currency, amount)?;
    if amount.minor() > most.minor() {
        return Err(MdfRejection::AboveShare { most, given: amount }.into());
    }
    let fund = state::fund(facts, programme, partner)?;
    let available = fund.map_or_else(|| version.currency.zero(), |fund| fund.available);
    if amount.minor() > available.minor() || amount.is_zero() {
        return Err(MdfRejection::FundExhausted { available, needed: amount }.into());
    }

    let zone = version.zone();
    let claims_until = calendar::plus_days(request.end, terms.claim_days);
    let lapses_at = zone.end(claims_until);
    let event = MdfRequestApproved {
        request: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        programme_version: version.version,
        amount,
        claims_until,
        lapses_at,
        tail_until: zone.plus_days(lapses_at, terms.tail_days),
    };
    let lines = Posting::of(Fund::Mdf, partner).add(Move::Reserve, amount).lines();
    Ok(vec![Fact::posting(zone.day(context.time), event, lines)])
}

/// The vendor's share of the estimate, as far as the caps of the activity go.
fn share(request: &Request, terms: &MdfTerms, rounding: Rounding) -> Option<Money> {
    let share = money::share(request.estimated_cost, terms.match_rate, rounding)?.amount;
    Some(money::capped(share, &terms.caps, &request.activity))
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{approve_request, half, mdf_fund, request};
    use crate::given::Given;
    use crate::story::{id, usd};
    use chl_commands::mdf::ApproveMdfRequest;
    use chl_events::Event;
    use chl_events::mdf::MdfEvent;
    use chl_events::terms::{ActivityCap, MdfTerms};

    fn asked(cost: &str) -> Given {
        mdf_fund(half()).and(request("r", cost)).by_manager("cm", 1)
    }

    #[test]
    fn the_vendors_share_is_reserved_and_the_dates_are_fixed() {
        let mut story = asked("3000");
        let made = story.when(approve_request("r")).events();
        let [Event::Mdf(MdfEvent::MdfRequestApproved(event))] = made.as_slice() else {
            panic!("{made:?}");
        };
        assert_eq!(event.amount, usd("1500"));
        // Sixty days after the last day, and ninety days of tail.
        assert_eq!(event.claims_until, id("2026-05-11"));
        assert_eq!(event.lapses_at, id("2026-05-12T00:00:00Z"));
        assert_eq!(event.tail_until, id("2026-08-10T00:00:00Z"));
        assert_eq!(story.allocated(), usd("2500"));
        story.when(approve_request("r")).refused("mdf.wrong_state");
    }

    #[test]
    fn less_may_be_reserved_and_not_more() {
        let of = |amount| ApproveMdfRequest { amount: Some(usd(amount)), ..approve_request("r") };
        let mut story = asked("3000");
        story.when(of("1500.01")).refused("mdf.above_share");
        story.when(of("0")).refused("command.malformed");
        assert_eq!(story.and(of("200")).allocated(), usd("3800"));
        let caps = vec![ActivityCap {
            activity: Some(id("event")),
            amount: Some(usd("700")),
            share_of_lot: None,
        }];
        let capped = mdf_fund(MdfTerms { caps, ..half() }).and(request("r", "3000"));
        let capped = capped.by_manager("cm", 1).and(approve_request("r"));
        assert_eq!(capped.allocated(), usd("3300"));
    }

    #[test]
    fn who_may_not_approve_and_what() {
        asked("8000.02").when(approve_request("r")).refused("mdf.fund_exhausted");
        asked("1").by_operator().when(approve_request("r")).refused("mdf.own_request");
        asked("1").when(approve_request("q")).refused("mdf.request_unknown");
        let mut early = asked("1").claiming("2026-02-28T00:00:00Z");
        early.when(approve_request("r")).refused("time.before_history");
    }
}
