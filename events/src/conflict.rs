//! Facts of conflicts: two routes to market at one slot.

use crate::{
    Code, ConflictId, CustomerId, DealId, Instant, PartnerId, Sealed, deal::Share, event::area,
    posting::vocabulary, terms::ConflictRule,
};
use serde::{Deserialize, Serialize};

vocabulary! {
    /// Who meets whom.
    ConflictKind {
        /// Two partners at one slot.
        PartnerPartner = 1 => "partner_partner",
        /// The vendor's direct sales and a partner at one slot.
        DirectPartner = 2 => "direct_partner",
        /// Two customers that look like one company.
        PossibleDuplicate = 3 => "possible_duplicate",
    }
}

vocabulary! {
    /// How a conflict was decided.
    Resolution {
        /// The incumbent keeps the slot; the challenger is rejected.
        UpholdIncumbent = 1 => "uphold_incumbent",
        /// The challenger gets a full window; the incumbent is displaced.
        AwardChallenger = 2 => "award_challenger",
        /// Both are protected, each with its own end.
        Joint = 3 => "joint",
        /// Both are protected, and the credit is shared out.
        Split = 4 => "split",
        /// Both lose.
        RejectBoth = 5 => "reject_both",
    }
}

vocabulary! {
    /// On what ground a conflict was decided.
    Criterion {
        /// The customer prefers one.
        CustomerPreference = 1 => "customer_preference",
        /// One has worked on the opportunity longer.
        OpportunityHistory = 2 => "opportunity_history",
        /// One is more capable.
        Capability = 3 => "capability",
        /// One adds more value.
        ValueAdded = 4 => "value_added",
        /// The programme's terms decide it without a person.
        Terms = 5 => "terms",
    }
}

vocabulary! {
    /// Why a conflict ended undecided.
    LapseCause {
        /// The incumbent's guard of the slot ended.
        IncumbentEnded = 1 => "incumbent_ended",
        /// The challenger's deal ended.
        ChallengerEnded = 2 => "challenger_ended",
        /// One of two possible duplicates was merged into a third customer.
        CustomerMerged = 3 => "customer_merged",
    }
}

vocabulary! {
    /// What of the two slots was equal.
    SlotMatch {
        /// Customer and product line; territory does not count, or one names none.
        ProductLine = 1 => "product_line",
        /// Customer, product line and territory.
        Territory = 2 => "territory",
    }
}

/// What stood on the slot when the challenger came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Evidence {
    /// Since when the incumbent guards the slot.
    pub guarded_since: Instant,
    /// Until when it is protected; none while its registration is pending.
    pub guarded_until: Option<Instant>,
    /// When the challenger was registered.
    pub challenged_at: Instant,
    /// What was equal.
    pub matched: SlotMatch,
    /// The version of the terms that named the rule.
    pub programme_version: u32,
}

area! {
    /// Facts of conflicts.
    ConflictEvent {
        /// A conflict was opened.
        70, 1 => ConflictOpened {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// Who meets whom.
            kind: ConflictKind,
            /// The product line of the slot.
            product_line: Code,
            /// The territory the challenger named.
            territory: Option<Code>,
            /// The deal that guards the slot.
            incumbent: DealId,
            /// Its partner; none for direct sales.
            incumbent_partner: Option<PartnerId>,
            /// The deal that came second.
            challenger: DealId,
            /// Its partner; none for direct sales.
            challenger_partner: Option<PartnerId>,
            /// The rule of the incumbent's terms.
            rule: ConflictRule,
            /// What stood on the slot.
            evidence: Evidence,
            /// The level that is to decide.
            level: u8,
            /// Until when that level should decide.
            due: Option<Instant>,
        }
        /// A conflict was taken to a higher level.
        71, 1 => ConflictEscalated {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// The level that is to decide.
            level: u8,
            /// Until when that level should decide.
            due: Option<Instant>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A conflict was decided; what it does to the deals stands beside it in the commit.
        72, 1 => ConflictResolved {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// How.
            resolution: Resolution,
            /// On what ground.
            criterion: Criterion,
            /// The level that decided.
            level: u8,
            /// The shares, for a split.
            shares: Vec<Share>,
            /// In the decider's words.
            note: Option<Sealed>,
        }
        /// A conflict ended because its challenger ended.
        ///
        /// One whose incumbent ended lapses by that deal's `ProtectionEnded`.
        73, 1 => ConflictLapsed {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// Why.
            cause: LapseCause,
        }
    }
}
