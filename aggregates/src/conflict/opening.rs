//! The opening of a conflict between two deals, whatever brought them together.
//!
//! The incumbent's terms name the rule and the levels that decide.

use super::kind_of;
use super::state::levels;
use crate::Fact;
use crate::deal::{Deal, Guard};
use crate::programme::Version;
use chl_events::conflict::{
    ConflictOpened, ConflictResolved, Criterion, Evidence, Resolution, SlotMatch,
};
use chl_events::terms::ConflictRule;
use chl_events::{ConflictId, CustomerId, Date, DealId, Instant};

/// Two deals that meet at a slot.
pub(crate) struct Opening<'a> {
    pub(crate) conflict: ConflictId,
    pub(crate) customer: &'a CustomerId,
    /// The first holder.
    pub(crate) guard: &'a Guard,
    /// The terms it stands under.
    pub(crate) version: &'a Version,
    /// Who came second.
    pub(crate) challenger: (&'a DealId, &'a Deal),
    /// What of the two slots is equal.
    pub(crate) matched: SlotMatch,
}

/// The rule by which a version's terms treat who comes second.
pub(crate) fn rule_of(version: &Version) -> ConflictRule {
    let terms = version.terms.deal_registration.as_ref();
    terms.map_or(ConflictRule::FirstRegistered, |terms| terms.conflict_rule)
}

impl Opening<'_> {
    /// The rule of the incumbent's terms.
    pub(crate) fn rule(&self) -> ConflictRule {
        rule_of(self.version)
    }

    /// The business date of what is decided now.
    pub(crate) fn day(&self, time: Instant) -> Date {
        self.version.zone().day(time)
    }

    fn level(&self) -> u8 {
        levels(self.version).first().map_or(1, |level| level.level)
    }

    /// The conflict is open, with the evidence.
    pub(crate) fn opened(&self, time: Instant) -> Fact {
        let (deal, challenger) = self.challenger;
        let first = levels(self.version).first();
        let event = ConflictOpened {
            conflict: self.conflict.clone(),
            customer: self.customer.clone(),
            kind: kind_of(self.guard.partner.as_ref(), challenger.partner.as_ref()),
            product_line: challenger.product_line.clone(),
            territory: challenger.territory.clone(),
            incumbent: self.guard.deal.clone(),
            incumbent_partner: self.guard.partner.clone(),
            challenger: deal.clone(),
            challenger_partner: challenger.partner.clone(),
            rule: self.rule(),
            evidence: Evidence {
                guarded_since: self.guard.since,
                guarded_until: self.guard.until,
                challenged_at: challenger.registered_at,
                matched: self.matched,
                programme_version: self.version.version,
            },
            level: self.level(),
            due: first.map(|level| self.version.zone().plus_days(time, level.days)),
        };
        Fact::new(self.day(time), event)
    }

    /// The terms decide it at once, and without a person: both are protected.
    pub(crate) fn joint(&self, time: Instant) -> Fact {
        let event = ConflictResolved {
            conflict: self.conflict.clone(),
            customer: self.customer.clone(),
            resolution: Resolution::Joint,
            criterion: Criterion::Terms,
            level: self.level(),
            shares: Vec::new(),
            note: None,
        };
        Fact::new(self.day(time), event)
    }
}
