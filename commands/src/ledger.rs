//! Commands on the ledger itself.

use crate::catalog::area;
use chl_events::{Date, FreeText, Stream, Whom, ledger::ClosingBalance};

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
        /// Closes the books up to a day. What comes late is posted on the first day that is open,
        /// as an item of a prior period; no fact is refused for it.
        4, 1 => ClosePeriod by [Finance] on |c| Some(Stream::Ledger); of |c| None; seals [] {
            /// The last day of the period; not in the future, in UTC.
            through: Date,
        }
        /// States what the books hold at the end of the period that was closed last, for every
        /// account that holds something; `chl check` compares it with the postings.
        5, 1 => RecordClosingBalances by [Finance] on |c| Some(Stream::Ledger); of |c| None; seals [] {
            /// The last day of the period.
            through: Date,
            /// The balances; debits and credits of a book and currency are equal.
            balances: Vec<ClosingBalance>,
        }
        /// Opens closed books again from a day on; whoever closed them does not.
        6, 1 => ReopenPeriod by [Finance] on |c| Some(Stream::Ledger); of |c| None; seals [reason] {
            /// The first day that is open again.
            from: Date,
            /// Why.
            reason: FreeText,
        }
        /// Forgets a person: destroys the key that the person's texts or name were sealed under, so
        /// that nobody can read them again. Amounts and pseudonyms stay. Who acts again gets a new
        /// key. The commit names the key, not the person.
        7, 1 => ForgetPerson by [Operator] on |c| Some(Stream::Ledger); of |c| None; seals [note] {
            /// The person, by pseudonym: actor/ID for who writes, partner/ID for a partner that is
            /// a natural person.
            person: Whom,
            /// Why; not who.
            note: Option<FreeText>,
        }
    }
}
