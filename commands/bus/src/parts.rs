//! What a ledger is made of, how it is run, and how opening it can fail.

use crate::{
    catch_up::CatchUpError,
    clock::Clock,
    committer::{LogError, OpenLog},
    journal::Journal,
    keys::KeyStore,
    opening::{Opening, OpeningError},
    states::{StatesError, StatesFile},
    vault::Vault,
};
use std::{sync::Arc, time::Duration};

/// What a ledger is made of, as the door has found it.
pub struct Parts {
    /// Opens the log, and opens it again after it was poisoned.
    pub log: OpenLog,
    /// The keys of its commands.
    pub keys: Arc<dyn KeyStore>,
    /// The file of states; without one they are built from the log and stay in memory.
    pub states: Option<StatesFile>,
    /// The keys of persons.
    pub vault: Arc<Vault>,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// Where refusals are noted.
    pub journal: Option<Arc<Journal>>,
}

/// What is dirty of it fills a quarter: the rows of some 60,000 sales.
const STATE_BYTES: usize = 96 << 20;

/// How a ledger is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What an empty log begins with.
    pub opening: Opening,
    /// The most commands made durable together.
    pub group_commands: usize,
    /// How many bytes of memory rows may take.
    pub state_bytes: usize,
    /// After how many bytes of commits states and keys are written down at the latest.
    pub flush_bytes: u64,
    /// How far the clock may be off before nothing is written any more.
    pub clock_tolerance: Duration,
}

impl Options {
    /// The usual bounds.
    pub fn new(opening: Opening) -> Self {
        Self {
            opening,
            group_commands: 1024,
            state_bytes: STATE_BYTES,
            flush_bytes: 16 << 20,
            clock_tolerance: Duration::from_secs(300),
        }
    }
}

/// Says why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log could not be opened.
    #[error("{0}")]
    Log(#[source] LogError),
    /// The first commit could not be written.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// States could not be brought up to the log.
    #[error(transparent)]
    CatchUp(#[from] CatchUpError),
    /// The file of states failed.
    #[error(transparent)]
    States(#[from] StatesError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}
