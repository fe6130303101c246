//! Endings: what else is recorded when a deal ends.

use super::{Deal, DealState};
use crate::{Context, Fact};
use chl_events::conflict::{ConflictLapsed, LapseCause};
use chl_events::deal::{GuardEnd, ProtectionEnded};
use chl_events::{Date, DealId, Instant};

/// The end of a deal's guard of its slot at an instant, if it guards it. One fact lapses every
/// conflict in which it is the incumbent.
pub(crate) fn guard_end(
    id: &DealId,
    deal: &Deal,
    on: Date,
    at: Instant,
    cause: GuardEnd,
) -> Option<Fact> {
    deal.guards.then(|| {
        let (deal, customer) = (id.clone(), deal.customer.clone());
        Fact::new(on, ProtectionEnded { deal, customer, at, cause })
    })
}

/// What follows when a deal ends for good now: the end of its guard, or of the open conflict into
/// which it came as the challenger.
pub(super) fn ended(
    id: &DealId,
    deal: &Deal,
    state: DealState,
    context: &Context<'_>,
    on: Date,
    cause: GuardEnd,
) -> Option<Fact> {
    match (state, &deal.conflict) {
        (DealState::Contested, Some(conflict)) => {
            let (conflict, customer) = (conflict.clone(), deal.customer.clone());
            let cause = LapseCause::ChallengerEnded;
            Some(Fact::new(on, ConflictLapsed { conflict, customer, cause }))
        }
        _ => guard_end(id, deal, on, context.time, cause),
    }
}
