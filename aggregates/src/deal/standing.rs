//! Where a deal stands, as a command that names it finds it.

use super::{Deal, DealRejection, DealState};
use crate::{Context, Facts, Refusal, Unavailable, conflict};
use chl_events::{CustomerId, DealId, Role};
use std::sync::Arc;

/// Where a deal stands, taking into account that its conflict may have lapsed.
///
/// A conflict lapses for all its challengers by one fact of its incumbent, so that a challenger's
/// own row still says `Contested`.
pub(crate) fn standing(facts: Facts<'_>, deal: &Deal) -> Result<DealState, Unavailable> {
    match (deal.state, &deal.conflict) {
        (DealState::Contested, Some(conflict)) if !conflict::stands(facts, conflict)? => {
            Ok(DealState::Submitted)
        }
        (state, _) => Ok(state),
    }
}

/// The deal a command names, with where it stands.
///
/// Another partner's deal gets the answer of an unknown one, and so does one of another customer.
pub(crate) fn named(
    facts: Facts<'_>,
    context: &Context<'_>,
    id: &DealId,
    customer: &CustomerId,
) -> Result<(Arc<Deal>, DealState), Refusal> {
    let foreign = |deal: &Deal| {
        context.origin.role == Role::Partner && deal.partner != context.origin.partner
    };
    let deal = facts
        .get::<Deal>(id)?
        .filter(|deal| deal.customer == *customer && !foreign(deal))
        .ok_or_else(|| DealRejection::Unknown { deal: id.clone() })?;
    let state = standing(facts, &deal)?;
    Ok((deal, state))
}
