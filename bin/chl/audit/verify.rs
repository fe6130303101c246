//! `chl audit verify`: whether a history is whole, and the one that was signed.

use super::keys::{Keys, checkpoints, texts};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    ledger::{Reading, unsigned},
    output::{Sheet, Sink},
    talk,
};
use chl_proofs::{PublicKey, PublishedError, TreeHead, verify_log, verify_published};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Verifies the log, or a published one, from its first entry on.
///
/// Without DIR the ledger's own log: every byte, every root, and that it continues the last
/// checkpoint signed of it. With DIR the files of `chl audit export`, for which --key is needed and
/// no ledger. A checkpoint kept elsewhere finds what was cut off, or put back from an older copy.
/// Ends with 6, and names the first position that is wrong.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Verify {
    /// The folder of a published log; without it the ledger's own log.
    #[arg(value_name = "DIR")]
    published: Option<PathBuf>,
    /// A signed checkpoint that the history must continue; may be given several times.
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

/// The same for the ledger's own log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct VerifyLog {
    against: Vec<String>,
    keys: Vec<String>,
}

const COLUMNS: &[&str] = &["verified", "origin", "commits", "root", "entries", "checkpoints"];

impl Verify {
    /// Verifies a published log; nothing where the ledger's own is meant.
    pub(super) fn published(&self, sink: &mut dyn Sink) -> Outcome<Option<Exit>> {
        let Some(dir) = &self.published else { return Ok(None) };
        let keys = self.keys.some()?;
        let against = checkpoints(&texts(&self.against)?, &keys)?;
        let bar = talk::progress("verifying", None);
        let mut reached = |position| bar.set_position(position);
        let found = verify_published(dir, &keys, &against, &mut reached).map_err(|error| {
            let exit = match &error {
                PublishedError::Io { .. } | PublishedError::Nothing { .. } => Exit::Usage,
                PublishedError::Checkpoint(_)
                | PublishedError::Note(_)
                | PublishedError::Flaw { .. } => Exit::Verification,
            };
            Failure::Told { exit, error: error.into() }
        })?;
        bar.finish_and_clear();
        let checkpoint = &found.checkpoint;
        let what = (dir.display().to_string(), checkpoint.origin.as_str());
        show(what, checkpoint.tree, found.entries, against.len() + 1, sink)?;
        Ok(Some(Exit::Success))
    }

    /// What is asked of the ledger.
    pub(super) fn of_log(&self) -> Outcome<VerifyLog> {
        let keys = self.keys.read()?.iter().map(ToString::to_string).collect();
        Ok(VerifyLog { against: texts(&self.against)?, keys })
    }
}

impl VerifyLog {
    /// Verifies the log.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let given = self.keys.iter().map(|key| key.parse().or_exit(Exit::Usage, "--key"));
        let given = given.collect::<Outcome<Vec<PublicKey>>>()?;
        let proofs = &ledger.proofs;
        let mut against = checkpoints(&self.against, &proofs.keys(&given)?)?;
        against.extend(proofs.notary().signed().map_err(unsigned)?);
        let origin = proofs.origin()?;
        let log = ledger.log.as_ref();
        let bar = talk::progress("verifying the log", Some(log.head().next));
        let verified = proofs.with_older(|kept| {
            verify_log(log, (&origin, &against), kept, &mut |position| bar.set_position(position))
        });
        let tree = verified.or_own_exit("the log fails verification")?;
        bar.finish_and_clear();
        show(("log".to_owned(), &origin), tree, true, against.len(), sink)?;
        Ok(Exit::Success)
    }
}

fn show(
    (verified, origin): (String, &str),
    tree: TreeHead,
    entries: bool,
    checkpoints: usize,
    sink: &mut dyn Sink,
) -> Outcome {
    let sheet = Sheet::new("", COLUMNS);
    sink.begin(&sheet)?;
    sink.row(sheet.values(json!({
        "verified": verified, "origin": origin, "commits": tree.size,
        "root": tree.root.to_string(), "entries": entries, "checkpoints": checkpoints,
    })))
}
