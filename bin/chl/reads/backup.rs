//! `chl backup`: a copy of the ledger as it stands, made while it is used.

use super::export::copy_vault;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::Reading,
    output::{Sheet, Sink},
    place::absolute_folder,
};
use chl_log_files::rename_durably;
use chl_log_sled::{BackupError, backup};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fs, path::PathBuf};

/// The log's folder in a backup.
pub(crate) const LOG: &str = "log";
/// The vault's file in a backup.
pub(crate) const VAULT: &str = "vault.sqlite";

/// Copies a ledger into a folder: its log, checked block by block, and its vault.
///
/// The ledger may be in use meanwhile. A folder that holds an earlier backup of the same ledger is
/// brought up to date. `chl restore` makes the ledger again; read models and states are built from
/// the log. The copy holds the keys of personal data: keep it as safe as the ledger.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Backup {
    /// The folder.
    #[arg(value_name = "FOLDER")]
    to: PathBuf,
}

impl Backup {
    /// The same, with a folder that every process understands alike.
    pub(crate) fn absolute(self) -> Outcome<Self> {
        Ok(Self { to: absolute_folder(&self.to)? })
    }

    /// Copies it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let failed = format!("no backup in {}", self.to.display());
        let head = backup(ledger.log.as_ref(), &self.to.join(LOG)).map_err(|error| {
            let exit = match &error {
                BackupError::Read(_)
                | BackupError::Sealed(_)
                | BackupError::Copy(_)
                | BackupError::Diverged { .. } => Exit::Verification,
                BackupError::Occupied { .. } => Exit::Usage,
                BackupError::Witness(_)
                | BackupError::Head(_)
                | BackupError::Unfinished { .. }
                | BackupError::Io { .. } => Exit::Internal,
            };
            Failure::Told { exit, error: anyhow::Error::new(error).context(failed.clone()) }
        })?;
        // The vault comes last: a key is durable before the block that holds what it sealed.
        let (draft, vault) = (self.to.join(format!("{VAULT}.new")), self.to.join(VAULT));
        if draft.exists() {
            fs::remove_file(&draft).or_exit(Exit::Internal, &failed)?;
        }
        copy_vault(ledger, &draft)?;
        if draft.exists() {
            rename_durably(&draft, &vault).or_exit(Exit::Internal, &failed)?;
        }
        let sheet = Sheet::new("", &["ledger", "commits", "root", "folder"]);
        sink.begin(&sheet)?;
        sink.row(sheet.values(json!({
            "ledger": head.ledger.to_string(), "commits": head.next,
            "root": head.root.to_string(), "folder": self.to.display().to_string(),
        })))?;
        Ok(Exit::Success)
    }
}
