//! ApproveClaim: what is held becomes payable, all or part; the rest goes back. Never one's own.

use super::case::{self, check_amount, chosen};
use super::state::{self, author, take_from};
use super::{ClaimRejection, ClaimState};
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, money};
use chl_commands::claim::ApproveClaim;
use chl_events::claim::ClaimApproved;
use chl_events::{Commit, FreeText, Sealable};

pub(super) fn decide(
    command: &ApproveClaim,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ApproveClaim { claim: id, partner, programme, fund, amount, note } = command;
    check_amount(*amount)?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let imported = context.is_imported();
    if !imported && claim.authors.contains(context.author()) {
        return Err(ClaimRejection::OwnClaim { claim: id.clone() }.into());
    }
    if claim.state != ClaimState::Submitted {
        return Err(claim.wrong_state(id));
    }
    let case = case::open(facts, &claim, context)?;
    case.check_tail(facts, &claim, context)?;
    let held = claim.sum(|part| part.held);
    let amount = chosen(*amount, held)?;
    if amount.minor() > held.minor() {
        return Err(ClaimRejection::OverHeld { held, given: amount }.into());
    }

    let (parts, released) = take_from(&claim.by_lot(|part| part.held), amount);
    let lines = parts.iter().fold(Posting::of(*fund, partner), |lines, part| {
        lines.add_to(Move::Approve, part.lot.as_ref(), part.amount)
    });
    let (mut lines, expired) = case.release(facts, &claim, lines, &released)?;
    let unreserved = case::unreserved(facts, &claim, amount)?;
    if let Some(unreserved) = unreserved {
        lines = lines.add(Move::Spend, amount).add(Move::Unreserve, unreserved);
    }
    let event = ClaimApproved {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        amount,
        parts,
        released,
        expired,
        unreserved,
        imported,
        note: note.as_ref().and_then(FreeText::sealed).cloned(),
    };
    Ok(vec![Fact::posting(case.today, event, lines.lines())])
}

pub(super) fn evolve(
    event: &ClaimApproved,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    case::hold_ended(&before, &event.released, event.amount, commit, rows)?;
    state::change(rows, &event.claim, commit, |claim| {
        state::move_parts(claim, &event.parts, |part, amount| {
            money::take(&mut part.held, amount);
            money::add(&mut part.payable, amount);
        });
        state::move_parts(claim, &event.released, |part, amount| {
            money::take(&mut part.held, amount);
        });
        claim.state = ClaimState::Approved;
        claim.approved_by = (!event.imported).then(|| author(commit));
    })
}
