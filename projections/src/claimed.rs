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
        ClaimEvent::MdfClaimed(e) if e.is_final => {
            edit(fact, store, &e.request, |row| row.state = RequestState::Claimed)
        }
        // A request that is over stays so; what is disputed is held outside of it.
        ClaimEvent::ClaimDisputed(e) => of_last(fact, store, &e.claim, |row| {
            if !row.state.is_over() {
                row.state = RequestState::Claimed;
            }
        }),
        ClaimEvent::ClaimApproved(e) => of_last(fact, store, &e.claim, |row| {
            if row.state == RequestState::Claimed {
                row.end(fact, RequestState::Closed);
            }
        }),
        // The reservation stands until another claim or its lapse.
        ClaimEvent::ClaimWithdrawn(e) => of_last(fact, store, &e.claim, reopen),
        ClaimEvent::ClaimRejected(e) => of_last(fact, store, &e.claim, reopen),
        ClaimEvent::MdfClaimed(_)
        | ClaimEvent::CoopClaimed(_)
        | ClaimEvent::ProofAdded(_)
        | ClaimEvent::ClaimPaid(_)
        | ClaimEvent::PaymentFailed(_)
        | ClaimEvent::ClaimClawedBack(_)
        | ClaimEvent::ClawbackRecovered(_)
        | ClaimEvent::ClawbackWrittenOff(_) => Ok(()),
    }
}

fn reopen(row: &mut RequestRow) {
    if row.state == RequestState::Claimed {
        row.state = RequestState::Approved;
    }
}

/// Changes the request whose last claim it is.
fn of_last<S: Keeps<RequestRow> + Keeps<ClaimRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    claim: &ClaimId,
    change: impl FnOnce(&mut RequestRow),
) -> Result<(), FoldError> {
    let row: Option<&ClaimRow> = store.peek(&(claim.clone(),))?;
    let Some(row) = fact.known(row, "claim", claim)? else { return Ok(()) };
    match &row.request {
        Some(request) if row.is_final.unwrap_or(true) => {
            let request = request.clone();
            edit(fact, store, &request, change)
        }
        _ => Ok(()),
    }
}
