//! Facts of MDF: allocations and requests of one partner in one programme.

use crate::{
    BudgetId, Code, Date, Instant, Money, PartnerId, ProgrammeId, RequestId, Sealed, event::area,
};

area! {
    /// Facts of MDF allocations and requests.
    MdfEvent {
        /// The fund was credited with an allocation (the budget's event posts it).
        90, 1 => MdfAllocationCredited {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The budget.
            budget: BudgetId,
            /// How much.
            amount: Money,
        }
        /// Part of an allocation was given back; a policy tells the budget.
        91, 1 => MdfAllocationReduced {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The budget.
            budget: BudgetId,
            /// How much.
            amount: Money,
        }
        /// Funds were asked for, before the activity.
        92, 1 => MdfRequested {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// What is to be done.
            activity: Code,
            /// First day of the activity.
            start: Date,
            /// Last day of the activity.
            end: Date,
            /// What it should cost.
            estimated_cost: Money,
            /// How many leads it should bring.
            expected_leads: Option<u32>,
            /// How much revenue it should bring.
            expected_revenue: Option<Money>,
        }
        /// A request was approved and its amount reserved.
        93, 1 => MdfRequestApproved {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The version of the terms that decided; its claims follow it.
            programme_version: u32,
            /// What is reserved.
            amount: Money,
            /// The last day a claim may be sent in.
            claims_until: Date,
            /// When what is still reserved then lapses.
            lapses_at: Instant,
            /// Until when money clawed back from its claims returns to the partner.
            tail_until: Instant,
        }
        /// A request was rejected.
        94, 1 => MdfRequestRejected {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A request was cancelled; what was reserved is free again.
        95, 1 => MdfRequestCancelled {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// What was still reserved; none before approval.
            released: Option<Money>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A request lapsed unclaimed; what was reserved is free again.
        96, 1 => MdfRequestLapsed {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// What was still reserved.
            released: Money,
        }
    }
}
