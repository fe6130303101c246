//! Who meets whom when two customers become one.
//!
//! Every deal that guards a slot is looked at in the order of registration, as if it were registered
//! on one customer. A deal meets the first one of the other customer and of another partner whose
//! slot it overlaps. Deals that met within one customer were decided there and are left alone; so is
//! a partner's own slot.

use super::Customer;
use crate::conflict::rule_of;
use crate::deal::{self, Deal, Guard, Place, overlap, slot_at};
use crate::programme::{self, Version};
use crate::{Facts, Unavailable};
use chl_events::conflict::SlotMatch;
use chl_events::terms::ConflictRule;
use chl_events::{CustomerId, Instant};
use std::sync::Arc;

/// A deal that guards a slot of one of the two.
pub(super) struct Holder {
    pub(super) guard: Guard,
    pub(super) deal: Arc<Deal>,
    /// Whether it is the absorbed customer's.
    pub(super) absorbed: bool,
}

/// A deal that meets an earlier one.
pub(super) struct Meeting<'a> {
    pub(super) incumbent: &'a Holder,
    pub(super) challenger: &'a Holder,
    pub(super) matched: SlotMatch,
    /// The terms that the incumbent stands under.
    pub(super) version: Arc<Version>,
}

/// The guards of the product lines that the absorbed customer has, of both customers.
pub(super) struct LineGuards {
    guards: Vec<(Guard, bool)>,
    /// The latest instant recorded on any of these slots.
    pub(super) latest: Option<Instant>,
}

impl LineGuards {
    pub(super) fn count(&self) -> usize {
        self.guards.len()
    }
}

pub(super) fn line_guards(
    facts: Facts<'_>,
    survivor: &CustomerId,
    absorbed: &CustomerId,
) -> Result<LineGuards, Unavailable> {
    let mut all = LineGuards { guards: Vec::new(), latest: None };
    let gone = facts.get::<Customer>(absorbed)?;
    for product_line in gone.iter().flat_map(|gone| &gone.product_lines) {
        for customer in [survivor, absorbed] {
            let Some(slot) = slot_at(facts, Place::whole(customer, product_line))? else {
                continue;
            };
            all.latest = all.latest.max(Some(slot.latest));
            let theirs = customer == absorbed;
            all.guards.extend(slot.guards.iter().map(|guard| (guard.clone(), theirs)));
        }
    }
    Ok(all)
}

/// Those that guard at an instant, in the order of their registration.
pub(super) fn holders(
    facts: Facts<'_>,
    all: &LineGuards,
    at: Instant,
) -> Result<Vec<Holder>, Unavailable> {
    let mut holders = Vec::new();
    for (guard, absorbed) in all.guards.iter().filter(|(guard, _)| guard.holds_at(at)) {
        let deal = deal::stored(facts, &guard.deal)?;
        holders.push(Holder { guard: guard.clone(), deal, absorbed: *absorbed });
    }
    holders.sort_by(|one, other| {
        let key = |holder: &Holder| (holder.deal.registered_at, holder.guard.deal.clone());
        key(one).cmp(&key(other))
    });
    Ok(holders)
}

/// Who meets whom, in the order of registration.
pub(super) fn meetings<'a>(
    facts: Facts<'_>,
    holders: &'a [Holder],
) -> Result<Vec<Meeting<'a>>, Unavailable> {
    let mut kept: Vec<&Holder> = Vec::new();
    let mut meetings = Vec::new();
    for holder in holders {
        match first_met(facts, &kept, holder)? {
            None => kept.push(holder),
            Some(meeting) => {
                // Where the incumbent's terms let both stand, both go on guarding.
                if rule_of(&meeting.version) == ConflictRule::Joint {
                    kept.push(holder);
                }
                meetings.push(meeting);
            }
        }
    }
    Ok(meetings)
}

fn first_met<'a>(
    facts: Facts<'_>,
    kept: &[&'a Holder],
    newcomer: &'a Holder,
) -> Result<Option<Meeting<'a>>, Unavailable> {
    let place = newcomer.deal.place();
    let mut first = None;
    for earlier in kept.iter().filter(|one| one.deal.product_line == newcomer.deal.product_line) {
        let Some(matched) = overlap(facts, &earlier.guard, place)? else { continue };
        if earlier.guard.partner == newcomer.guard.partner {
            return Ok(None);
        }
        if earlier.absorbed != newcomer.absorbed && first.is_none() {
            first = Some((*earlier, matched));
        }
    }
    let Some((incumbent, matched)) = first else { return Ok(None) };
    let guard = &incumbent.guard;
    let version = programme::version(facts, &guard.programme, guard.version)?;
    Ok(Some(Meeting { incumbent, challenger: newcomer, matched, version }))
}
