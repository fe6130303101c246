//! WithdrawClaim and RejectClaim: a hold ends, nothing is payable, and the invoices are free again.

use super::state::{self, Claim};
use super::{ClaimState, case, proof};
use crate::context::sealed;
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, money};
use chl_commands::claim::{RejectClaim, WithdrawClaim};
use chl_events::claim::{ClaimRejected, ClaimWithdrawn, Part};
use chl_events::{ClaimId, Commit, Date, PostingLine};

pub(super) fn withdraw(
    command: &WithdrawClaim,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let WithdrawClaim { claim: id, partner, programme, fund, note } = command;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let ended = end(facts, id, &claim, context)?;
    let event = ClaimWithdrawn {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        released: ended.released,
        expired: ended.expired,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(ended.today, event, ended.lines)])
}

pub(super) fn reject(
    command: &RejectClaim,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let RejectClaim { claim: id, partner, programme, fund, note } = command;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let ended = end(facts, id, &claim, context)?;
    let event = ClaimRejected {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        released: ended.released,
        expired: ended.expired,
        is_final: claim.disputed,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(ended.today, event, ended.lines)])
}

/// A hold that ended with nothing payable.
struct Ended {
    today: Date,
    released: Vec<Part>,
    expired: Vec<Part>,
    lines: Vec<PostingLine>,
}

fn end(
    facts: Facts<'_>,
    id: &ClaimId,
    claim: &Claim,
    context: &Context<'_>,
) -> Result<Ended, Refusal> {
    if claim.state != ClaimState::Submitted {
        return Err(claim.wrong_state(id));
    }
    let case = case::open(facts, claim, context)?;
    let released = claim.by_lot(|part| part.held);
    let lines = Posting::of(claim.fund, &claim.partner);
    let (mut lines, expired) = case.release(facts, claim, lines, &released)?;
    // What a request that is over had kept for this claim only is the fund's again.
    let unreserved = case::unreserved(facts, claim, claim.currency().zero())?;
    if let Some(unreserved) = unreserved {
        lines = lines.add(Move::Unreserve, unreserved);
    }
    Ok(Ended { today: case.today, released, expired, lines: lines.lines() })
}

pub(super) fn withdrawn(
    event: &ClaimWithdrawn,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    ended(&event.claim, &event.released, ClaimState::Withdrawn, commit, rows)
}

pub(super) fn rejected(
    event: &ClaimRejected,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let state = if event.is_final { ClaimState::Final } else { ClaimState::Rejected };
    ended(&event.claim, &event.released, state, commit, rows)
}

fn ended(
    id: &ClaimId,
    released: &[Part],
    state: ClaimState,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, id)?;
    case::hold_ended(&before, released, before.currency().zero(), commit, rows)?;
    proof::free(rows, &before.invoices);
    state::change(rows, id, commit, |claim| {
        state::move_parts(claim, released, |part, amount| money::take(&mut part.held, amount));
        claim.state = state;
    })
}
