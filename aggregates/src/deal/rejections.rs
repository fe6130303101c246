//! Rejections of deals.

use crate::rejection::rejections;
use chl_events::{Code, ConflictId, CustomerId, Date, DealId, Instant, Money, ProgrammeId};

rejections! {
    /// Rejections of deals, in order of precedence.
    DealRejection {
        /// Only the vendor's own people register direct deals.
        DirectNotPermitted
            = "deal.direct_not_permitted", NotPermitted,
            "only the vendor registers deals that it sells itself";
        /// No such deal is registered on the customer, or it is another partner's.
        Unknown { deal: DealId }
            = "deal.unknown", Unknown, "no deal {deal} is known on this customer";
        /// The deal id is taken. Ids are the sender's and unique in the ledger.
        IdTaken { deal: DealId }
            = "deal.id_taken", AlreadyDone, "deal {deal} is registered already";
        /// The deal was decided or closed in this way already.
        AlreadySo { deal: DealId, state: &'static str }
            = "deal.already_so", AlreadyDone, "deal {deal} is {state} already";
        /// A conflict stands. Resolve it; its resolution approves or rejects the deal.
        Contested { deal: DealId, conflict: ConflictId }
            = "deal.contested", WrongState, "conflict {conflict} about deal {deal} is open";
        /// The deal's state does not allow this.
        WrongState { deal: DealId, state: &'static str }
            = "deal.wrong_state", WrongState, "deal {deal} is {state}";
        /// Another's deal guards the slot now. Wait until its guard ends.
        SlotGuarded { deal: DealId, guarded_by: DealId }
            = "deal.slot_guarded", WrongState, "the slot of {deal} is guarded by {guarded_by}";
        /// The programme's terms have no deal registration.
        NotOffered { programme: ProgrammeId }
            = "deal.not_offered", Terms, "{programme} has no deal registration";
        /// The programme's terms do not name this product line.
        ProductLineExcluded { product_line: Code }
            = "deal.product_line_excluded", Terms,
            "deals of product line {product_line} cannot be registered";
        /// The vendor sells to this customer itself.
        ReservedAccount { customer: CustomerId }
            = "deal.reserved_account", Terms, "{customer} is reserved to the vendor";
        /// The partner does not sell in this territory.
        OutsideTerritory { territory: Code }
            = "deal.outside_territory", Terms,
            "{territory} is none of the partner's territories";
        /// The terms hold the annual value against a minimum, and only a contract tells it.
        ContractMissing
            = "deal.contract_missing", Terms, "the terms ask for the contract's annual value";
        /// The value that counts is below the minimum of the terms.
        BelowMinimum { minimum: Money, value: Money }
            = "deal.below_minimum", Terms, "{value} is below the minimum of {minimum}";
        /// The terms count days to the expected closing, and the deal names none.
        ExpectedCloseMissing
            = "deal.expected_close_missing", Terms, "the terms ask for the expected closing";
        /// The deal is expected to close too soon after its registration.
        TooLateBeforeClose { register_by: Date, on: Date }
            = "deal.too_late_before_close", Terms,
            "registered on {on}; the last day was {register_by}";
        /// The contract was signed too long before the registration.
        TooLateAfterSignature { register_by: Date, on: Date }
            = "deal.too_late_after_signature", Terms,
            "registered on {on}; the last day was {register_by}";
        /// The terms allow a partner one deal per slot, and it has one.
        OwnSlotTaken { deal: DealId }
            = "deal.own_slot_taken", Terms, "the partner guards this slot with {deal}";
        /// The deal was extended as often as the terms allow.
        ExtensionsUsed { max_extensions: u32 }
            = "deal.extensions_used", Terms, "the terms allow {max_extensions} extensions";
        /// The deal is still protected.
        NotDue { protected_until: Instant }
            = "deal.not_due", Terms, "the deal is protected until {protected_until}";
    }
}
