//! Decisions: what a command does, given the states it meets.
//!
//! Floor 2 of the house, and pure: no clock, no randomness, no I/O. [`decide`] takes a command and
//! the facts around it and gives the events of its commit, or the [`Rejection`] that names the
//! obstacle; [`evolve`] takes a commit into the states; [`react`] says what a commit makes the
//! ledger's own policies do; [`due()`] says what the clock owes first. An area is a folder: its
//! states, its rejections, and a file for each command's decision.

mod calendar;
mod capped;
mod context;
mod money;
mod posting;
mod refusal;
mod rejection;
mod row_key;
mod rows;
#[cfg(test)]
mod story;

#[cfg(test)]
mod books;
mod budget;
mod claim;
mod conflict;
mod coop;
mod customer;
mod deal;
mod due;
#[cfg(test)]
mod fund_story;
#[cfg(test)]
mod given;
mod ledger;
mod mdf;
mod partner;
mod policies;
mod programme;
mod rebate;
mod stream;

pub use capped::capped;
pub use conflict::{conflict_id, duplicate_id};
pub use context::{Context, Due, Fact};
pub use due::due;
pub use ledger::{books_open_from, forgotten_keys};
pub use policies::{Reaction, react, react_to_refusal};
pub use refusal::{Refusal, Rejection};
pub use rejection::{AnyRejection, Class, CodeDoc};
pub use row_key::RowKey;
pub use rows::{Facts, Row, Rows, RowsMut, STATES_VERSION, StreamVersion, Unavailable};
pub use stream::stream_of;

use chl_commands::Command;
use chl_events::{Commit, Event, RecordedEvent};

/// Decides a command: the facts it makes, or why not.
///
/// The checks run in the order of [`Class`]; within one, in the order of the area's rejections.
pub fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::Ledger(command) => ledger::decide(command, facts, context),
        Command::Partner(command) => partner::decide(command, facts, context),
        Command::Programme(command) => programme::decide(command, facts, context),
        Command::Customer(command) => customer::decide(command, facts, context),
        Command::Deal(command) => deal::decide(command, facts, context),
        Command::Conflict(command) => conflict::decide(command, facts, context),
        Command::Coop(command) => coop::decide(command, facts, context),
        Command::Budget(command) => budget::decide(command, facts, context),
        Command::Mdf(command) => mdf::decide(command, facts, context),
        Command::Claim(command) => claim::decide(command, facts, context),
        Command::Rebate(command) => rebate::decide(command, facts, context),
    }
}

/// Takes a commit into the states it changes, and counts it on its stream.
pub fn evolve(commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    rows::put(rows, &commit.stream, StreamVersion { version: commit.version });
    for event in &commit.events {
        evolve_event(commit, event, rows)?;
    }
    Ok(())
}

/// Takes one event of a commit into the states it changes: for who looks at each of them.
pub fn evolve_event(
    commit: &Commit,
    recorded: &RecordedEvent,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    match &recorded.event {
        Event::Ledger(event) => ledger::evolve(event, commit, rows),
        Event::Partner(event) => partner::evolve(event, commit, rows),
        Event::Programme(event) => programme::evolve(event, rows),
        Event::Customer(event) => customer::evolve(event, commit, rows),
        Event::Deal(event) => deal::evolve(event, commit, rows),
        Event::Conflict(event) => conflict::evolve(event, commit, rows),
        Event::Coop(event) => coop::evolve(event, rows),
        Event::Budget(event) => budget::evolve(event, rows),
        Event::Mdf(event) => mdf::evolve(event, commit, rows),
        Event::Claim(event) => claim::evolve(event, commit, rows),
        Event::Rebate(event) => rebate::evolve(event, rows),
    }
}
