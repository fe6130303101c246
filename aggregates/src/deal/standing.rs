//! Where a deal stands, as a command that names it finds it.

use super::{Deal, DealRejection, DealState};
use crate::{Context, Facts, Refusal, Unavailable, conflict, customer};
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
/// One that was registered on a customer merged into this one is this one's.
pub(crate) fn named(
    facts: Facts<'_>,
    context: &Context<'_>,
    id: &DealId,
    customer: &CustomerId,
) -> Result<(Arc<Deal>, DealState), Refusal> {
    customer::require_unmerged(facts, customer)?;
    let foreign = |deal: &Deal| {
        context.origin.role == Role::Partner && deal.partner != context.origin.partner
    };
    let unknown = || DealRejection::Unknown { deal: id.clone() };
    let deal = facts.get::<Deal>(id)?.filter(|deal| !foreign(deal)).ok_or_else(unknown)?;
    if !customer::is_now(facts, &deal.customer, customer)? {
        return Err(unknown().into());
    }
    let state = standing(facts, &deal)?;
    Ok((on(deal, customer), state))
}

/// A deal that a recorded fact names, as one of the customer it is registered on by now.
pub(crate) fn read(
    facts: Facts<'_>,
    id: &DealId,
    customer: &CustomerId,
) -> Result<Arc<Deal>, Unavailable> {
    Ok(on(stored(facts, id)?, customer))
}

/// A deal that a recorded fact names.
pub(crate) fn stored(facts: Facts<'_>, id: &DealId) -> Result<Arc<Deal>, Unavailable> {
    let missing = || Unavailable(format!("no deal {id}, which a fact names").into());
    facts.get::<Deal>(id)?.ok_or_else(missing)
}

fn on(mut deal: Arc<Deal>, customer: &CustomerId) -> Arc<Deal> {
    if deal.customer != *customer {
        Arc::make_mut(&mut deal).customer = customer.clone();
    }
    deal
}
