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
        .ok_or(AnyRejection::TooLarge { field: "estimated_cost" })?;
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
