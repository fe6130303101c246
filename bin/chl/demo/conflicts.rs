//! Conflicts: escalated, decided one way or another, or lapsed.

use super::deals::DealStep;
use super::slots::{Deal, Stage, customer, name};
use super::world::{Task, World, programme};
use chl_events::DealId;
use chl_events::conflict::ConflictKind;
use serde_json::json;

/// Ways in which a person decides, and their weights.
const RESOLUTIONS: [(u64, &str); 5] = [
    (30, "uphold_incumbent"),
    (26, "award_challenger"),
    (16, "joint"),
    (16, "split"),
    (8, "reject_both"),
];

const CRITERIA: [&str; 4] =
    ["customer_preference", "opportunity_history", "capability", "value_added"];

impl World {
    /// A challenger has come: what becomes of the conflict is drawn.
    pub(super) fn plan_conflict(&mut self, challenger: u64, incumbent: u64) {
        let joint = self.deals.open.get(&incumbent).is_some_and(|d| programme(d.programme).joint);
        if joint {
            // The terms protect both, without a person; a pending incumbent is approved along.
            let pending = self.deals.open.get(&incumbent).map(|deal| deal.stage);
            if pending == Some(Stage::Pending) {
                self.protect(incumbent);
            }
            return self.protect(challenger);
        }
        self.deals.challenge(challenger, incumbent);
        let mut level = 1;
        let mut after = self.days(2, 9);
        while level < 3 && self.dice.chance(250) {
            level += 1;
            self.later(after, Task::Deal(challenger, DealStep::Escalate(level)));
            after += self.days(1, 6);
        }
        match self.dice.below(100) {
            0..80 => self.later(after, Task::Deal(challenger, DealStep::Resolve(level))),
            80..86 => self.later(after, Task::Deal(challenger, DealStep::Withdraw)),
            // It waits until one of the deals ends.
            _ => {}
        }
    }

    /// The conflict's name, as the challenger's registration has told it.
    fn conflict(&self, challenger: u64, deal: &Deal, incumbent: u64) -> Option<String> {
        let other = self.deals.open.get(&incumbent)?;
        let kind = match (deal.partner, other.partner) {
            (Some(_), Some(_)) => ConflictKind::PartnerPartner,
            (None, _) | (_, None) => ConflictKind::DirectPartner,
        };
        let challenger = DealId::new(name(challenger)).ok()?;
        Some(chl_aggregates::conflict_id(kind, &challenger).to_string())
    }

    /// The incumbent, where the conflict still stands.
    fn standing(&self, deal: &Deal) -> Option<u64> {
        let Stage::Contested(incumbent) = deal.stage else { return None };
        let until = self.now + super::agenda::DAY;
        self.deals.guards(incumbent, until).then_some(incumbent)
    }

    pub(super) fn escalate(&mut self, number: u64, deal: &Deal, level: u8) {
        let conflict = self.standing(deal).and_then(|other| self.conflict(number, deal, other));
        let Some(conflict) = conflict else { return };
        let manager = self.manager(level - 1);
        let data = json!({
            "conflict": conflict, "customer": customer(deal.customer), "level": level,
            "note": "both partners insist",
        });
        self.send("EscalateConflict", manager, data);
    }

    pub(super) fn resolve(&mut self, number: u64, deal: &Deal, level: u8) {
        let Some(incumbent) = self.standing(deal) else { return };
        let Some(conflict) = self.conflict(number, deal, incumbent) else { return };
        let Some(other) = self.deals.open.get(&incumbent).cloned() else { return };
        let drawn = self.dice.weighted(&RESOLUTIONS).unwrap_or("joint");
        let partners = other.partner.zip(deal.partner);
        // Only partners share credit.
        let (resolution, shares) = match (drawn, partners) {
            ("split", Some((first, second))) => ("split", self.shares(first, second)),
            ("split", None) => ("joint", json!(null)),
            (drawn, _) => (drawn, json!(null)),
        };
        let data = json!({
            "conflict": conflict, "customer": customer(deal.customer), "resolution": resolution,
            "criterion": self.dice.pick(&CRITERIA), "shares": shares,
            "note": "decided after calls with the customer and both partners",
        });
        let manager = self.manager(level);
        self.send("ResolveConflict", manager, data);
        match resolution {
            "uphold_incumbent" => self.end(number),
            "award_challenger" => {
                self.displace(incumbent);
                self.protect(number);
            }
            "reject_both" => {
                self.end(number);
                match other.stage {
                    Stage::Pending => self.end(incumbent),
                    Stage::Approved | Stage::Contested(_) | Stage::Lapsed | Stage::Unprotected => {
                        self.displace(incumbent)
                    }
                }
            }
            _ => {
                if other.stage == Stage::Pending {
                    self.protect(incumbent);
                }
                self.protect(number);
            }
        }
    }

    /// A deal loses its protection; it may still be won or lost.
    fn displace(&mut self, number: u64) {
        self.lapse(number);
        if let Some(deal) = self.deals.open.get_mut(&number) {
            deal.stage = Stage::Unprotected;
        }
    }

    fn shares(&mut self, first: usize, second: usize) -> serde_json::Value {
        let (one, other) =
            self.dice.pick(&[("60.00", "40.00"), ("50.00", "50.00"), ("33.34", "66.66")]);
        json!([
            { "partner": self.partner_id(first), "percent": one },
            { "partner": self.partner_id(second), "percent": other },
        ])
    }
}
