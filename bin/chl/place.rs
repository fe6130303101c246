//! Where a ledger lives on disk.
//!
//! ```text
//! DIR/LEDGER/log/           the event log: head, sealed files, witness, lock
//! DIR/LEDGER/keys/          which command was accepted where, built from the log
//! DIR/LEDGER/states.sqlite  states of aggregates, a cache over the log
//! DIR/LEDGER/vault.sqlite   the keys of personal data; the one thing besides the log to keep safe
//! DIR/LEDGER/views.sqlite   the read models, a cache over the log
//! DIR/LEDGER/journal/       refused commands, bounded
//! DIR/LEDGER/socket         the owner's local socket, while there is one
//! ```
//!
//! The log and the vault are the ledger; everything else is built anew from them.

use crate::failure::{Failure, Outcome};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The folder of one ledger.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    dir: PathBuf,
    ledger: String,
    seal_bytes: Option<u64>,
}

impl Place {
    /// The folder of a ledger under a data folder.
    pub(crate) fn new(data: &Path, ledger: &str) -> Outcome<Self> {
        // The same rule as for every identifier; it also keeps the name one path segment.
        chl_events::Code::new(ledger)
            .map_err(|error| Failure::usage(format_args!("--ledger {ledger:?}: {error}")))?;
        Ok(Self { dir: data.join(ledger), ledger: ledger.into(), seal_bytes: None })
    }

    /// The same place, with a head of another size than usual.
    pub(crate) fn sealing_at(self, seal_bytes: Option<u64>) -> Self {
        Self { seal_bytes, ..self }
    }

    /// How large a head of the log may become, where it is not the usual size.
    pub(crate) fn seal_bytes(&self) -> Option<u64> {
        self.seal_bytes
    }

    /// The ledger's name.
    pub(crate) fn ledger(&self) -> &str {
        &self.ledger
    }

    /// The folder itself.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The event log's folder.
    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// The key files' folder.
    pub(crate) fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// The states' file.
    pub(crate) fn states(&self) -> PathBuf {
        self.dir.join("states.sqlite")
    }

    /// The vault's file.
    pub(crate) fn vault(&self) -> PathBuf {
        self.dir.join("vault.sqlite")
    }

    /// The read models' file.
    pub(crate) fn views(&self) -> PathBuf {
        self.dir.join("views.sqlite")
    }

    /// The decision journal's folder.
    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// The owner's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    /// The process id of the owner, as its lock tells it.
    pub(crate) fn owner(&self) -> Option<u32> {
        fs::read_to_string(self.log().join("lock")).ok()?.trim().parse().ok()
    }

    /// Whether a ledger was ever opened here.
    pub(crate) fn exists(&self) -> bool {
        self.log().is_dir()
    }

    /// What is there that only an opened ledger leaves behind, besides its log. The vault is none
    /// of it: an import or a restore puts it in place before the log.
    pub(crate) fn built(&self) -> Vec<&'static str> {
        let built =
            [("the keys", self.keys()), ("the states", self.states()), ("the views", self.views())];
        built.into_iter().filter(|(_, path)| path.exists()).map(|(name, _)| name).collect()
    }
}
