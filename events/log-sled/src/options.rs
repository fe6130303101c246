//! What can be said when a ledger is opened.

use chl_events::{Hash, LedgerId};
use std::{fmt, sync::Arc};

/// The head is sealed when its blocks have this many bytes.
const SEAL_BYTES: u64 = 16 * 1024 * 1024;

/// Writes the key file up to a position and returns its digest, for the sealed file's footer.
///
/// It is called beside the writer, before the sealed file appears.
pub type DigestOfKeys = Arc<dyn Fn(u64) -> Option<Hash> + Send + Sync>;

/// Is told of each step of the log's upkeep right after it is done.
pub type Observer = Arc<dyn Fn(Step) + Send + Sync>;

/// A step of the log's upkeep. A crash behind any of them leaves a ledger that opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The next head is made, but has not its name yet.
    HeadMade,
    /// The next head is there and empty.
    HeadReady,
    /// The writer goes on in the next head.
    Rolled,
    /// The sealed file holds every block, but has not appeared yet.
    SealWritten,
    /// The sealed file has appeared, durably.
    SealPublished,
    /// The witness says, durably, at least where the sealed file ends.
    WitnessAdvanced,
    /// The sealed head has been given up, durably.
    HeadGone,
    /// The sealed head's folder has been removed.
    HeadRemoved,
}

/// Something durable outside the log that has seen a position: a view, a checkpoint, the states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What has seen it.
    pub what: String,
    /// The position it stands at: the log must end there or behind.
    pub position: u64,
}

/// How a ledger is opened.
#[derive(Clone)]
pub struct Options {
    /// The id of the ledger to make when there is none; without it, a missing one is an error.
    pub create: Option<LedgerId>,
    /// The head is sealed when its blocks have this many bytes.
    pub seal_bytes: u64,
    /// What else has seen the log; a head below any of them is refused.
    pub seen: Vec<Seen>,
    /// Seals the keys along with the blocks.
    pub keys: Option<DigestOfKeys>,
    /// Is told of each step of the upkeep.
    pub observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self { create: None, seal_bytes: SEAL_BYTES, seen: Vec::new(), keys: None, observer: None }
    }
}

impl Options {
    /// Opens the ledger that is there, or makes one of this id.
    pub fn create(ledger: LedgerId) -> Self {
        Self { create: Some(ledger), ..Self::default() }
    }

    pub(crate) fn did(&self, step: Step) {
        if let Some(observer) = &self.observer {
            observer(step);
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("create", &self.create)
            .field("seal_bytes", &self.seal_bytes)
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
