//! Slots: what protection guards, and who guards them now.

use super::Deal;
use crate::programme;
use crate::{Context, Facts, RowsMut, Unavailable, rows};
use chl_events::conflict::SlotMatch;
use chl_events::terms::SlotRule;
use chl_events::{Code, CustomerId, DealId, Instant, PartnerId, ProgrammeId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The guards of a customer's product line, whatever their territories, by
/// `customer/product_line`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Who guards it, in the order in which they came.
    pub guards: Vec<Guard>,
    /// The latest effective instant recorded on it, in any of its territories.
    pub latest: Instant,
    /// The guard that ended last, for what is registered late.
    pub last: Option<Guard>,
}

/// A deal that guards a slot: approved, or submitted and never contested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// The deal.
    pub deal: DealId,
    /// Its partner; none when the vendor sells itself.
    pub partner: Option<PartnerId>,
    /// Its territory.
    pub territory: Option<Code>,
    /// Its programme.
    pub programme: ProgrammeId,
    /// The version of the terms it stands under.
    pub version: u32,
    /// Since when it guards.
    pub since: Instant,
    /// Until when it is protected; none while it is pending.
    pub until: Option<Instant>,
}

impl Guard {
    /// Whether it still protects at an instant, or is pending.
    pub(crate) fn holds_at(&self, at: Instant) -> bool {
        self.until.is_none_or(|until| at < until)
    }
}

/// Where a deal is to stand, as far as slots are concerned.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) customer: &'a CustomerId,
    pub(crate) product_line: &'a Code,
    pub(crate) territory: Option<&'a Code>,
    pub(crate) partner: Option<&'a PartnerId>,
}

impl<'a> Place<'a> {
    /// A product line in all its territories, seen by nobody.
    pub(crate) fn whole(customer: &'a CustomerId, product_line: &'a Code) -> Self {
        Self { customer, product_line, territory: None, partner: None }
    }
}

impl Deal {
    /// Its place.
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            customer: &self.customer,
            product_line: &self.product_line,
            territory: self.territory.as_ref(),
            partner: self.partner.as_ref(),
        }
    }
}

/// Who stands at a place.
#[derive(Debug, PartialEq)]
pub(crate) enum Occupant {
    /// Nobody, as far as the one who comes is concerned.
    Nobody,
    /// The one who comes, with this deal: its own slot.
    Oneself(DealId),
    /// Another, and what of the two slots was equal.
    Another(Box<Guard>, SlotMatch),
}

/// The slot's row, if anything was ever recorded on it.
pub(crate) fn slot(facts: Facts<'_>, place: Place<'_>) -> Result<Option<Arc<Slot>>, Unavailable> {
    facts.get::<Slot>((place.customer, place.product_line))
}

/// Changes a slot; the instant is the latest effective one of what is recorded.
pub(crate) fn change(
    rows: &mut dyn RowsMut,
    place: Place<'_>,
    at: Instant,
    change: impl FnOnce(&mut Slot),
) -> Result<(), Unavailable> {
    let key = (place.customer, place.product_line);
    let before = rows::get::<Slot>(rows, key)?;
    let mut slot = before.map_or_else(
        || Slot { guards: Vec::new(), latest: at, last: None },
        |slot| Slot::clone(&slot),
    );
    change(&mut slot);
    slot.latest = slot.latest.max(at);
    rows::put(rows, key, slot);
    Ok(())
}

/// Moves a product line's slot with its guards to another customer, into which its own is merged
/// at an instant.
pub(crate) fn move_slot(
    rows: &mut dyn RowsMut,
    (from, to): (&CustomerId, &CustomerId),
    product_line: &Code,
    at: Instant,
) -> Result<(), Unavailable> {
    let Some(moved) = rows::get::<Slot>(rows, (from, product_line))? else { return Ok(()) };
    rows::remove::<Slot>(rows, (from, product_line));
    for guard in &moved.guards {
        rows::update::<Deal>(rows, &guard.deal, |deal| deal.customer = to.clone())?;
    }
    change(rows, Place::whole(to, product_line), at.max(moved.latest), |slot| {
        slot.guards.extend(moved.guards.iter().cloned());
        slot.guards.sort_by_key(|guard| guard.since);
        slot.last = slot.last.take().or_else(|| moved.last.clone());
    })
}

