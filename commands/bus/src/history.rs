//! History: the commits behind a decision, in memory while they are young, else from the log.

use crate::reader::SteadyReader;
use chl_events::{Block, Commit, CommitError};
use chl_log::{ReadError, ReadLog};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

/// How many durable commits stay in memory.
const YOUNG: usize = 1024;

/// Says why a commit could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A stored commit does not decode.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

/// The commits decided so far.
pub(crate) struct History {
    reader: Arc<SteadyReader>,
    first: u64,
    young: VecDeque<Arc<Commit>>,
    // The block read last: a file that is sent again asks for its commits one by one.
    block: Mutex<Option<Block>>,
}

impl History {
    /// Begins behind the durable head of a log.
    pub(crate) fn new(reader: Arc<SteadyReader>) -> Self {
        let first = reader.head().next;
        Self { reader, first, young: VecDeque::new(), block: Mutex::new(None) }
    }

    /// The position of the next commit.
    pub(crate) fn next(&self) -> u64 {
        self.first.saturating_add(self.young.len() as u64)
    }

    /// Takes the next commit.
    pub(crate) fn push(&mut self, commit: Arc<Commit>) {
        self.young.push_back(commit);
    }

    /// Lets go of old commits that are durable.
    pub(crate) fn durable(&mut self, next: u64) {
        while self.young.len() > YOUNG && self.first < next {
            self.young.pop_front();
            self.first = self.first.saturating_add(1);
        }
    }

    /// Throws away the commits from a position on.
    pub(crate) fn roll_back(&mut self, next: u64) {
        if next < self.first {
            self.young.clear();
            self.first = next;
        }
        let kept = usize::try_from(next.saturating_sub(self.first)).unwrap_or(usize::MAX);
        self.young.truncate(kept);
    }

    /// Goes on behind the head of a log that others have written.
    pub(crate) fn restart(&mut self) {
        *self = Self::new(Arc::clone(&self.reader));
    }

    /// Goes on behind the durable head of the log that was opened again.
    pub(crate) fn reopen(&mut self, log: Arc<dyn ReadLog>) {
        self.reader.replace(log);
        self.restart();
    }

    /// The commit at a position, if there is one.
    pub(crate) fn commit(&self, position: u64) -> Result<Option<Arc<Commit>>, HistoryError> {
        if let Some(index) = position.checked_sub(self.first) {
            let index = usize::try_from(index).unwrap_or(usize::MAX);
            return Ok(self.young.get(index).cloned());
        }
        let mut held = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let holds = |block: &Block| (block.first()..block.next()).contains(&position);
        if !held.as_ref().is_some_and(holds) {
            *held = self.reader.read(position)?.next().transpose()?;
        }
        let Some(block) = held.as_ref().filter(|block| holds(block)) else {
            return Err(ReadError::Gap { position }.into());
        };
        let index = usize::try_from(position - block.first()).unwrap_or(usize::MAX);
        let bytes = block.commits().nth(index).ok_or(ReadError::Gap { position })?;
        Ok(Some(Arc::new(Commit::decode(bytes)?)))
    }
}
