//! ClaimMdf: the vendor's share of an activity, against what an approved request reserved.
//!
//! The terms of the request's approval decide. Only the last claim of a request releases what was
//! reserved and not claimed.

use super::claim_coop::window;
use super::state::{Claim, author};
use super::{ClaimPart, ClaimRejection, ClaimState, proof};
use crate::mdf::{self, Approval, Request, RequestState};
use crate::posting::{Move, Posting};
use crate::programme::Version;
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, money, partner, programme, rows};
use chl_commands::claim::ClaimMdf;
use chl_events::claim::{MdfClaimed, Part};
use chl_events::terms::{MdfTerms, OverAvailable};
use chl_events::{Commit, Date, Fund, Money};

pub(super) fn decide(
    command: &ClaimMdf,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ClaimMdf { claim, request: id, partner, programme, cost, activity_date, proof, .. } =
        command;
    money::positive(*cost, "cost")?;
    proof::check(proof, 0)?;
    proof::check_outcome(command.outcome.as_ref())?;
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    let request = mdf::request(facts, programme, partner, id)?;
    if facts.get::<Claim>(claim)?.is_some() {
        return Err(ClaimRejection::ClaimTaken { claim: claim.clone() }.into());
    }
    proof::check_free(facts, &proof::invoices(proof))?;
    partner::require_active(facts, partner)?;
    partner::require_enrolled(facts, partner, programme)?;
    let approval = approval(command, &request)?;
    let version = programme::version(facts, programme, approval.programme_version)?;
    let zone = version.zone();
    let today = zone.day(context.time);
    context.require_time()?;
    context.require_past(zone, "data.activity_date", *activity_date)?;
    context.require_order(request.latest)?;
    let terms = mdf::terms(&version)?;
    check_terms(command, &request, terms, today)?;
    money::expect_currency(version.currency, *cost)?;
    let share = money::share(*cost, terms.match_rate, version.terms.rounding)
        .ok_or(AnyRejection::TooLarge { field: "data.cost" })?;
    let granted = granted(share.amount, request.unclaimed(), &request, terms)?;

    let event = MdfClaimed {
        claim: claim.clone(),
        request: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        programme_version: version.version,
        activity: request.activity.clone(),
        cost: *cost,
        activity_date: *activity_date,
        proof: proof.clone(),
        match_rate: terms.match_rate,
        unrounded: share.unrounded,
        requested: share.amount,
        granted,
        outcome: command.outcome.clone(),
        is_final: command.r#final.unwrap_or(true),
    };
    let lines = Posting::of(Fund::Mdf, partner).add(hold(&version), granted).lines();
    Ok(vec![Fact::posting(today, event, lines)])
}

/// How a claim on MDF takes its money: it was accrued nowhere before.
pub(super) fn hold(version: &Version) -> Move {
    Move::HoldIncentive(version.terms.incentive_account)
}

fn approval<'a>(command: &ClaimMdf, request: &'a Request) -> Result<&'a Approval, Refusal> {
    let approval = request.approval.as_ref().filter(|_| request.state == RequestState::Approved);
    approval.ok_or_else(|| {
        let (request, state) = (command.request.clone(), request.state.as_str());
        mdf::MdfRejection::WrongState { request, state }.into()
    })
}

fn check_terms(
    command: &ClaimMdf,
    request: &Request,
    terms: &MdfTerms,
    today: Date,
) -> Result<(), ClaimRejection> {
    let (start, end, activity_date) = (request.start, request.end, command.activity_date);
    if activity_date < start || activity_date > end {
        return Err(ClaimRejection::OutsideRequest { start, end, activity_date });
    }
    proof::missing(&terms.proofs, &request.activity, &command.proof)?;
    window(activity_date, terms.claim_days, today)
}

/// What is held of a share: capped by the terms, and by what is there.
pub(super) fn granted(
    share: Money,
    available: Money,
    request: &Request,
    terms: &MdfTerms,
) -> Result<Money, ClaimRejection> {
    let requested = money::capped(share, &terms.caps, &request.activity);
    let short = requested.minor() > available.minor();
    let granted = money::min(requested, available);
    if !granted.is_positive() || (short && terms.over_available == OverAvailable::Refuse) {
        return Err(ClaimRejection::FundExhausted { available, requested });
    }
    Ok(granted)
}

