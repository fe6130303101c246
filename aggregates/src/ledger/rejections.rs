//! Rejections of the ledger itself.

use crate::rejection::rejections;

rejections! {
    /// Rejections of the ledger itself, in order of precedence.
    LedgerRejection {
        /// Whoever closed the books does not open them again.
        OwnClosing { through: chl_events::Date }
            = "ledger.own_closing", NotPermitted,
            "the books were closed through {through} by the same person";
        /// The ledger has no commit at the position.
        UnknownEntry { position: u64 }
            = "ledger.entry_unknown", Unknown, "there is no commit at position {position}";
        /// Nothing is sealed under a key of that person: there never was one, or the person was
        /// forgotten already and has not acted since.
        UnknownPerson
            = "ledger.person_unknown", Unknown, "there is no key of that person to destroy";
        /// The entry was reversed already; it is never reversed twice.
        EntryReversed { position: u64, by: u64 }
            = "ledger.entry_reversed", AlreadyDone,
            "the entry at {position} was reversed already, at {by}";
        /// The books are closed through that day, or a later one, already.
        AlreadyClosed { through: chl_events::Date, closed: chl_events::Date }
            = "ledger.already_closed", AlreadyDone,
            "the books are not open on {through}: they are closed through {closed}";
        /// The balances of the period are stated already. Open it again to state others.
        BalancesRecorded { through: chl_events::Date }
            = "ledger.balances_recorded", AlreadyDone,
            "the closing balances of {through} are recorded already";
        /// The books are open on that day; for closing balances, it is not the last day of the
        /// period that was closed last.
        NotClosed { day: chl_events::Date }
            = "ledger.not_closed", WrongState, "the books are not closed through {day}";
        /// The commit moved no money, so there is nothing to mirror.
        NoMoney { position: u64 }
            = "ledger.no_money", WrongState, "the commit at {position} moved no money";
        /// What follows from the entry could not stand without it. The details name what undoes it.
        NotReversible { position: u64, event: &'static str, instead: &'static str }
            = "ledger.not_reversible", WrongState,
            "{event} at {position} cannot be mirrored; {instead}";
    }
}
