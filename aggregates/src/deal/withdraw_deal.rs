//! WithdrawDeal: its partner gives an open deal up.

use super::state::done_or_wrong;
use super::{DealState, ending, named, require_order};
use crate::context::sealed;
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
        DealState::Withdrawn
        | DealState::Won
        | DealState::Lost
        | DealState::Expired
        | DealState::Displaced
        | DealState::Rejected => {
            return Err(done_or_wrong(&command.deal, state, DealState::Withdrawn).into());
        }
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

#[cfg(test)]
mod tests {
    use crate::story::{auto, deal, market, withdraw, won};

    #[test]
    fn withdrawing_ends_the_guard_or_the_conflict() {
        let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1")).and(deal("d2", "p2"));
        let mut challenger = story.clone();
        let made = challenger.when(withdraw("d2"));
        assert_eq!(made.names(), ["DealWithdrawn", "ConflictLapsed"]);
        let mut incumbent = story;
        assert_eq!(incumbent.when(withdraw("d1")).names(), ["DealWithdrawn", "ProtectionEnded"]);
        // Its conflict has lapsed, so the challenger ends alone, and guards nothing.
        assert_eq!(incumbent.when(withdraw("d2")).names(), ["DealWithdrawn"]);
        incumbent.when(withdraw("d2")).refused("deal.already_so");
        incumbent.when(won("d2")).refused("deal.wrong_state");
        challenger.and(won("d1")).when(withdraw("d1")).refused("deal.wrong_state");
    }

    #[test]
    fn another_partners_deal_is_unknown() {
        let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
        let mut story = story.by_partner("p2");
        story.when(withdraw("d1")).refused("deal.unknown");
        story.when(won("d1")).refused("deal.unknown");
        assert_eq!(story.by_partner("p1").when(withdraw("d1")).names().len(), 2);
    }
}
