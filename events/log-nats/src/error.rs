//! How the log on JetStream fails.

use crate::{ConnectError, Mismatch, MonitorError};
use async_nats::jetstream::ErrorCode;
use chl_events::LedgerId;
use chl_log::ReadError;
use chl_log_files::{FolderError, LockError, SealedError, WitnessError};
use std::{
    error::Error,
    io,
    path::{Path, PathBuf},
};

/// What became of one request to the servers.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No answer came in time: what was asked may have been done, or may still be.
    #[error("the servers did not answer in time")]
    NoAnswer,
    /// Nobody is there to ask: the stream has no leader now, or no server knows it.
    #[error("no server answers for the stream: it has no leader now, or does not exist")]
    NoLeader,
    /// This client may not ask that.
    #[error("the servers do not permit it: {0}")]
    Forbidden(String),
    /// The stream does not end where the message expects it to.
    #[error("the stream does not end where the block expects it to: {0}")]
    Fenced(#[source] async_nats::jetstream::Error),
    /// The servers refuse.
    #[error("the servers refuse: {0}")]
    Refused(#[source] async_nats::jetstream::Error),
    /// An answer came that is none to this question.
    #[error("an answer that says something else: {0}")]
    Answer(String),
    /// A consumer was made and gave nothing, though messages wait.
    #[error("reading the stream makes no progress")]
    Stalled,
    /// The client failed.
    #[error("the client failed: {0}")]
    Client(#[source] Box<dyn Error + Send + Sync>),
    /// There is no connection.
    #[error(transparent)]
    Connection(#[from] ConnectError),
}

impl Fault {
    /// Whether the request may have been carried out all the same.
    pub(crate) fn is_doubtful(&self) -> bool {
        match self {
            Self::NoAnswer | Self::Answer(_) | Self::Client(_) | Self::Refused(_) => true,
            Self::NoLeader
            | Self::Forbidden(_)
            | Self::Fenced(_)
            | Self::Stalled
            | Self::Connection(_) => false,
        }
    }

    /// What an error of JetStream's own means.
    pub(crate) fn of_jetstream(error: async_nats::jetstream::Error) -> Self {
        match error.error_code() {
            ErrorCode::STREAM_WRONG_LAST_SEQUENCE
            | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT => Self::Fenced(error),
            _ => Self::Refused(error),
        }
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Fenced(error) | Self::Refused(error) => Some(error.error_code()),
            Self::NoAnswer
            | Self::NoLeader
            | Self::Forbidden(_)
            | Self::Answer(_)
            | Self::Stalled
            | Self::Client(_)
            | Self::Connection(_) => None,
        }
    }
}

/// Says why a group of blocks did not get its place in the stream.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// Nothing of it is stored: the servers could not be reached, or took nothing.
    #[error("nothing was stored: {0}")]
    Nothing(#[source] Fault),
    /// It was sent, and no leader said in time what became of it.
    #[error("what became of the blocks could not be learnt: {0}")]
    Unsettled(#[source] Fault),
    /// The first blocks are stored, and then a message that is none of them.
    #[error("the first {stored} blocks are stored, but message {sequence} is not ours")]
    Overtaken {
        /// How many are stored.
        stored: usize,
        /// The message that is not ours.
        sequence: u64,
    },
    /// The stream ends before what it had acknowledged.
    #[error(
        "the stream ends at message {found}, though it had acknowledged message {acknowledged}"
    )]
    Lost {
        /// The last message it had acknowledged.
        acknowledged: u64,
        /// Where it ends.
        found: u64,
    },
}

/// Says why a ledger on JetStream could not be opened. Nothing of it was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The server is too old, or the connection is closed.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// There is no stream of this name.
    #[error("there is no stream {stream}")]
    NotFound {
        /// The stream.
        stream: String,
    },
    /// The servers did not answer, or refused.
    #[error("stream {stream} cannot be reached: {source}")]
    Unreachable {
        /// The stream.
        stream: String,
        /// What became of the request.
        source: Fault,
    },
    /// The stream is not as it must be.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// What the servers acknowledge may not be on disk yet.
    #[error(
        "stream {stream} is not durable: {why}. Let the servers sync every message \
         (`sync_interval: always`), or accept it by name"
    )]
    NotDurable {
        /// The stream.
        stream: String,
        /// What was seen, or was not.
        why: String,
    },
    /// A server's monitoring page cannot be used.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The stream cannot be read, or is no history of this ledger.
    #[error("stream {stream}: {source}")]
    Read {
        /// The stream.
        stream: String,
        /// What is wrong.
        source: ReadError,
    },
    /// The stream belongs to another ledger.
    #[error("stream {stream} is of ledger {found}, not {expected} as {who} says")]
    Ledger {
        /// The stream.
        stream: String,
        /// Who says otherwise.
        who: &'static str,
        /// The ledger it says.
        expected: LedgerId,
        /// The ledger found.
        found: LedgerId,
    },
    /// The stream is shorter than this node has seen it: its tail is lost.
    #[error("stream {stream} ends at position {found}, but {who} has seen position {seen}")]
    Below {
        /// The stream.
        stream: String,
        /// Who has seen more.
        who: &'static str,
        /// The position it has seen.
        seen: u64,
        /// Where the stream ends.
        found: u64,
    },
    /// The stream holds another history than this node has seen.
    #[error("stream {stream} holds another history than {who} has seen: they part at {position}")]
    Forked {
        /// The stream.
        stream: String,
        /// Who has seen otherwise.
        who: &'static str,
        /// A position at or before which they differ.
        position: u64,
    },
    /// This node's witness cannot be used.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// This node's copy is damaged.
    #[error(transparent)]
    Copy(#[from] FolderError),
    /// A file of the copy cannot be read.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// Another process keeps this node's copy.
    #[error(transparent)]
    Owned(#[from] LockError),
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// Whether the stream or this node's copy is damaged or they disagree, so that a person must
    /// look; otherwise the ledger is absent, out of reach, or not set up.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Below { .. } | Self::Forked { .. } | Self::Ledger { .. } => true,
            Self::Copy(error) => match error {
                FolderError::Io { .. } | FolderError::Sealed(SealedError::Io { .. }) => false,
                FolderError::Sealed(_) | FolderError::Ledger { .. } | FolderError::Gap { .. } => {
                    true
                }
            },
            Self::Read { source, .. } => match source {
                ReadError::Gap { .. } | ReadError::Broken(_) | ReadError::Damaged { .. } => true,
                ReadError::Beyond { .. } | ReadError::Storage { .. } | ReadError::Closed => false,
            },
            Self::Witness(error) => !matches!(error, WitnessError::Io { .. }),
            Self::Sealed(error) => !matches!(error, SealedError::Io { .. }),
            Self::Connect(_)
            | Self::NotFound { .. }
            | Self::Unreachable { .. }
            | Self::Mismatch(_)
            | Self::NotDurable { .. }
            | Self::Monitor(_)
            | Self::Owned(_)
            | Self::Io { .. } => false,
        }
    }
}