pub(super) fn evolve(
    event: &MdfClaimed,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let invoices = proof::invoices(&event.proof);
    proof::take(rows, &invoices, &event.claim);
    rows::update::<Request>(rows, &event.request, |request| {
        money::add(&mut request.held, event.granted);
        request.latest = request.latest.max(commit.time());
        if event.is_final {
            request.state = RequestState::Claimed;
        }
    })?;
    let claim = Claim {
        fund: Fund::Mdf,
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        programme_version: event.programme_version,
        activity: event.activity.clone(),
        activity_date: event.activity_date,
        requested: event.requested,
        request: Some((event.request.clone(), event.is_final)),
        state: ClaimState::Submitted,
        latest: commit.time(),
        authors: vec![author(commit)],
        approved_by: None,
        disputed: false,
        outcome: event.outcome.is_some(),
        proofs: event.proof.len(),
        invoices,
        parts: vec![ClaimPart::held(&Part { lot: None, amount: event.granted })],
        payments: Vec::new(),
        settled: event.granted.currency().zero(),
    };
    rows::put(rows, &event.claim, claim);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::books::balanced;
    use crate::fund_story::{
        approve, approve_request, claim_mdf, half, mdf_fund, proof, reject, request,
    };
    use crate::given::Given;
    use crate::story::{id, usd};
    use chl_commands::claim::ClaimMdf;
    use chl_events::Fund::Mdf;
    use chl_events::terms::{MdfTerms, OverAvailable, ProofRule};

    /// An approved request for 2,000 of the fund's 4,000, on the day of the activity.
    fn approved(mdf: MdfTerms) -> Given {
        mdf_fund(mdf)
            .and(request("r", "4000"))
            .by_manager("cm", 1)
            .and(approve_request("r"))
            .by_operator()
            .at("2026-03-10T09:00:00Z")
    }

    fn part(claim: &str, cost: &str) -> ClaimMdf {
        ClaimMdf { r#final: Some(false), ..claim_mdf(claim, "r", cost) }
    }

    #[test]
    fn the_last_claim_releases_what_was_reserved_and_not_claimed() {
        let story = approved(half());
        assert_eq!(story.allocated(), usd("2000"));
        let story = story.and(part("c", "1000")).by_manager("cm", 1);
        let story = story.and(approve(Mdf, "c", Some("400")));
        assert_eq!(story.allocated(), usd("2000"));
        let story = story.by_operator().and(claim_mdf("d", "r", "1000"));
        let mut story = story.by_manager("cm", 1).and(approve(Mdf, "d", None));
        // 2,000 reserved, 400 and 500 spent.
        assert_eq!(story.allocated(), usd("3100"));
        story.when(claim_mdf("e", "r", "1")).refused("mdf.wrong_state");
        balanced(&story);
    }

    #[test]
    fn the_last_claim_may_be_decided_before_the_others() {
        let story = approved(half()).and(part("c", "1000")).and(claim_mdf("d", "r", "1000"));
        let story = story.by_manager("cm", 1).and(approve(Mdf, "d", None));
        assert_eq!(story.allocated(), usd("3000"));
        let rejected = story.clone().and(reject(Mdf, "c"));
        assert_eq!(rejected.allocated(), usd("3500"));
        assert_eq!(story.and(approve(Mdf, "c", Some("100"))).allocated(), usd("3400"));
    }

    #[test]
    fn a_rejected_last_claim_leaves_room_for_another() {
        let mut story = approved(half()).and(claim_mdf("c", "r", "4000"));
        story.when(claim_mdf("d", "r", "1")).refused("mdf.wrong_state");
        let story = story.and(reject(Mdf, "c")).and(claim_mdf("d", "r", "6000"));
        let mut story = story.by_manager("cm", 1);
        story.when(approve(Mdf, "d", Some("2000.01"))).refused("claim.over_held");
        assert_eq!(story.and(approve(Mdf, "d", None)).allocated(), usd("2000"));
    }

    #[test]
    fn what_does_not_fit_the_request() {
        let mut story = approved(half());
        story.when(claim_mdf("c", "q", "1")).refused("mdf.request_unknown");
        let early = ClaimMdf { activity_date: id("2026-03-09"), ..claim_mdf("c", "r", "1") };
        story.when(early).refused("claim.outside_request");
        let mut late = story.clone().at("2026-05-10T00:00:00Z");
        late.when(claim_mdf("c", "r", "1")).refused("claim.too_late");
        late.at("2026-05-09T23:00:00Z").and(claim_mdf("c", "r", "1"));
        story.when(claim_mdf("c", "r", "0")).refused("command.malformed");
        let rule = ProofRule { activity: None, kinds: vec![id("photo")] };
        let mut strict = approved(MdfTerms { proofs: vec![rule], ..half() });
        strict.when(claim_mdf("c", "r", "1")).refused("claim.proof_missing");
        strict.and(ClaimMdf { proof: vec![proof("photo", 'a')], ..claim_mdf("c", "r", "1") });
    }

    #[test]
    fn more_than_is_reserved_is_refused_where_the_terms_say_so() {
        let mut story = approved(MdfTerms { over_available: OverAvailable::Refuse, ..half() });
        story.when(claim_mdf("c", "r", "4000.02")).refused("claim.fund_exhausted");
        story.and(claim_mdf("c", "r", "4000"));
    }
}
