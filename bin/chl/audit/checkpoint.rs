//! `chl audit checkpoint`: the ledger as it stands, signed.

use crate::{exit::Exit, failure::Outcome, ledger::Reading, output::Sink};
use serde::{Deserialize, Serialize};

/// Signs the ledger as it stands, and writes the signed checkpoint.
///
/// The form is C2SP tlog-checkpoint: name, number of commits, root, and a line for each signature.
/// Keep it where the ledger's operators cannot reach it: `chl audit verify --against FILE` then
/// finds whatever was changed or cut off below it. Two histories are never signed: a ledger that is
/// shorter than, or another than, its last checkpoint is refused.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct SignCheckpoint {}

impl SignCheckpoint {
    /// Signs it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let (note, _) = ledger.proofs.sign()?;
        note.to_string().lines().try_for_each(|line| sink.line(line))?;
        Ok(Exit::Success)
    }
}
