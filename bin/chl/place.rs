//! Where a ledger lives on disk.
//!
//! ```text
//! DIR/LEDGER/log/           the event log: head, sealed files, witness, lock
//! DIR/LEDGER/keys/          which command was accepted where and which rows there are, from the log
//! DIR/LEDGER/states.sqlite  states of aggregates, a cache over the log
//! DIR/LEDGER/vault.sqlite   the keys of personal data; the one thing besides the log to keep safe
//! DIR/LEDGER/views.sqlite   the read models, a cache over the log
//! DIR/LEDGER/past/          rows of the read models at positions of the past, bounded
//! DIR/LEDGER/journal/       refused commands, bounded
//! DIR/LEDGER/hashes/        the hashes of the log's tree, a cache over the log
//! DIR/LEDGER/audit/         the keys that sign checkpoints, and what they signed last
//! DIR/LEDGER/socket         the owner's local socket, while there is one
//! DIR/LEDGER/reading        the same of a node that follows, for those who only read beside it
//! DIR/LEDGER@nats/          the same of a node, whose ledger lives on servers; log/ is its own copy
//! ```
//!
//! The log and the vault are the ledger; everything else is built anew from them.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    servers::Servers,
};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A path that every process understands alike, wherever it runs.
pub(crate) fn absolute(path: &Path) -> Outcome<PathBuf> {
    std::path::absolute(path).or_exit(Exit::Usage, format_args!("{}", path.display()))
}

/// A path that a folder is made at, in the same form; a file there is refused.
pub(crate) fn absolute_folder(path: &Path) -> Outcome<PathBuf> {
    if path.is_file() {
        return Err(Failure::usage(format_args!("{} is a file, not a folder", path.display())));
    }
    absolute(path)
}

/// The folder of one ledger.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    dir: PathBuf,
    ledger: String,
    seal_bytes: Option<u64>,
    servers: Option<Arc<Servers>>,
}

impl Place {
    /// The folder of a ledger under a data folder.
    pub(crate) fn new(data: &Path, ledger: &str) -> Outcome<Self> {
        // The same rule as for every identifier; it also keeps the name one path segment.
        chl_events::Code::new(ledger)
            .map_err(|error| Failure::usage(format_args!("--ledger {ledger:?}: {error}")))?;
        Ok(Self { dir: data.join(ledger), ledger: ledger.into(), seal_bytes: None, servers: None })
    }

    /// The same place, with a head of another size than usual.
    pub(crate) fn sealing_at(self, seal_bytes: Option<u64>) -> Self {
        Self { seal_bytes, ..self }
    }

    /// The place of a node, where the ledger lives on servers: what it keeps for itself lies beside
    /// the embedded ledgers, under a name none of them can have.
    pub(crate) fn on(self, servers: &Servers) -> Self {
        if servers.nats.is_none() {
            return self;
        }
        let dir = self.dir.with_file_name(format!("{}@nats", self.ledger));
        Self { dir, servers: Some(Arc::new(servers.clone())), ..self }
    }

    /// The servers the ledger lives on; none for an embedded one.
    pub(crate) fn servers(&self) -> Option<&Servers> {
        self.servers.as_deref()
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

    /// The folder of the read models' snapshots.
    pub(crate) fn past(&self) -> PathBuf {
        self.dir.join("past")
    }

    /// The decision journal's folder.
    pub(crate) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// The folder of the tree's hashes.
    pub(crate) fn hashes(&self) -> PathBuf {
        self.dir.join("hashes")
    }

    /// The folder of the keys that sign checkpoints, and of what they signed.
    pub(crate) fn audit(&self) -> PathBuf {
        self.dir.join("audit")
    }

    /// The owner's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    /// The local socket of a node that follows.
    pub(crate) fn reading_socket(&self) -> PathBuf {
        self.dir.join("reading")
    }

    /// The process id of the owner, as its lock tells it.
    pub(crate) fn owner(&self) -> Option<u32> {
        fs::read_to_string(self.log().join("lock")).ok()?.trim().parse().ok()
    }

    /// Whether a ledger was ever opened here. Of one on servers only they know.
    pub(crate) fn exists(&self) -> bool {
        self.servers.is_some() || self.log().is_dir()
    }

    /// The embedded ledgers beside this one.
    pub(crate) fn beside(&self) -> Vec<String> {
        let folders = self.dir.parent().and_then(|data| fs::read_dir(data).ok());
        let named =
            folders.into_iter().flatten().flatten().filter(|one| one.path().join("log").is_dir());
        let mut names: Vec<String> =
            named.filter_map(|one| one.file_name().into_string().ok()).collect();
        names.sort_unstable();
        names
    }

    /// Refuses an embedded ledger that is there already, where an empty one is needed.
    pub(crate) fn require_none(&self, what: &str) -> Outcome {
        if self.servers.is_some() || !self.exists() {
            return Ok(());
        }
        Err(self.is_there(what))
    }

    /// Refuses what is done to the folder of an embedded ledger, where the ledger lives on servers.
    pub(crate) fn require_embedded(&self, what: &str) -> Outcome {
        if self.servers.is_none() {
            return Ok(());
        }
        Err(Failure::usage(format_args!(
            "{what} is of an embedded ledger; of one on servers, `chl log export` takes the history \
             and --vault the keys, and the servers keep its copies"
        )))
    }

    /// Why `what` cannot go into this ledger: it holds something already.
    pub(crate) fn is_there(&self, what: &str) -> Failure {
        Failure::usage(format_args!(
            "ledger {:?} is there already; {what} makes a new one, so choose another --ledger or \
             --data",
            self.ledger
        ))
    }

    /// What is there that only an opened ledger leaves behind, besides its log. The vault is none
    /// of it: an import or a restore puts it in place before the log.
    pub(crate) fn built(&self) -> Vec<&'static str> {
        let built =
            [("the keys", self.keys()), ("the states", self.states()), ("the views", self.views())];
        built.into_iter().filter(|(_, path)| path.exists()).map(|(name, _)| name).collect()
    }
}
