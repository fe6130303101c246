//! The model's deals and slots: who guards what, as far as what was sent tells.

use super::agenda::{DAY, HOUR};
use super::world::programme;
use std::collections::BTreeMap;

/// A deal that is not over.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    /// Its partner; none when the vendor sells itself.
    pub(super) partner: Option<usize>,
    /// Its programme, by place.
    pub(super) programme: usize,
    /// Its customer's number.
    pub(super) customer: u64,
    /// Its product line.
    pub(super) line: &'static str,
    /// Its territory.
    pub(super) territory: &'static str,
    /// Its value in minor units.
    pub(super) value: i64,
    /// Where it stands.
    pub(super) stage: Stage,
    /// The end of its protection, about.
    pub(super) until: i64,
}

/// Where a deal stands, as far as what was sent tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Registered, not decided.
    Pending,
    /// Protected.
    Approved,
    /// In a conflict with the deal of this number.
    Contested(u64),
    /// Its conflict lapsed: submitted and unprotected.
    Lapsed,
    /// Its protection is over, or went to another.
    Unprotected,
}

/// The deals that are not over, and who guards what.
#[derive(Debug, Default)]
pub(super) struct Deals {
    /// By number.
    pub(super) open: BTreeMap<u64, Deal>,
    /// The guards of a customer's product line, in the order in which they came.
    guards: BTreeMap<(u64, &'static str), Vec<u64>>,
    /// The deals in conflict with a guard.
    challengers: BTreeMap<u64, Vec<u64>>,
    registered: u64,
}

/// Who stands at a place, for one who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occupant {
    Nobody,
    Oneself,
    Another(u64),
    /// Protection ends about now; nobody knows the hour.
    Unsure,
}

/// How far from the model's own reckoning the end of protection may be: clocks change.
pub(super) const UNSURE: i64 = 3 * HOUR;

impl Deals {
    /// The number of the next deal.
    pub(super) fn next(&mut self) -> u64 {
        self.registered += 1;
        self.registered
    }

    /// How many were registered.
    pub(super) fn registered(&self) -> u64 {
        self.registered
    }

    /// Notes that a deal is in conflict with a guard.
    pub(super) fn challenge(&mut self, challenger: u64, incumbent: u64) {
        self.challengers.entry(incumbent).or_default().push(challenger);
    }

    /// Who stands at a place.
    pub(super) fn occupant(&self, place: &Deal, now: i64) -> Occupant {
        let guards = self.guards.get(&(place.customer, place.line)).into_iter().flatten();
        let mut first = Occupant::Nobody;
        for number in guards {
            let Some(guard) = self.open.get(number) else { continue };
            let counts_territory = programme(guard.programme).id == "momentum";
            if counts_territory && guard.territory != place.territory {
                continue;
            }
            let pending = guard.stage == Stage::Pending;
            if !pending && guard.until < now - UNSURE {
                continue;
            }
            if !pending && guard.until < now + UNSURE {
                return Occupant::Unsure;
            }
            if guard.partner == place.partner {
                return Occupant::Oneself;
            }
            if first == Occupant::Nobody {
                first = Occupant::Another(*number);
            }
        }
        first
    }

    /// Whether a deal guards its slot for so long at least.
    pub(super) fn guards(&self, number: u64, until: i64) -> bool {
        let open = self.open.get(&number);
        open.is_some_and(|deal| match deal.stage {
            Stage::Pending => true,
            Stage::Approved => deal.until > until,
            Stage::Contested(_) | Stage::Lapsed | Stage::Unprotected => false,
        })
    }

    /// Lets a deal guard its slot.
    pub(super) fn guard(&mut self, number: u64) {
        let Some(deal) = self.open.get(&number) else { return };
        let guards = self.guards.entry((deal.customer, deal.line)).or_default();
        if !guards.contains(&number) {
            guards.push(number);
        }
    }

    /// Ends a deal's guard; the deals whose conflicts lapse with it.
    pub(super) fn unguard(&mut self, number: u64) -> Vec<u64> {
        let Some(deal) = self.open.get(&number) else { return Vec::new() };
        let key = (deal.customer, deal.line);
        if let Some(guards) = self.guards.get_mut(&key) {
            guards.retain(|guard| *guard != number);
            if guards.is_empty() {
                self.guards.remove(&key);
            }
        }
        let mut lapsed = self.challengers.remove(&number).unwrap_or_default();
        lapsed.retain(|challenger| {
            self.open.get_mut(challenger).is_some_and(|deal| {
                let stands = deal.stage == Stage::Contested(number);
                if stands {
                    deal.stage = Stage::Lapsed;
                }
                stands
            })
        });
        lapsed
    }

    /// An open deal that another could collide with.
    pub(super) fn rival(&self, from: u64, now: i64) -> Option<u64> {
        let mut near = self.open.range(from..).take(24).map(|(number, _)| *number);
        near.find(|number| self.guards(*number, now + 20 * DAY))
    }
}

/// The identifier of a deal.
pub(super) fn name(number: u64) -> String {
    format!("d-{number:06}")
}

/// The identifier of a customer.
pub(super) fn customer(number: u64) -> String {
    format!("c-{number:05}")
}
