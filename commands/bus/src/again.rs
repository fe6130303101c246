//! A recorded command once more, as its sender sent it: to be decided again in a ledger beside.

use crate::{authorise::Sender, catch_up::is_outside, prepare::Prepared, prepare::span};
use chl_commands::{Command, CommandError};
use chl_events::{Commit, FreeText};

/// The command that a commit came from; none for what the ledger did by itself.
///
/// Whoever was let in then is let in now, recorded at the same time. Which version of a stream the
/// sender had seen is not recorded and not asked for.
pub fn again(commit: &Commit) -> Result<Option<Prepared>, CommandError> {
    if !is_outside(commit) {
        return Ok(None);
    }
    let command = Command::decode(&commit.command)?;
    let mut origin = commit.origin.clone();
    let reason = origin.reason.take().map(FreeText::Sealed);
    let span = span(&origin, command.kind().name, None);
    Ok(Some(Prepared {
        sender: Sender { origin, believed_time: commit.believed_time, refused: None },
        reason,
        expected_version: None,
        command,
        recorded_at: Some(commit.recorded_at),
        capped: false,
        trace: None,
        span,
    }))
}
