//! Facts of the ledger itself.

use crate::{LedgerId, Sealed, Stream, event::area};

area! {
    /// The ledger itself.
    LedgerEvent {
        /// The ledger was opened for the first time; always position 0.
        1, 1 => LedgerOpened {
            /// The ledger's name.
            name: String,
            /// The name its checkpoints are signed under.
            origin: String,
            /// Drawn at random, once.
            ledger: LedgerId,
            /// The layout of the log.
            format: u16,
        }
        /// What a damaged log lost was accepted by a person.
        2, 1 => LogRepaired {
            /// The last position kept.
            kept_through: u64,
            /// The position a witness had seen, where one was readable.
            witnessed: Option<u64>,
            /// Why, in the operator's words.
            reason: Sealed,
        }
        /// An error was reversed by its exact mirror.
        3, 1 => EntryReversed {
            /// The commit whose postings are mirrored.
            position: u64,
            /// The stream both are on.
            stream: Stream,
            /// Why, in the sender's words.
            reason: Sealed,
        }
    }
}