/// Checks a command's time against what is recorded on the slot (class 6).
pub(crate) fn require_order(
    facts: Facts<'_>,
    context: &Context<'_>,
    place: Place<'_>,
) -> Result<(), crate::Refusal> {
    if let Some(slot) = slot(facts, place)? {
        context.require_order(slot.latest)?;
    }
    Ok(())
}

/// Who guards a place at an instant: oneself, else the first other holder.
///
/// Slots overlap when customer and product line are equal, across programmes, and, where the
/// incumbent's terms count territory, the territories are equal or one is absent.
pub(crate) fn occupant(
    facts: Facts<'_>,
    place: Place<'_>,
    at: Instant,
) -> Result<Occupant, Unavailable> {
    let Some(slot) = slot(facts, place)? else { return Ok(Occupant::Nobody) };
    let guards = slot.guards.iter().filter(|guard| guard.holds_at(at));
    let mut first: Option<(&Guard, SlotMatch)> = None;
    for guard in guards {
        let Some(matched) = overlap(facts, guard, place)? else { continue };
        if guard.partner.as_ref() == place.partner {
            return Ok(Occupant::Oneself(guard.deal.clone()));
        }
        if first.is_none_or(|(held, _)| guard.since < held.since) {
            first = Some((guard, matched));
        }
    }
    Ok(match first {
        None => Occupant::Nobody,
        Some((guard, matched)) => Occupant::Another(Box::new(guard.clone()), matched),
    })
}

/// Another's guard that ended last at a place, for what is registered late.
pub(crate) fn last_other(
    facts: Facts<'_>,
    place: Place<'_>,
) -> Result<Option<(Box<Guard>, SlotMatch)>, Unavailable> {
    let Some(last) = slot(facts, place)?.and_then(|slot| slot.last.clone()) else {
        return Ok(None);
    };
    if last.partner.as_ref() == place.partner {
        return Ok(None);
    }
    Ok(overlap(facts, &last, place)?.map(|matched| (Box::new(last), matched)))
}

/// What of a guard's slot and a place is equal, where they overlap; their customer and product line
/// are the same.
pub(crate) fn overlap(
    facts: Facts<'_>,
    guard: &Guard,
    place: Place<'_>,
) -> Result<Option<SlotMatch>, Unavailable> {
    let (Some(own), Some(theirs)) = (place.territory, &guard.territory) else {
        return Ok(Some(SlotMatch::ProductLine));
    };
    let version = programme::version(facts, &guard.programme, guard.version)?;
    let rule = version.terms.deal_registration.as_ref().map(|terms| terms.slot);
    Ok(match rule {
        Some(SlotRule::Territory) => (own == theirs).then_some(SlotMatch::Territory),
        Some(SlotRule::ProductLine) | None => Some(SlotMatch::ProductLine),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{auto, deal, id, market};

    #[test]
    fn a_guard_protects_up_to_its_end_and_not_at_it() {
        let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
        let (customer, product_line, other) = (id("acme"), id("gtx"), id("p2"));
        let own = id("p1");
        let at = |partner, time: &str| {
            let (customer, product_line) = (&customer, &product_line);
            let place = Place { customer, product_line, territory: None, partner };
            occupant(story.facts(), place, id(time)).expect("rows are there")
        };
        let before = at(Some(&other), "2026-05-30T08:59:59.999999Z");
        assert!(matches!(before, Occupant::Another(_, SlotMatch::ProductLine)), "{before:?}");
        assert_eq!(at(Some(&own), "2026-05-30T08:59:59.999999Z"), Occupant::Oneself(id("d1")));
        assert_eq!(at(Some(&other), "2026-05-30T09:00:00Z"), Occupant::Nobody);
    }
}
