//! `chl audit export`: the log as static files that other tools read.

use crate::{
    exit::Exit,
    failure::Outcome,
    ledger::{Reading, unpublished},
    output::{Sheet, Sink},
    place::absolute,
    talk,
};
use chl_proofs::export;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Publishes the log in a folder as static files, under a checkpoint signed now.
///
/// The form is C2SP tlog-tiles: `checkpoint`, `tile/…`, and with --entries `tile/entries/…`. Hashes
/// alone show nothing of what the ledger holds, and prove to partners that receipts and checkpoints
/// are of one history; the entries are for auditors. An earlier export is gone on with.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct ExportLog {
    /// The folder.
    #[arg(value_name = "DIR")]
    to: PathBuf,
    /// Publishes the entries, too.
    #[arg(long)]
    entries: bool,
}

impl ExportLog {
    /// The same, with a folder that every process understands alike.
    pub(super) fn absolute(self) -> Outcome<Self> {
        Ok(Self { to: absolute(&self.to)?, ..self })
    }

    /// Publishes it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let (note, checkpoint) = ledger.proofs.sign()?;
        let tree = checkpoint.tree;
        let bar = talk::progress("publishing the log", Some(tree.size));
        let done = ledger.proofs.with(|hashes| {
            let from = (ledger.log.as_ref(), hashes);
            let mut reached = |position| bar.set_position(position);
            export(&self.to, from, &note, self.entries, &mut reached).map_err(unpublished)
        })?;
        bar.finish_and_clear();
        let sheet = Sheet::new("", &["commits", "root", "folder", "files_written", "files_kept"]);
        sink.begin(&sheet)?;
        sink.row(sheet.values(json!({
            "commits": tree.size, "root": tree.root.to_string(),
            "folder": self.to.display().to_string(),
            "files_written": done.written, "files_kept": done.kept,
        })))?;
        Ok(Exit::Success)
    }
}
