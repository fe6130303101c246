//! ApproveDeal: a submitted deal gets its window of protection, from now on.
//!
//! The version in force at the approval counts; extension and expiry follow it. A deal that is not
//! guarding its slot, because it was contested once or registered late, looks at the slot again.

use super::state::wrong_state;
use super::{DealRejection, DealState, Occupant, named, occupant, require_order, terms};
use crate::programme::{self, Version};
use crate::{Context, Fact, Facts, Refusal, partner};
use chl_commands::deal::ApproveDeal;
use chl_events::deal::DealApproved;
use chl_events::{ConflictId, CustomerId, DealId};

pub(super) fn decide(
    command: &ApproveDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    match (state, &deal.conflict) {
        (DealState::Submitted, _) => {}
        (DealState::Contested, Some(conflict)) => {
            let (deal, conflict) = (command.deal.clone(), conflict.clone());
            return Err(DealRejection::Contested { deal, conflict }.into());
        }
        (DealState::Approved, _) => {
            let (deal, state) = (command.deal.clone(), state.as_str());
            return Err(DealRejection::AlreadySo { deal, state }.into());
        }
        _ => return Err(wrong_state(&command.deal, state).into()),
    }
    if let Some(partner) = &deal.partner {
        partner::require_active(facts, partner)?;
    }
    if !deal.guards {
        if let Occupant::Another(guard, _) = occupant(facts, deal.place(), context.time)? {
            let (deal, guarded_by) = (command.deal.clone(), guard.deal);
            return Err(DealRejection::SlotGuarded { deal, guarded_by }.into());
        }
    }
    let version = programme::terms_in_force(facts, &deal.programme, context.time)?;
    context.require_time()?;
    require_order(facts, context, deal.place())?;
    let fact = approval(&command.deal, &command.customer, &version, context, false, None)?;
    Ok(vec![fact])
}

/// The approval of a deal for a full window under a version of the terms.
pub(crate) fn approval(
    deal: &DealId,
    customer: &CustomerId,
    version: &Version,
    context: &Context<'_>,
    automatic: bool,
    conflict: Option<ConflictId>,
) -> Result<Fact, Refusal> {
    let zone = version.zone();
    let days = terms::deal_terms(version)?.protection_days;
    let event = DealApproved {
        deal: deal.clone(),
        customer: customer.clone(),
        programme_version: version.version,
        protected_from: context.time,
        protected_until: zone.plus_days(context.time, days),
        automatic,
        conflict,
    };
    Ok(Fact::new(zone.day(context.time), event))
}
