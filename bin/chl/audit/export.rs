//! `chl audit export`: the log as static files that other tools read.

use crate::{
    exit::Exit,
    failure::Outcome,
    ledger::{Reading, unpublished},
    output::{Sheet, Sink},
    talk,
};
use chl_proofs::export;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Publishes the log in a folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ExportLog {
    /// The folder, by a path that every process understands alike.
    pub(super) folder: PathBuf,
    /// Publishes the entries, too.
    pub(super) entries: bool,
}

impl ExportLog {
    /// Publishes it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let (note, checkpoint) = ledger.proofs.sign()?;
        let tree = checkpoint.tree;
        let bar = talk::progress("publishing the log", Some(tree.size));
        let done = ledger.proofs.with(|hashes| {
            let from = (ledger.log.as_ref(), hashes);
            let mut reached = |position| bar.set_position(position);
            export(&self.folder, from, &note, self.entries, &mut reached).map_err(unpublished)
        })?;
        bar.finish_and_clear();
        let sheet = Sheet::new("", &["commits", "root", "folder", "files_written", "files_kept"]);
        sink.begin(&sheet)?;
        sink.row(sheet.values(json!({
            "commits": tree.size, "root": tree.root.to_string(),
            "folder": self.folder.display().to_string(),
            "files_written": done.written, "files_kept": done.kept,
        })))?;
        Ok(Exit::Success)
    }
}
