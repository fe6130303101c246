//! How the embedded log fails.

use chl_events::{BlockError, Hash, LedgerId};
use chl_log::{Discontinuity, Head};
use chl_log_files::{FolderError, LockError, SealedError, WitnessError};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Says why a head could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// A file of the head is not there; sled would make a new one without a word.
    #[error("{}: the head's file is missing", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// There are blobs, which are never synced; this ledger does not write any.
    #[error("{}: the folder of blobs is not empty", path.display())]
    Blobs {
        /// The folder.
        path: PathBuf,
    },
    /// sled reports an error.
    #[error("{}: sled: {source}", path.display())]
    Sled {
        /// The head's folder.
        path: PathBuf,
        /// What it reports.
        source: sled::Error,
    },
    /// sled panicked.
    #[error("{}: sled panicked: {message}", path.display())]
    Panicked {
        /// The head's folder.
        path: PathBuf,
        /// What it said.
        message: String,
    },
    /// What is stored at a position is no whole block.
    #[error("{}: damaged at position {position}: {source}", path.display())]
    Block {
        /// The head's folder.
        path: PathBuf,
        /// The position.
        position: u64,
        /// What is wrong with it.
        source: BlockError,
    },
    /// A block does not continue the history.
    #[error("{}: broken: {source}", path.display())]
    Broken {
        /// The head's folder.
        path: PathBuf,
        /// What does not fit.
        source: Discontinuity,
    },
    /// A block is kept under a key that is not its position.
    #[error("{}: the key of the block at position {position} is another", path.display())]
    Key {
        /// The head's folder.
        path: PathBuf,
        /// The position that was expected.
        position: u64,
    },
}

impl HeadError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Says why a ledger could not be opened. Nothing of it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no ledger in the folder.
    #[error("{}: no ledger here", dir.display())]
    NotFound {
        /// The folder.
        dir: PathBuf,
    },
    /// Another process owns the ledger.
    #[error("{}: owned by {}", dir.display(), owner(*pid))]
    Owned {
        /// The folder.
        dir: PathBuf,
        /// The owner, where its lock says so.
        pid: Option<u32>,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The witness cannot be used.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// A sealed file is damaged.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// A sealed file does not follow the one before it.
    #[error("{}: it does not follow the sealed history, which ends at {expected}", path.display())]
    SealedGap {
        /// The file.
        path: PathBuf,
        /// Where the history before it ends.
        expected: Head,
    },
    /// The head is damaged.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// There is no head, though there is history.
    #[error("{}: the head is missing behind position {position}", dir.display())]
    HeadMissing {
        /// The ledger's folder.
        dir: PathBuf,
        /// Where the sealed history ends.
        position: u64,
    },
    /// The log is shorter than something durable says: its tail is lost.
    #[error("the log ends at position {head}, but {what} has seen position {position}")]
    Below {
        /// Who has seen more.
        what: String,
        /// What it has seen.
        position: u64,
        /// Where the log ends.
        head: u64,
    },
    /// The log holds another history than the witness has seen.
    #[error("at position {position} the root is {found}, but the witness has seen {expected}")]
    Forked {
        /// The position.
        position: u64,
        /// The root the witness has seen.
        expected: Hash,
        /// The root of the log.
        found: Hash,
    },
    /// A part belongs to another ledger.
    #[error("{}: of ledger {found}, not {expected}", path.display())]
    Ledger {
        /// The file.
        path: PathBuf,
        /// The ledger the witness names.
        expected: LedgerId,
        /// The ledger the file names.
        found: LedgerId,
    },
    /// A repair was begun and not finished.
    #[error("{}: a repair was begun and not finished; run it again", dir.display())]
    Repairing {
        /// The ledger's folder.
        dir: PathBuf,
    },
}

fn owner(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl From<LockError> for OpenError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Owned { dir, pid } => Self::Owned { dir, pid },
            LockError::Io { path, source } => Self::Io { path, source },
        }
    }
}

impl From<FolderError> for OpenError {
    fn from(error: FolderError) -> Self {
        match error {
            FolderError::Io { path, source } => Self::Io { path, source },
            FolderError::Sealed(error) => Self::Sealed(error),
            FolderError::Ledger { path, expected, found } => Self::Ledger { path, expected, found },
            FolderError::Gap { path, expected } => Self::SealedGap { path, expected },
        }
    }
}

impl OpenError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Whether the ledger is damaged, so that only a repair or a backup helps; otherwise it is
    /// absent, owned by another process, or out of reach.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::NotFound { .. } | Self::Owned { .. } | Self::Io { .. } => false,
            Self::Witness(error) => !matches!(error, WitnessError::Io { .. }),
            Self::Sealed(error) => !matches!(error, SealedError::Io { .. }),
            Self::Head(error) => !matches!(error, HeadError::Io { .. }),
            Self::SealedGap { .. }
            | Self::HeadMissing { .. }
            | Self::Below { .. }
            | Self::Forked { .. }
            | Self::Ledger { .. }
            | Self::Repairing { .. } => true,
        }
    }
}
