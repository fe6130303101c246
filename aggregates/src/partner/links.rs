//! Links: the parent a partner rolls up to in reports, and the distributors it buys through.
//!
//! One parent at a time and no cycles; both by effective date, and for reports and routes only.

use super::state::Partner;
use super::{DistributorLink, PartnerRejection, PartnerState, ZONE, known, today};
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::partner::{AttachParent, DetachParent, LinkDistributor, UnlinkDistributor};
use chl_events::partner::{
    DistributorLinked, DistributorUnlinked, ParentAttached, ParentDetached, PartnerType,
};
use chl_events::{Date, PartnerId};
use std::sync::Arc;

/// How many generations of parents are looked through for a cycle. A longer chain is refused as
/// one, so that a decision reads a bounded number of partners.
const MAX_GENERATIONS: usize = 32;

fn not_terminated(id: &PartnerId, partner: &Partner) -> Result<(), PartnerRejection> {
    if partner.state == PartnerState::Terminated {
        return Err(PartnerRejection::Terminated { partner: id.clone() });
    }
    Ok(())
}

/// Checks a link's date: no plan, so not in the future, and an end not before the beginning.
fn check_from(context: &Context<'_>, from: Date, started: Option<Date>) -> Result<(), Refusal> {
    context.require_time()?;
    context.require_past(&ZONE, "data.from", from)?;
    match started {
        Some(started) if from < started => {
            Err(PartnerRejection::BeforeStart { from, started }.into())
        }
        _ => Ok(()),
    }
}

pub(super) fn attach_parent(
    command: &AttachParent,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (partner, parent) = (command.partner.clone(), command.parent.clone());
    let child = known(facts, &partner)?;
    let above = known(facts, &parent)?;
    match &child.parent {
        Some((present, _)) if *present == parent => {
            return Err(PartnerRejection::ParentAttached { partner, parent }.into());
        }
        Some((present, _)) => {
            let parent = present.clone();
            return Err(PartnerRejection::OtherParent { partner, parent }.into());
        }
        None => {}
    }
    not_terminated(&partner, &child)?;
    not_terminated(&parent, &above)?;
    if stands_below(facts, &parent, above, &partner)? {
        return Err(PartnerRejection::Cycle { partner, parent }.into());
    }
    let from = command.from.unwrap_or_else(|| today(context));
    check_from(context, from, None)?;
    Ok(vec![Fact::new(from, ParentAttached { partner, parent, from })])
}

/// Whether a partner is another one or stands somewhere below it.
fn stands_below(
    facts: Facts<'_>,
    id: &PartnerId,
    partner: Arc<Partner>,
    above: &PartnerId,
) -> Result<bool, Refusal> {
    let (mut id, mut partner) = (id.clone(), partner);
    for _ in 0..MAX_GENERATIONS {
        if id == *above {
            return Ok(true);
        }
        let Some((parent, _)) = partner.parent.clone() else { return Ok(false) };
        partner = known(facts, &parent)?;
        id = parent;
    }
    Ok(true)
}

pub(super) fn detach_parent(
    command: &DetachParent,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (partner, parent) = (command.partner.clone(), command.parent.clone());
    let child = known(facts, &partner)?;
    known(facts, &parent)?;
    let started = match &child.parent {
        Some((present, since)) if *present == parent => *since,
        _ => return Err(PartnerRejection::NotAttached { partner, parent }.into()),
    };
    let from = command.from.unwrap_or_else(|| today(context));
    check_from(context, from, Some(started))?;
    Ok(vec![Fact::new(from, ParentDetached { partner, parent, from })])
}

pub(super) fn link_distributor(
    command: &LinkDistributor,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (partner, distributor) = (command.partner.clone(), command.distributor.clone());
    let child = known(facts, &partner)?;
    let above = known(facts, &distributor)?;
    if link(facts, &partner, &distributor)?.is_some() {
        return Err(PartnerRejection::DistributorLinked { partner, distributor }.into());
    }
    not_terminated(&partner, &child)?;
    not_terminated(&distributor, &above)?;
    if partner == distributor || !above.types.contains(&PartnerType::Distributor) {
        return Err(PartnerRejection::NoDistributor { distributor }.into());
    }
    let from = command.from.unwrap_or_else(|| today(context));
    check_from(context, from, None)?;
    Ok(vec![Fact::new(from, DistributorLinked { partner, distributor, from })])
}

