//! RejectDeal: the vendor declines a submitted deal; its slot is free.

use super::state::wrong_state;
use super::{DealRejection, DealState, ending, named, require_order, sealed};
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::deal::RejectDeal;
use chl_events::deal::{DealRejected, GuardEnd};

pub(super) fn decide(
    command: &RejectDeal,
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
        (DealState::Rejected, _) => {
            let (deal, state) = (command.deal.clone(), state.as_str());
            return Err(DealRejection::AlreadySo { deal, state }.into());
        }
        _ => return Err(wrong_state(&command.deal, state).into()),
    }
    context.require_time()?;
    require_order(facts, context, deal.place())?;
    let on = deal.zone(facts)?.day(context.time);
    let event = DealRejected {
        deal: command.deal.clone(),
        customer: command.customer.clone(),
        conflict: None,
        note: sealed(command.note.as_ref()),
    };
    let mut made = vec![Fact::new(on, event)];
    made.extend(ending::ended(&command.deal, &deal, state, context, on, GuardEnd::Rejected));
    Ok(made)
}
