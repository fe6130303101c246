//! Rejections of the ledger itself.

use crate::rejection::rejections;

rejections! {
    /// Rejections of the ledger itself, in order of precedence.
    LedgerRejection {
        /// The ledger has no commit at the position.
        UnknownEntry { position: u64 }
            = "ledger.entry_unknown", Unknown, "there is no commit at position {position}";
        /// The entry was reversed already; it is never reversed twice.
        EntryReversed { position: u64, by: u64 }
            = "ledger.entry_reversed", AlreadyDone,
            "the entry at {position} was reversed already, at {by}";
        /// The commit moved no money, so there is nothing to mirror.
        NoMoney { position: u64 }
            = "ledger.no_money", WrongState, "the commit at {position} moved no money";
        /// What follows from the entry could not stand without it. The details name what undoes it.
        NotReversible { position: u64, event: &'static str, instead: &'static str }
            = "ledger.not_reversible", WrongState,
            "{event} at {position} cannot be mirrored; {instead}";
    }
}
