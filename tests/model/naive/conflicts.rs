//! The model of conflicts.

use super::{Check, DealState, Model, PartnerState, Verdict};
use crate::model::sent::Sent;
use chl_commands::conflict::{Conflict as Asked, ResolveConflict};
use chl_events::{
    ConflictId, CustomerId, DealId, Rate, Role,
    conflict::{Criterion, Resolution},
    terms::ConflictLevel,
};

/// A conflict: open, resolved or lapsed.
#[derive(Debug, Clone)]
pub(crate) struct Conflict {
    pub(crate) customer: CustomerId,
    pub(crate) incumbent: DealId,
    pub(crate) challenger: DealId,
    pub(crate) level: u8,
    pub(crate) state: &'static str,
}

impl Conflict {
    /// Whether somebody still has to decide it.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, "open" | "escalated")
    }
}

impl Model {
    /// The name only has to be unique here; the ledger's own is learnt from its answers.
    pub(super) fn open_conflict(
        &mut self,
        id: &ConflictId,
        challenger: &DealId,
        incumbent: &DealId,
    ) {
        let first = self.conflict_levels(incumbent).first().map_or(1, |level| level.level);
        let conflict = Conflict {
            customer: self.deals.get(challenger).unwrap().customer.clone(),
            incumbent: incumbent.clone(),
            challenger: challenger.clone(),
            level: first,
            state: "open",
        };
        self.conflicts.insert(id.clone(), conflict);
    }

    pub(crate) fn conflict_levels(&self, incumbent: &DealId) -> Vec<ConflictLevel> {
        self.deals
            .get(incumbent)
            .map(|deal| deal.terms().conflict_levels.clone())
            .unwrap_or_default()
    }

    pub(super) fn resolved(&mut self, id: &ConflictId) {
        if let Some(conflict) = self.conflicts.get_mut(id) {
            conflict.state = "resolved";
        }
    }

    /// The end of a deal ends what it stood in: as an incumbent its guard is gone, as a challenger
    /// the challenge is.
    pub(super) fn lapse_conflicts(&mut self, ended: &DealId) {
        let open = self.conflicts.values_mut().filter(|conflict| conflict.is_open());
        for conflict in open.filter(|conflict| &conflict.challenger == ended) {
            conflict.state = "lapsed";
        }
        self.lapse_challenges(ended);
    }

    /// Who challenged a deal that guards no more is free.
    pub(super) fn lapse_challenges(&mut self, incumbent: &DealId) {
        let open = self.conflicts.values_mut().filter(|conflict| conflict.is_open());
        for conflict in open.filter(|conflict| &conflict.incumbent == incumbent) {
            conflict.state = "lapsed";
            if let Some(deal) = self.deals.get_mut(&conflict.challenger)
                && deal.state == DealState::Contested
            {
                deal.state = DealState::Submitted;
            }
        }
    }

    pub(super) fn conflict_command(&mut self, asked: &Asked, sent: &Sent) -> Check {
        match asked {
            Asked::OpenConflict(_) => self.deny(true, &[2]),
            Asked::EscalateConflict(c) => {
                let conflict = self.conflict(&c.conflict, &c.customer)?;
                self.deny(!conflict.is_open(), &[4, 5])?;
                let levels = self.conflict_levels(&conflict.incumbent);
                let named = levels.iter().any(|level| level.level == c.level);
                self.deny(!named || c.level <= conflict.level, &[4, 5, 6])?;
                if let Some(conflict) = self.conflicts.get_mut(&c.conflict) {
                    conflict.level = c.level;
                    conflict.state = "escalated";
                }
                Ok(())
            }
            Asked::ResolveConflict(c) => self.resolve(c, sent),
        }
    }

    fn conflict(&self, id: &ConflictId, customer: &CustomerId) -> Check<Conflict> {
        let found = self.conflicts.get(id).filter(|one| &one.customer == customer);
        found.cloned().ok_or(Verdict::Refused(vec![3]))
    }

    fn resolve(&mut self, c: &ResolveConflict, sent: &Sent) -> Check {
        let split = c.resolution == Resolution::Split;
        let sum = c.shares.iter().fold(Rate::ZERO.get(), |sum, share| sum + share.percent.get());
        self.unsure(split && (c.shares.len() != 2 || c.criterion == Criterion::Terms))?;
        self.deny(split && sum != Rate::new(100.into()).unwrap().get(), &[1, 6])?;
        self.deny(!split && !c.shares.is_empty(), &[1, 6])?;
        self.unsure(c.criterion == Criterion::Terms)?;
        let conflict = self.conflict(&c.conflict, &c.customer)?;
        let levels = self.conflict_levels(&conflict.incumbent);
        let needed = levels.iter().find(|level| level.level == conflict.level);
        let has = sent.sender.role == Role::Operator
            || needed.is_some_and(|needed| {
                needed.role == sent.sender.role && sent.sender.level >= Some(conflict.level)
            });
        // Of a conflict that is over nobody can say what authority it takes.
        self.unsure(!has && !conflict.is_open())?;
        self.deny(!has, &[2])?;
        self.deny(!conflict.is_open(), &[4, 5])?;
        let pending = self.deals.get(&conflict.incumbent).map(|deal| deal.state)
            == Some(DealState::Submitted);
        self.unsure(split || (pending && c.resolution == Resolution::Joint))?;
        let partner = self.deals.get(&conflict.challenger).and_then(|deal| deal.partner.clone());
        let state = partner.and_then(|id| self.partners.get(&id)).map(|one| one.state);
        self.unsure(state.is_some_and(|state| state != PartnerState::Active))?;
        self.resolved(&c.conflict);
        let (incumbent, challenger) = (&conflict.incumbent, &conflict.challenger);
        match c.resolution {
            Resolution::UpholdIncumbent => self.end_deal(challenger, DealState::Rejected),
            Resolution::AwardChallenger => {
                self.end_deal(incumbent, DealState::Displaced);
                self.approve_deal(challenger, sent.time());
            }
            Resolution::Joint | Resolution::Split => {
                self.approve_deal(challenger, sent.time());
            }
            Resolution::RejectBoth => {
                self.end_deal(challenger, DealState::Rejected);
                // Only a submitted deal can be rejected: an approved one is displaced.
                let to = if pending { DealState::Rejected } else { DealState::Displaced };
                self.end_deal(incumbent, to);
            }
        }
        Ok(())
    }
}
