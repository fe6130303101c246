//! Commands on a partner's MDF: allocations and requests.

use crate::catalog::area;
use chl_events::{
    BudgetId, Code, Date, FreeText, Money, PartnerId, ProgrammeId, RequestId, Stream,
};

area! {
    /// Commands on a partner's MDF.
    Mdf = "mdf" {
        /// Credits a partner's fund with an allocation; sent by a policy.
        90, 1 => CreditMdfAllocation by [Policy]
            on |c| Some(Stream::Mdf(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The budget.
            budget: BudgetId,
            /// How much.
            amount: Money,
        }
        /// Gives part of a partner's allocation back to its budget.
        ///
        /// The fund is the partner's in the budget's programme, so only the ledger knows its stream.
        91, 1 => ReturnMdfAllocation by [Finance, ChannelManager]
            on |c| None; of |c| None; seals [] {
            /// The budget.
            budget: BudgetId,
            /// The partner.
            partner: PartnerId,
            /// How much.
            amount: Money,
        }
        /// Asks for funds before an activity.
        92, 1 => RequestMdf by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Mdf(c.programme.clone(), c.partner.clone()));
            of |c| Some(&c.partner); seals [] {
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
            #[serde(default)]
            expected_leads: Option<u32>,
            /// How much revenue it should bring.
            #[serde(default)]
            expected_revenue: Option<Money>,
        }
        /// Approves a request and reserves its amount.
        93, 1 => ApproveMdfRequest by [ChannelManager]
            on |c| Some(Stream::Mdf(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// What to reserve; absent: the vendor's share of the estimate.
            #[serde(default)]
            amount: Option<Money>,
        }
        /// Rejects a request.
        94, 1 => RejectMdfRequest by [ChannelManager]
            on |c| Some(Stream::Mdf(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [note] {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Cancels a request that has no open claim.
        95, 1 => CancelMdfRequest by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Mdf(c.programme.clone(), c.partner.clone()));
            of |c| Some(&c.partner); seals [note] {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Records that an approved request's claim window is over; also sent by the clock.
        96, 1 => LapseMdfRequest by [Service, Clock]
            on |c| Some(Stream::Mdf(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
        }
    }
}