fn link(
    facts: Facts<'_>,
    partner: &PartnerId,
    distributor: &PartnerId,
) -> Result<Option<Arc<DistributorLink>>, Refusal> {
    Ok(facts.get::<DistributorLink>((partner, distributor))?)
}

pub(super) fn unlink_distributor(
    command: &UnlinkDistributor,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (partner, distributor) = (command.partner.clone(), command.distributor.clone());
    known(facts, &partner)?;
    known(facts, &distributor)?;
    let Some(present) = link(facts, &partner, &distributor)? else {
        return Err(PartnerRejection::NotLinked { partner, distributor }.into());
    };
    let from = command.from.unwrap_or_else(|| today(context));
    check_from(context, from, Some(present.from))?;
    Ok(vec![Fact::new(from, DistributorUnlinked { partner, distributor, from })])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{Given, given};
    use crate::story::{id, recruit};
    use chl_commands::partner::TerminatePartner;

    fn attach(partner: &str, parent: &str) -> AttachParent {
        AttachParent { partner: id(partner), parent: id(parent), from: None }
    }

    fn detach(partner: &str, parent: &str, from: Option<Date>) -> DetachParent {
        DetachParent { partner: id(partner), parent: id(parent), from }
    }

    fn linking(partner: &str, distributor: &str) -> LinkDistributor {
        LinkDistributor { partner: id(partner), distributor: id(distributor), from: None }
    }

    fn unlinking(partner: &str, distributor: &str) -> UnlinkDistributor {
        UnlinkDistributor { partner: id(partner), distributor: id(distributor), from: None }
    }

    fn three() -> Given {
        let mut distributor = recruit("d1");
        distributor.types = vec![PartnerType::Distributor];
        given().and(recruit("p1")).and(recruit("p2")).and(distributor)
    }

    #[test]
    fn one_parent_at_a_time() {
        let mut story = three().and(attach("p1", "d1"));
        story.when(attach("p1", "d1")).refused("partner.parent_attached");
        story.when(attach("p1", "p2")).refused("partner.other_parent");
        story.when(detach("p1", "p2", None)).refused("partner.not_attached");
        let early = detach("p1", "d1", Some(id("2026-02-28")));
        story.when(early).refused("partner.before_start");
        let mut story = story.and(detach("p1", "d1", None)).and(attach("p1", "p2"));
        story.when(detach("p1", "d1", None)).refused("partner.not_attached");
    }

    #[test]
    fn no_cycles() {
        let mut story = three().and(attach("p1", "p2")).and(attach("p2", "d1"));
        story.when(attach("d1", "p1")).refused("partner.cycle");
        three().when(attach("p1", "p1")).refused("partner.cycle");
    }

    #[test]
    fn only_distributors_are_linked_and_only_once() {
        let mut story = three().and(linking("p1", "d1"));
        story.when(linking("p1", "d1")).refused("partner.distributor_linked");
        story.when(linking("p1", "p2")).refused("partner.no_distributor");
        story.when(unlinking("p2", "d1")).refused("partner.not_linked");
        let mut story = story.and(unlinking("p1", "d1"));
        story.when(unlinking("p1", "d1")).refused("partner.not_linked");
    }

    #[test]
    fn no_new_links_with_the_terminated() {
        let mut story = three().and(TerminatePartner { partner: id("d1"), note: None });
        story.when(linking("p1", "d1")).refused("partner.terminated");
        story.when(attach("p1", "d1")).refused("partner.terminated");
    }

    #[test]
    fn a_link_begins_not_in_the_future() {
        let mut command = linking("p1", "d1");
        command.from = Some(id("2026-03-02"));
        three().when(command).refused("time.in_future");
    }
}
