//! WithdrawDeal: its partner gives an open deal up.

use super::state::wrong_state;
use super::{DealRejection, DealState, ending, named, require_order, sealed};
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::deal::WithdrawDeal;
use chl_events::deal::{DealWithdrawn, GuardEnd};

pub(super) fn decide(
    command: &WithdrawDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    match state {
        DealState::Submitted | DealState::Approved | DealState::Contested => {}
        DealState::Withdrawn => {
            let (deal, state) = (command.deal.clone(), state.as_str());
            return Err(DealRejection::AlreadySo { deal, state }.into());
        }
        DealState::Won
        | DealState::Lost
        | DealState::Expired
        | DealState::Displaced
        | DealState::Rejected => return Err(wrong_state(&command.deal, state).into()),
    }
    context.require_time()?;
    require_order(facts, context, deal.place())?;
    let on = deal.zone(facts)?.day(context.time);
    let event = DealWithdrawn {
        deal: command.deal.clone(),
        customer: command.customer.clone(),
        note: sealed(command.note.as_ref()),
    };
    let mut made = vec![Fact::new(on, event)];
    made.extend(ending::ended(&command.deal, &deal, state, context, on, GuardEnd::Withdrawn));
    Ok(made)
}
