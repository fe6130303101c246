//! Which stream a command changes, where its data alone does not say.

use crate::{Facts, Refusal, ledger, mdf};
use chl_commands::Command;
use chl_events::Stream;

/// The one stream a command changes.
pub fn stream_of(command: &Command, facts: Facts<'_>) -> Result<Stream, Refusal> {
    match (command.stream(), command) {
        (Some(stream), _) => Ok(stream),
        (None, Command::Ledger(command)) => ledger::stream_of(command, facts),
        (None, Command::Mdf(command)) => mdf::stream_of(command, facts),
        (None, _) => Ok(Stream::Ledger),
    }
}
