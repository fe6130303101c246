//! What claims do to the MDF requests they are on.

use crate::{
    FoldError, Keeps,
    claims::ClaimRow,
    fact::Fact,
    requests::{RequestRow, RequestState, edit},
};
use chl_events::{ClaimId, Event, claim::ClaimEvent};

/// Folds the facts of claims into the requests they are on.
pub(crate) fn fold<S: Keeps<RequestRow> + Keeps<ClaimRow>>(
    fact: &Fact<'_>,
    store: &mut S,
) -> Result<(), FoldError> {
    let Event::Claim(event) = fact.event() else { return Ok(()) };
    match event {
        ClaimEvent::MdfClaimed(e) => {
            edit(fact, store, &e.request, |row| row.state = RequestState::Claimed)
        }
        ClaimEvent::ClaimDisputed(e) => of_claim(fact, store, &e.claim, |row, _| {
            row.state = RequestState::Claimed;
        }),
        ClaimEvent::ClaimApproved(e) => of_claim(fact, store, &e.claim, |row, is_final| {
            if is_final {
                row.end(fact, RequestState::Closed);
            }
        }),
        // The reservation stands until another claim or its lapse.
        ClaimEvent::ClaimWithdrawn(e) => of_claim(fact, store, &e.claim, reopen),
        ClaimEvent::ClaimRejected(e) => of_claim(fact, store, &e.claim, reopen),
        ClaimEvent::CoopClaimed(_)
        | ClaimEvent::ProofAdded(_)
        | ClaimEvent::ClaimPaid(_)
        | ClaimEvent::PaymentFailed(_)
        | ClaimEvent::ClaimClawedBack(_)
        | ClaimEvent::ClawbackRecovered(_)
        | ClaimEvent::ClawbackWrittenOff(_) => Ok(()),
    }
}

fn reopen(row: &mut RequestRow, _: bool) {
    if row.state == RequestState::Claimed {
        row.state = RequestState::Approved;
    }
}

/// Changes the request a claim is on, knowing whether the claim is its last.
fn of_claim<S: Keeps<RequestRow> + Keeps<ClaimRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    claim: &ClaimId,
    change: impl FnOnce(&mut RequestRow, bool),
) -> Result<(), FoldError> {
    let row: Option<&ClaimRow> = store.peek(&(claim.clone(),))?;
    let Some(row) = fact.known(row, "claim", claim)? else { return Ok(()) };
    let is_final = row.is_final.unwrap_or(true);
    let Some(request) = row.request.clone() else { return Ok(()) };
    edit(fact, store, &request, |row| change(row, is_final))
}
