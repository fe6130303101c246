//! What can be said when a ledger on JetStream is opened.

use chl_events::LedgerId;
use std::{path::PathBuf, time::Duration};

/// A stretch of the node's own copy is sealed when its blocks have this many bytes.
const SEAL_BYTES: u64 = 16 * 1024 * 1024;

/// How a ledger on JetStream is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The stream's name.
    pub stream: String,
    /// The subject the stream keeps, all of it and nothing else.
    pub subject: String,
    /// How many servers keep the stream; a stream with another number is refused.
    pub replicas: usize,
    /// The id of the ledger to make when there is no stream; without it, a missing one is an error.
    pub create: Option<LedgerId>,
    /// Where the servers show how they are (`http://HOST:PORT`): their versions and whether they
    /// sync every message are read there.
    pub monitors: Vec<String>,
    /// Takes servers that may acknowledge what is not on disk yet.
    pub accept_unsynced: bool,
    /// The folder of this node's own copy and its witness; without one, nothing but the stream
    /// itself says what the stream has held.
    pub copy: Option<PathBuf>,
    /// A stretch of the copy is sealed when its blocks have this many bytes.
    pub seal_bytes: u64,
    /// How long a server may take for an answer before it is asked what became of a request.
    pub answer_timeout: Duration,
    /// How long an append, a read or the opening waits for servers that do not answer: an
    /// election takes seconds.
    pub patience: Duration,
}

impl Options {
    /// Opens the stream of a ledger that `replicas` servers keep.
    pub fn new(ledger: &str, replicas: usize) -> Self {
        Self {
            stream: format!("chl-{ledger}-log"),
            subject: format!("chl.{ledger}.log"),
            replicas,
            create: None,
            monitors: Vec::new(),
            accept_unsynced: false,
            copy: None,
            seal_bytes: SEAL_BYTES,
            answer_timeout: Duration::from_secs(2),
            patience: Duration::from_secs(30),
        }
    }
}
