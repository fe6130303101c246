//! What is due: the clock's commands that come before a command that touches what they end.

use crate::{Facts, Unavailable};
use chl_commands::Command;
use chl_events::Instant;

/// A command of the clock and the instant it is due at.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// The instant; it becomes the command's time.
    pub at: Instant,
    /// What is due.
    pub command: Command,
}

/// What is due by `time` on the slot, lot or request a command touches, in order of instant, kind
/// and id.
pub fn due(
    command: &Command,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Due>, Unavailable> {
    let _ = (command, facts, time);
    Ok(Vec::new())
}
