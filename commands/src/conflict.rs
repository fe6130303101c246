//! Commands on conflicts.

use crate::catalog::area;
use chl_events::{
    ConflictId, CustomerId, DealId, FreeText, Stream,
    conflict::{Criterion, Resolution},
    deal::Share,
};

area! {
    /// Commands on conflicts.
    Conflict = "conflict" {
        /// Opens the conflict that a contested registration named; sent by a policy.
        70, 1 => OpenConflict by [Policy]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [] {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// The contested deal.
            challenger: DealId,
        }
        /// Takes an open conflict to a higher level of authority.
        71, 1 => EscalateConflict by [ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// The level: above the present one, and named in the terms.
            level: u8,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Decides an open conflict, with a criterion and a note.
        72, 1 => ResolveConflict by [ChannelManager]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// How.
            resolution: Resolution,
            /// On what ground.
            criterion: Criterion,
            /// For a split: the shares, in percent, summing to exactly 100.00.
            #[serde(default)]
            #[schemars(length(max = 16))]
            shares: Vec<Share>,
            /// Why.
            note: FreeText,
        }
    }
}
