//! `chl restore`: a backup becomes a ledger.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{forget_again, open_log, open_vault, require_log},
    output::{Output, Sheet, Sink},
    place::Place,
    reads, talk,
};
use chl_log::EventLog;
use chl_log_sled::{BackupError, Options, restore};
use serde_json::json;
use std::{
    fs::{self, File},
    path::PathBuf,
};

/// Makes a ledger from a backup, after checking every block and root of it.
///
/// The ledger must not be there yet. It appears whole or not at all; read models are built from
/// it by the first question.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// The folder of the backup.
    #[arg(value_name = "FOLDER")]
    from: PathBuf,
}

impl Restore {
    /// Restores.
    pub(crate) fn run(&self, place: &Place, mut output: Output) -> Outcome<Exit> {
        place.require_embedded("a restore")?;
        let from = self.from.display();
        if place.exists() {
            return Err(Failure::usage(format_args!(
                "ledger {:?} is there already; choose another --ledger or --data, or move it away",
                place.ledger()
            )));
        }
        require_log(place)?;
        let log = self.from.join(reads::BACKUP_LOG);
        if !log.is_dir() {
            return Err(Failure::usage(format_args!("{from} is no backup: it has no folder log")));
        }
        fs::create_dir_all(place.dir()).or_exit(Exit::Unavailable, place.dir().display())?;
        // The vault first: the ledger is there as soon as its log is.
        let vault = self.from.join(reads::BACKUP_VAULT);
        if vault.exists() {
            let copied = fs::copy(&vault, place.vault())
                .and_then(|_| File::open(place.vault()).and_then(|file| file.sync_all()));
            copied.or_exit(Exit::Unavailable, "the vault cannot be restored")?;
        } else {
            talk::say(&format!("{from} has no vault: texts that were sealed stay closed"));
            open_vault(place)?;
        }
        let head = restore(&log, &place.log()).map_err(|error| {
            let exit = match &error {
                BackupError::Io { .. } | BackupError::Occupied { .. } | BackupError::Head(_) => {
                    Exit::Unavailable
                }
                BackupError::Read(_)
                | BackupError::Sealed(_)
                | BackupError::Copy(_)
                | BackupError::Witness(_)
                | BackupError::Diverged { .. }
                | BackupError::Unfinished { .. } => Exit::Verification,
            };
            let what = format!("the backup in {from} cannot be restored");
            Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
        })?;
        let unread = "the restored ledger cannot be opened";
        let log = open_log(place, Options::default()).or_exit(Exit::Unavailable, unread)?;
        forget_again(log.reader().as_ref(), || open_vault(place))?;
        let sheet = Sheet::new("", &["ledger", "commits", "root"]);
        output.begin(&sheet)?;
        output.row(sheet.values(json!({
            "ledger": head.ledger.to_string(), "commits": head.next, "root": head.root.to_string(),
        })))?;
        output.end()?;
        Ok(Exit::Success)
    }
}
