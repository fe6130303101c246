//! RejectDeal: the vendor declines a submitted deal; its slot is free.

use super::state::require_submitted;
use super::{DealState, ending, named, require_order};
use crate::context::sealed;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::deal::RejectDeal;
use chl_events::deal::{DealRejected, GuardEnd};

pub(super) fn decide(
    command: &RejectDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    require_submitted(&command.deal, &deal, state, DealState::Rejected)?;
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

#[cfg(test)]
mod tests {
    use crate::story::{approve, deal, market, reject};
    use chl_events::terms::DealTerms;

    #[test]
    fn a_rejected_deal_frees_its_slot() {
        let story = market(DealTerms::default(), &["p1", "p2"]).and(deal("d1", "p1"));
        let mut contested = story.clone().and(deal("d2", "p2"));
        contested.when(reject("d2")).refused("deal.contested");
        let mut story = story;
        assert_eq!(story.when(reject("d1")).names(), ["DealRejected", "ProtectionEnded"]);
        story.when(reject("d1")).refused("deal.already_so");
        assert_eq!(story.when(deal("d2", "p2")).names(), ["DealRegistered"]);
        story.and(approve("d2")).when(reject("d2")).refused("deal.wrong_state");
    }
}
