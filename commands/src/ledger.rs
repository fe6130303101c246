//! Commands on the ledger itself.

use crate::catalog::area;
use chl_events::FreeText;

area! {
    /// Commands on the ledger itself.
    Ledger = "ledger" {
        /// Reverses the money of an earlier commit by its exact mirror.
        3, 1 => ReverseEntry by [Finance] on |c| None; of |c| None; seals [reason] {
            /// The commit to reverse.
            position: u64,
            /// Why.
            reason: FreeText,
        }
    }
}
