//! DisputeClaim: a rejection is looked at once more, on what is available now.
//!
//! The claim came in time, so only what is there counts: lots that have not expired, what the
//! request still has reserved and unclaimed or, when the request is over, a new reservation.

use super::state::{self, Claim, author, held_claim};
use super::{ClaimPart, ClaimRejection, ClaimState, case, claim_mdf, draw, proof};
use crate::context::sealed;
use crate::mdf::{self, Request, RequestState};
use crate::posting::{Move, Posting};
use crate::programme::Version;
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, coop, money, rows};
use chl_commands::claim::DisputeClaim;
use chl_events::claim::{ClaimDisputed, Part};
use chl_events::{Commit, Money, RequestId};

pub(super) fn decide(
    command: &DisputeClaim,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let DisputeClaim { claim: id, partner, programme, fund, note } = command;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    if claim.disputed {
        return Err(ClaimRejection::Disputed { claim: id.clone() }.into());
    }
    if claim.state != ClaimState::Rejected {
        return Err(claim.wrong_state(id));
    }
    // Its rejection freed the invoices; another claim may have taken them.
    proof::check_free(facts, &claim.invoices)?;
    let case = case::open(facts, &claim, context)?;
    case.check_tail(facts, &claim, context)?;
    let (parts, lines) = match &claim.request {
        None => on_lots(facts, &claim, &case.version)?,
        Some((request, _)) => {
            let request = mdf::request(facts, programme, partner, request)?;
            on_request(facts, &claim, &request, &case.version)?
        }
    };
    let event = ClaimDisputed {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        granted: case::sum(&claim, &parts),
        parts,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(case.today, event, lines.lines())])
}

fn on_lots(
    facts: Facts<'_>,
    claim: &Claim,
    version: &Version,
) -> Result<(Vec<Part>, Posting), Refusal> {
    let (partner, activity) = (&claim.partner, &claim.activity);
    let offers = draw::offers(facts, partner, version, activity, claim.activity_date, None)?;
    let (_, parts) = offers.take(claim.requested, coop::terms(version)?, activity)?;
    let lines = Posting::of(claim.fund, partner).add_parts(Move::HoldAccrued, &parts);
    Ok((parts, lines))
}

fn on_request(
    facts: Facts<'_>,
    claim: &Claim,
    request: &Request,
    version: &Version,
) -> Result<(Vec<Part>, Posting), Refusal> {
    let fund = mdf::fund(facts, &claim.programme, &claim.partner)?;
    let free = fund.map_or_else(|| claim.currency().zero(), |fund| fund.available);
    let anew = request.state.is_over();
    let available = if anew { free } else { request.unclaimed() };
    let granted = claim_mdf::granted(claim.requested, available, request, mdf::terms(version)?)?;
    let reserved = if anew { granted } else { claim.currency().zero() };
    let lines = Posting::of(claim.fund, &claim.partner)
        .add(claim_mdf::hold(version), granted)
        .add(Move::Reserve, reserved);
    Ok((vec![Part { lot: None, amount: granted }], lines))
}

pub(super) fn evolve(
    event: &ClaimDisputed,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    let before = state::of_fact(&*rows, &event.claim)?;
    proof::take(rows, &before.invoices, &event.claim);
    held_claim(rows, (programme, partner), &before.activity, &event.parts)?;
    if let Some((id, is_final)) = &before.request {
        let reserved = hold_request(rows, id, *is_final, event.granted)?;
        mdf::change_fund(rows, programme, partner, |fund| {
            money::take(&mut fund.available, reserved)
        })?;
    }
    state::change(rows, &event.claim, commit, |claim| {
        claim.parts = event.parts.iter().map(ClaimPart::held).collect();
        claim.state = ClaimState::Submitted;
        claim.disputed = true;
        claim.authors.push(author(commit));
    })
}

/// Holds money of a request again; what is reserved anew for it.
fn hold_request(
    rows: &mut dyn RowsMut,
    id: &RequestId,
    is_final: bool,
    granted: Money,
) -> Result<Money, Unavailable> {
    let mut anew = granted.currency().zero();
    rows::update::<Request>(rows, id, |request| {
        if request.state.is_over() {
            anew = granted;
            money::add(&mut request.reserved, granted);
        } else if is_final {
            request.state = RequestState::Claimed;
        }
        money::add(&mut request.held, granted);
    })?;
    Ok(anew)
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, approve_request, claim, claim_mdf, coop_terms, dispute, expire, fund_of, half,
        mdf_fund, proof, reject, request, two_percent, withdraw,
    };
    use crate::story::usd;
    use chl_commands::claim::ClaimCoop;
    use chl_events::Fund::{Coop, Mdf};
    use chl_events::terms::CoopTerms;

    const LOT: &str = "20260101-20260331";

    #[test]
    fn a_dispute_holds_what_is_available_then_and_is_the_last_word() {
        let mut story = fund_of(coop_terms(two_percent()))
            .and(accrue("s", "1000"))
            .and(claim("c", "40"))
            .and(reject(Coop, "c"))
            .and(claim("d", "30"))
            .and(dispute(Coop, "c"));
        assert_eq!(story.available(LOT), usd("0"));
        story.when(dispute(Coop, "c")).refused("claim.disputed");
        let mut story = story.and(reject(Coop, "c"));
        assert_eq!(story.available(LOT), usd("5"));
        story.when(dispute(Coop, "c")).refused("claim.disputed");
        story.when(dispute(Coop, "d")).refused("claim.wrong_state");
        story.when(dispute(Coop, "x")).refused("claim.unknown");
    }

    #[test]
    fn its_invoices_must_still_be_free() {
        let of = |name| ClaimCoop { proof: vec![proof("invoice", 'a')], ..claim(name, "2") };
        let mut story = fund_of(coop_terms(two_percent()))
            .and(accrue("s", "1000"))
            .and(of("c"))
            .and(reject(Coop, "c"))
            .and(of("d"));
        story.when(dispute(Coop, "c")).refused("claim.invoice_taken");
        let mut story = story.and(withdraw(Coop, "d")).and(dispute(Coop, "c"));
        story.when(of("e")).refused("claim.invoice_taken");
    }

    #[test]
    fn an_expired_lot_offers_nothing() {
        let story = fund_of(coop_terms(CoopTerms { usage_months: 1, ..two_percent() }))
            .and(accrue("s", "1000"))
            .and(claim("c", "2"))
            .and(reject(Coop, "c"));
        let mut story = story.at("2026-06-30T00:00:00Z").and(expire(LOT));
        story.when(dispute(Coop, "c")).refused("claim.no_usable_lot");
    }

    #[test]
    fn a_request_that_lapsed_is_reserved_anew() {
        let story = mdf_fund(half())
            .and(request("r", "4000"))
            .by_manager("cm", 1)
            .and(approve_request("r"))
            .at("2026-03-10T09:00:00Z")
            .and(claim_mdf("c", "r", "4000"))
            .and(reject(Mdf, "c"))
            .at("2026-05-12T00:00:00Z");
        assert_eq!(story.allocated(), usd("2000"));
        // The request lapses first, and 4,000 are free; the dispute reserves 2,000 of them again.
        let story = story.and(dispute(Mdf, "c"));
        assert_eq!(story.allocated(), usd("2000"));
        assert_eq!(story.and(reject(Mdf, "c")).allocated(), usd("4000"));
    }
}
