//! Policies: what a commit makes the ledger do on other streams, by commands of its own.

use crate::{Facts, Rejection, Unavailable};
use chl_commands::Command;
use chl_events::Commit;

/// A policy's command.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// The policy's name; its source is `/policy/NAME`.
    pub policy: &'static str,
    /// What it asks for.
    pub command: Command,
}

/// What a commit makes the policies do, in policy order.
pub fn react(commit: &Commit, facts: Facts<'_>) -> Result<Vec<Reaction>, Unavailable> {
    let _ = (commit, facts);
    Ok(Vec::new())
}

/// What follows on the cause's stream when a policy's command is refused.
pub fn react_to_refusal(command: &Command, rejection: &Rejection) -> Option<Reaction> {
    let _ = (command, rejection);
    None
}
