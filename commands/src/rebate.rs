//! Commands on rebates.

use crate::catalog::area;
use chl_events::{LotId, Money, PartnerId, ProgrammeId, Stream};

area! {
    /// Commands on rebates.
    Rebate = "rebate" {
        /// Credits the rebate fund with what a co-op lot became; sent by a policy.
        130, 1 => CreditRebate by [Policy]
            on |c| Some(Stream::Rebate(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
            /// How much.
            amount: Money,
        }
    }
}
