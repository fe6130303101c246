//! ApproveDeal: a submitted deal gets its window of protection, from now on.
//!
//! The version in force at the approval counts; extension and expiry follow it. A deal that is not
//! guarding its slot, because it was contested once or registered late, looks at the slot again.

use super::state::require_submitted;
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
    require_submitted(&command.deal, &deal, state, DealState::Approved)?;
    if let Some(partner) = &deal.partner {
        partner::require_active(facts, partner)?;
    }
    if !deal.guards
        && let Occupant::Another(guard, _) = occupant(facts, deal.place(), context.time)?
    {
        let (deal, guarded_by) = (command.deal.clone(), guard.deal);
        return Err(DealRejection::SlotGuarded { deal, guarded_by }.into());
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

#[cfg(test)]
mod tests {
    use crate::story::{approve, deal, id, lost, market, won};
    use chl_commands::partner::SuspendPartner;
    use chl_commands::programme::PublishProgramme;
    use chl_events::terms::DealTerms;

    #[test]
    fn protection_runs_from_the_approval() {
        let story = market(DealTerms::default(), &["p1"]).and(deal("d1", "p1"));
        let mut story = story.at("2026-03-10T09:00:00Z");
        let made = format!("{:?}", story.when(approve("d1")).events());
        assert!(made.contains("protected_until: 2026-06-08T09:00:00Z"), "{made}");
        story.when(approve("d1")).refused("deal.already_so");
        story.when(approve("d2")).refused("deal.unknown");
    }

    #[test]
    fn the_version_in_force_at_the_approval_counts() {
        let story = market(DealTerms::default(), &["p1"]).and(deal("d1", "p1"));
        let terms = DealTerms { protection_days: 10, ..DealTerms::default() };
        let next = PublishProgramme {
            version: 2,
            effective_from: id("2026-03-10"),
            ..crate::story::publish("prog", crate::story::deal_terms(terms))
        };
        let mut story = story.and(next).at("2026-03-10T09:00:00Z");
        let made = format!("{:?}", story.when(approve("d1")).events());
        assert!(made.contains("programme_version: 2"), "{made}");
        assert!(made.contains("protected_until: 2026-03-20T09:00:00Z"), "{made}");
    }

    #[test]
    fn a_once_contested_deal_looks_at_the_slot_again() {
        let story = market(DealTerms::default(), &["p1", "p2", "p3"]);
        let mut story = story.and(deal("d1", "p1")).and(deal("d2", "p2"));
        story.when(approve("d2")).refused("deal.contested");
        let mut taken = story.clone().and(lost("d1")).and(deal("d3", "p3"));
        taken.when(approve("d2")).refused("deal.slot_guarded");
        let mut free = story.and(lost("d1"));
        assert_eq!(free.when(approve("d2")).names(), ["DealApproved"]);
        // Approved, it guards the slot as any other.
        assert_eq!(free.when(deal("d3", "p3")).names(), ["DealRegistered", "ConflictOpened"]);
    }

    #[test]
    fn what_is_closed_or_suspended_is_not_approved() {
        let story = market(DealTerms::default(), &["p1"]).and(deal("d1", "p1"));
        story.clone().and(won("d1")).when(approve("d1")).refused("deal.wrong_state");
        let mut story = story.and(SuspendPartner { partner: id("p1"), note: None });
        story.when(approve("d1")).refused("partner.not_active");
    }
}
