//! Facts of the ledger itself.

use crate::{Account, Book, Date, KeyId, LedgerId, Money, Sealed, Side, Stream, event::area};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an account of a book holds in a currency when a period has closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosingBalance {
    /// The book.
    pub book: Book,
    /// The account, over all funds, partners and lots.
    pub account: Account,
    /// The side that is larger.
    pub side: Side,
    /// By how much; positive.
    pub amount: Money,
}

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
        /// The books were closed up to a day: nothing is posted on it or before any more.
        4, 1 => PeriodClosed {
            /// The last day that is closed.
            through: Date,
        }
        /// What the books hold at the end of a closed period was stated.
        5, 1 => ClosingBalancesRecorded {
            /// The last day of the period.
            through: Date,
            /// The accounts that hold something.
            balances: Vec<ClosingBalance>,
        }
        /// Closed books were opened again.
        6, 1 => PeriodReopened {
            /// The first day that is open again.
            from: Date,
            /// The day they were closed through.
            closed_through: Date,
            /// Why, in the sender's words.
            reason: Sealed,
        }
        /// A person was forgotten: these keys are destroyed, and nothing sealed under them can be
        /// read again.
        7, 1 => PersonForgotten {
            /// The names of the keys.
            keys: Vec<KeyId>,
            /// Why, in the sender's words.
            note: Option<Sealed>,
        }
    }
}
