//! Facts of deals: registration, protection, closing, attribution.

use crate::{
    Code, ConflictId, CustomerId, Date, DealId, Instant, Money, PartnerId, ProgrammeId, Rate,
    Sealed, event::area, posting::vocabulary,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// Why a deal's guard of its slot ended.
    GuardEnd {
        /// The window ran out.
        Expired = 1 => "expired",
        /// Won.
        Won = 2 => "won",
        /// Lost.
        Lost = 3 => "lost",
        /// Withdrawn by its partner.
        Withdrawn = 4 => "withdrawn",
        /// Rejected by the vendor.
        Rejected = 5 => "rejected",
        /// Displaced by a challenger.
        Displaced = 6 => "displaced",
        /// Contested: its customer was merged into one whose slot another guarded first.
        Contested = 7 => "contested",
    }
}

vocabulary! {
    /// The route to market of a deal.
    Route {
        /// The vendor sells itself.
        Direct = 1 => "direct",
        /// A partner sells.
        Partner = 2 => "partner",
    }
}

/// A contract's total value and length, from which the annual value follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Total contract value.
    pub tcv: Money,
    /// Length in months; absent for a perpetual contract.
    #[serde(default)]
    pub months: Option<u32>,
    /// Whether it has no end.
    #[serde(default)]
    pub perpetual: bool,
    /// When it was signed.
    #[serde(default)]
    pub signed_on: Option<Date>,
}

/// A partner's share of a deal's credit, in percent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The partner.
    pub partner: PartnerId,
    /// Percent; the shares of a deal sum to exactly 100.00.
    pub percent: Rate,
}

area! {
    /// Facts of deals.
    DealEvent {
        /// A deal was registered on a customer.
        50, 1 => DealRegistered {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The partner; none when the vendor sells directly.
            partner: Option<PartnerId>,
            /// The programme.
            programme: ProgrammeId,
            /// The version of its terms that decided.
            programme_version: u32,
            /// The product line.
            product_line: Code,
            /// The territory.
            territory: Option<Code>,
            /// The deal's value.
            value: Money,
            /// Annual contract value, where a contract was given.
            acv: Option<Money>,
            /// When it is expected to close.
            expected_close: Option<Date>,
            /// The contract, where one was given.
            contract: Option<Contract>,
            /// The version of the partner's stream that was read.
            partner_version: u64,
            /// The conflict it enters, when another's guard stood on its slot.
            contested: Option<ConflictId>,
            /// Until when the vendor should decide, where the terms say so.
            decision_due: Option<Instant>,
        }
        /// A deal was approved: its slot is protected from now to the end of the window.
        51, 1 => DealApproved {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The version of the terms that decided.
            programme_version: u32,
            /// The start of protection.
            protected_from: Instant,
            /// The end of protection; at this instant it protects no more.
            protected_until: Instant,
            /// Whether the terms approved it, and no person.
            automatic: bool,
            /// The conflict whose resolution approved it.
            conflict: Option<ConflictId>,
        }
        /// A registration was rejected.
        52, 1 => DealRejected {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The conflict whose resolution rejected it.
            conflict: Option<ConflictId>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A deal's figures changed; absent: as before.
        53, 1 => DealAmended {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The new value.
            value: Option<Money>,
            /// The new annual contract value.
            acv: Option<Money>,
            /// The new expected closing.
            expected_close: Option<Date>,
            /// The new contract.
            contract: Option<Contract>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A deal was withdrawn by its partner.
        54, 1 => DealWithdrawn {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// Protection was extended.
        55, 1 => DealExtended {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The new end of protection.
            protected_until: Instant,
            /// How often it has been extended now.
            extensions: u32,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// Protection ran out.
        56, 1 => DealExpired {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The end of protection.
            at: Instant,
        }
        /// A deal was won.
        57, 1 => DealWon {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// When it closed.
            closed_on: Date,
            /// What it was won for.
            value: Money,
        }
        /// A deal was lost.
        58, 1 => DealLost {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// When it closed.
            closed_on: Date,
            /// Why, as a code.
            loss_reason: Option<Code>,
        }
        /// A deal lost its protection to the challenger of a conflict.
        59, 1 => DealDisplaced {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The conflict.
            conflict: ConflictId,
        }
        /// A deal guards its slot no more; every open conflict with it as the incumbent lapses.
        60, 1 => ProtectionEnded {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// Since when the slot is free of it.
            at: Instant,
            /// Why.
            cause: GuardEnd,
        }
        /// The credit for a deal was shared out.
        61, 1 => AttributionSet {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The conflict whose resolution shared it.
            conflict: ConflictId,
            /// The shares, summing to exactly 100.00 percent.
            shares: Vec<Share>,
        }
        /// A deal that guarded its slot came second there when its customer was merged with
        /// another: it is contested and guards nothing.
        62, 1 => DealContested {
            /// The deal.
            deal: DealId,
            /// The customer it is registered on from now on.
            customer: CustomerId,
            /// The conflict with the first holder, which stands beside it in the commit.
            conflict: ConflictId,
        }
    }
}
