//! AddProof: documents, or the activity's outcome, come after the claim.

use super::state::{self, Claim};
use super::{ClaimState, case, proof};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rows};
use chl_commands::claim::AddProof;
use chl_events::Commit;
use chl_events::claim::ProofAdded;

pub(super) fn decide(
    command: &AddProof,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let AddProof { claim: id, partner, programme, fund, proof, outcome } = command;
    if proof.is_empty() && outcome.is_none() {
        let problem = "brings neither proof nor an outcome";
        return Err(AnyRejection::data("proof", problem).into());
    }
    proof::check(proof, 0)?;
    proof::check_outcome(outcome.as_ref())?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    proof::check(proof, claim.proofs)?;
    proof::check_free(facts, &proof::invoices(proof))?;
    match claim.state {
        ClaimState::Submitted | ClaimState::Approved => {}
        ClaimState::Paid | ClaimState::Rejected | ClaimState::Final | ClaimState::Withdrawn => {
            return Err(claim.wrong_state(id));
        }
    }
    let case = case::open(facts, &claim, context)?;
    case.check_tail(facts, &claim, context)?;
    let event = ProofAdded {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        proof: proof.clone(),
        outcome: outcome.clone(),
    };
    Ok(vec![Fact::new(case.today, event)])
}

pub(super) fn evolve(
    event: &ProofAdded,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let invoices = proof::invoices(&event.proof);
    proof::take(rows, &invoices, &event.claim);
    rows::update::<Claim>(rows, &event.claim, |claim| {
        claim.proofs += event.proof.len();
        claim.outcome |= event.outcome.is_some();
        claim.invoices.extend(invoices);
        claim.latest = claim.latest.max(commit.time());
    })
}
