//! ClaimCoop: the vendor's share of an activity carried out, as far as the lots go.
//!
//! The terms in force on the activity's date decide; the money is held at once. Capping is final.

use super::state::{Claim, author, held_claim};
use super::{ClaimRejection, ClaimState, draw, proof};
use crate::posting::{Move, Posting};
use crate::rejection::AnyRejection;
use crate::{
    Context, Fact, Facts, Refusal, RowsMut, Unavailable, calendar, coop, money, partner, programme,
    rows,
};
use chl_commands::claim::ClaimCoop;
use chl_events::claim::CoopClaimed;
use chl_events::terms::CoopTerms;
use chl_events::{Commit, Date, Fund};

pub(super) fn decide(
    command: &ClaimCoop,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ClaimCoop { claim, partner, programme, activity, cost, activity_date, proof } = command;
    money::positive(*cost, "cost")?;
    proof::check(proof, 0)?;
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    if coop::fund(facts, programme, partner)?.is_none() {
        let (partner, programme) = (partner.clone(), programme.clone());
        return Err(ClaimRejection::UnknownFund { partner, programme }.into());
    }
    if facts.get::<Claim>(claim)?.is_some() {
        return Err(ClaimRejection::ClaimTaken { claim: claim.clone() }.into());
    }
    proof::check_free(facts, &proof::invoices(proof))?;
    partner::require_active(facts, partner)?;
    partner::require_enrolled(facts, partner, programme)?;
    let version = programme::terms_at(facts, programme, *activity_date)?;
    let zone = version.zone();
    let today = zone.day(context.time);
    context.require_time()?;
    context.require_past(&zone, "activity_date", *activity_date)?;
    let terms = coop::terms(&version)?;
    check_terms(command, terms, today)?;
    let offers = draw::offers(facts, partner, &version, activity, *activity_date, Some(today))?;
    money::expect_currency(version.currency, *cost)?;
    let share = money::share(*cost, terms.match_rate, version.terms.rounding)
        .ok_or(AnyRejection::TooLarge { field: "cost" })?;
    let (granted, parts) = offers.take(share.amount, terms, activity)?;
    if !granted.is_positive() {
        let (available, requested) = (granted, share.amount);
        return Err(ClaimRejection::FundExhausted { available, requested }.into());
    }

    let lines = parts.iter().fold(Posting::of(Fund::Coop, partner), |lines, part| {
        lines.add_to(Move::HoldAccrued, part.lot.as_ref(), part.amount)
    });
    let event = CoopClaimed {
        claim: claim.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        programme_version: version.version,
        activity: activity.clone(),
        cost: *cost,
        activity_date: *activity_date,
        proof: proof.clone(),
        match_rate: terms.match_rate,
        unrounded: share.unrounded,
        requested: share.amount,
        granted,
        parts,
    };
    Ok(vec![Fact::posting(today, event, lines.lines())])
}

fn check_terms(command: &ClaimCoop, terms: &CoopTerms, today: Date) -> Result<(), ClaimRejection> {
    let ClaimCoop { activity, activity_date, proof, .. } = command;
    if terms.excluded_activities.contains(activity) {
        return Err(ClaimRejection::ActivityExcluded { activity: activity.clone() });
    }
    proof::missing(&terms.proofs, activity, proof)?;
    window(*activity_date, terms.claim_days, today)
}

/// Checks that a claim comes after the activity and within so many days of it: the last day counts.
pub(super) fn window(activity_date: Date, days: u32, today: Date) -> Result<(), ClaimRejection> {
    if today < activity_date {
        return Err(ClaimRejection::TooEarly { activity_date, today });
    }
    let until = calendar::plus_days(activity_date, days);
    if today > until {
        return Err(ClaimRejection::TooLate { until, today });
    }
    Ok(())
}

pub(super) fn evolve(
    event: &CoopClaimed,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let invoices = proof::invoices(&event.proof);
    proof::take(rows, &invoices, &event.claim);
    held_claim(rows, (&event.programme, &event.partner), &event.activity, &event.parts)?;
    let claim = Claim {
        fund: Fund::Coop,
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        programme_version: event.programme_version,
        activity: event.activity.clone(),
        activity_date: event.activity_date,
        requested: event.requested,
        request: None,
        state: ClaimState::Submitted,
        latest: commit.time(),
        authors: vec![author(commit)],
        approved_by: None,
        disputed: false,
        outcome: false,
        proofs: event.proof.len(),
        invoices,
        parts: event.parts.iter().map(super::ClaimPart::held).collect(),
        payments: Vec::new(),
        settled: event.granted.currency().zero(),
    };
    rows::put(rows, &event.claim, claim);
    Ok(())
}
