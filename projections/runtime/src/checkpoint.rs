//! Checkpoints: how far the read models have come, and whether that is a log's own history.

use chl_events::{Block, Commit, Date, Hash, Instant, LedgerId};
use chl_log::{Head, ReadError, ReadLog};

/// How far read models have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose history it is.
    pub ledger: LedgerId,
    /// The position that comes next: as many commits are folded.
    pub position: u64,
    /// When the last of them was recorded.
    pub recorded_at: Option<Instant>,
    /// The latest business date of any event folded.
    pub effective_until: Option<Date>,
    /// The last position at which the root of what is folded before it is known, and that root.
    pub root: Option<(u64, Hash)>,
}

/// Says why a database is not the one its ledger needs; a rebuild makes one that is.
#[derive(Debug, thiserror::Error)]
pub enum StaleError {
    /// Its tables are of another release.
    #[error("the read models have schema version {found}; this release keeps version {expected}")]
    Schema {
        /// What they say.
        found: u32,
        /// What this release writes.
        expected: u32,
    },
    /// It belongs to another ledger.
    #[error("the read models are of ledger {found}, not of {expected}")]
    Ledger {
        /// What they say.
        found: String,
        /// The log's.
        expected: LedgerId,
    },
    /// It has folded what the log does not have.
    #[error("the read models stand at position {position}, beyond the log, which ends at {next}")]
    Beyond {
        /// Where they stand.
        position: u64,
        /// Where the log ends.
        next: u64,
    },
    /// It was folded from another history.
    #[error("the read models were folded from a history that differs at or before {position}")]
    History {
        /// The position whose root differs.
        position: u64,
    },
    /// It keeps other read models than are asked for.
    #[error("the file keeps {found}; asked for are {wanted}")]
    Views {
        /// Those it keeps.
        found: String,
        /// Those that are asked for, and what they need.
        wanted: String,
    },
    /// Its checkpoint is missing or does not read.
    #[error("the read models have no readable checkpoint")]
    Unreadable,
}

impl Checkpoint {
    /// Nothing folded yet.
    pub(crate) fn start(ledger: LedgerId) -> Self {
        Self { ledger, position: 0, recorded_at: None, effective_until: None, root: None }
    }

    /// Goes behind a commit.
    pub(crate) fn pass(&mut self, commit: &Commit) {
        self.position = commit.position.saturating_add(1);
        self.recorded_at = Some(commit.recorded_at);
        let effective = commit.events.iter().map(|recorded| recorded.effective_on);
        self.effective_until = self.effective_until.into_iter().chain(effective).max();
    }

    /// Goes behind a block all of whose commits are folded.
    pub(crate) fn pass_block(&mut self, block: &Block) {
        self.position = block.next();
        self.root = Some((block.first(), block.root_before()));
    }

    /// Whether this is a checkpoint of the log's own history.
    pub(crate) fn check(&self, log: &dyn ReadLog) -> Result<Option<StaleError>, ReadError> {
        let head = log.head();
        if self.ledger != head.ledger {
            let found = self.ledger.to_string();
            return Ok(Some(StaleError::Ledger { found, expected: head.ledger }));
        }
        let (position, next) = (self.position, head.next);
        if position > next {
            return Ok(Some(StaleError::Beyond { position, next }));
        }
        let Some((position, root)) = self.root else { return Ok(None) };
        let same = root_at(log, &head, position)? == root;
        Ok((!same).then_some(StaleError::History { position }))
    }

    /// Takes down the root of everything that is folded, where that is all there is: a block says
    /// only what it continues, and another one could take its place.
    pub(crate) fn pass_head(&mut self, head: &Head) {
        if self.position == head.next {
            self.root = Some((head.next, head.root));
        }
    }
}

/// The root of a log before a position: its end tells it, or the block that begins there; else the
/// commits before it are hashed.
fn root_at(log: &dyn ReadLog, head: &Head, position: u64) -> Result<Hash, ReadError> {
    if position == head.next {
        return Ok(head.root);
    }
    match log.read(position)?.next().transpose()? {
        Some(block) if block.first() == position => Ok(block.root_before()),
        _ => Ok(log.chain_at(position)?.head().root),
    }
}
