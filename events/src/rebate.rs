//! Facts of rebates: what co-op became.

use crate::{LotId, Money, PartnerId, ProgrammeId, event::area};

area! {
    /// Facts of rebates.
    RebateEvent {
        /// The rebate fund was credited with what a co-op lot became (the lot's event posts it).
        130, 1 => RebateCredited {
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
