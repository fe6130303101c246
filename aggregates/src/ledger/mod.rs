//! The ledger itself: errors are reversed by their exact mirror, never edited; books are closed
//! by periods, which refuses no fact; persons are forgotten by their keys.

mod forget_person;
mod periods;
mod rejections;
mod reverse_entry;

pub use forget_person::forgotten_keys;
pub(crate) use forget_person::{Forgetting, Forgettings};
pub(crate) use periods::ClosedBooks;
pub use periods::books_open_from;

pub(crate) use rejections::LedgerRejection;

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable};
use chl_commands::ledger::Ledger as Command;
use chl_events::ledger::LedgerEvent;
use chl_events::{Commit, Stream};
use serde::{Deserialize, Serialize};

/// A reversed entry, by the position it reverses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reversal {
    /// The position of the reversing commit.
    pub by: u64,
}

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::ReverseEntry(command) => reverse_entry::decide(command, facts, context),
        Command::ClosePeriod(command) => periods::close(command, facts, context),
        Command::RecordClosingBalances(command) => periods::state(command, facts, context),
        Command::ReopenPeriod(command) => periods::reopen(command, facts, context),
        Command::ForgetPerson(command) => forget_person::decide(command, context),
    }
}

pub(crate) fn evolve(
    event: &LedgerEvent,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    match event {
        LedgerEvent::EntryReversed(event) => reverse_entry::evolve(event, commit, rows),
        LedgerEvent::PeriodClosed(event) => {
            periods::closed(event, commit, rows);
            Ok(())
        }
        LedgerEvent::ClosingBalancesRecorded(_) => periods::stated(rows),
        LedgerEvent::PeriodReopened(event) => periods::reopened(event, rows),
        LedgerEvent::PersonForgotten(event) => forget_person::evolve(event, rows),
        LedgerEvent::LedgerOpened(_) | LedgerEvent::LogRepaired(_) => Ok(()),
    }
}

/// The stream of a command that only the log can tell: that of the entry it reverses.
pub(crate) fn stream_of(command: &Command, facts: Facts<'_>) -> Result<Stream, Refusal> {
    match command {
        Command::ReverseEntry(command) => {
            Ok(reverse_entry::entry(facts, command.position)?.stream.clone())
        }
        Command::ClosePeriod(_)
        | Command::RecordClosingBalances(_)
        | Command::ReopenPeriod(_)
        | Command::ForgetPerson(_) => Ok(Stream::Ledger),
    }
}
