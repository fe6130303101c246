//! Reads across sealed files and heads, beside the writer and across rotations.

use crate::head::Head;
use chl_events::Block;
use chl_log::{Blocks, Cause, Discontinuity, Head as LogHead, HeadSignal, ReadError, ReadLog};
use chl_log_files::{SealedBlocks, SealedError, SealedFile};
use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

/// How many blocks a reader takes out of a head at a time, at most; it begins with one.
const MAX_BLOCKS: usize = 1024;

/// Where the history lies: sealed files first, then heads, the last one still growing.
pub(crate) struct Parts {
    pub(crate) sealed: Vec<Arc<SealedFile>>,
    pub(crate) heads: Vec<HeadPart>,
    closed: bool,
}

/// A head and the position it begins at.
pub(crate) struct HeadPart {
    pub(crate) first: u64,
    pub(crate) head: Arc<Head>,
}

/// What the writer, the keeper and the readers share.
pub(crate) struct Shared {
    parts: RwLock<Parts>,
    signal: HeadSignal,
}

impl Shared {
    pub(crate) fn new(
        durable: LogHead,
        sealed: Vec<Arc<SealedFile>>,
        heads: Vec<HeadPart>,
    ) -> Self {
        let parts = RwLock::new(Parts { sealed, heads, closed: false });
        Self { parts, signal: HeadSignal::new(durable) }
    }

    pub(crate) fn parts(&self) -> RwLockReadGuard<'_, Parts> {
        self.parts.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn parts_mut(&self) -> RwLockWriteGuard<'_, Parts> {
        self.parts.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn announce(&self, head: LogHead) {
        self.signal.announce(head);
    }

    /// Lets the heads go, so that the ledger can be opened again while readers still hold this.
    pub(crate) fn close(&self) {
        self.signal.close();
        let mut parts = self.parts_mut();
        parts.closed = true;
        parts.heads.clear();
    }

    /// What holds `at`: a sealed file to walk, or blocks copied out of a head.
    fn fetch(&self, at: u64, to: u64, most: usize) -> Result<Fetched, ReadError> {
        let parts = self.parts();
        if parts.closed {
            return Err(ReadError::Closed);
        }
        let index = parts.sealed.partition_point(|file| file.next() <= at);
        if let Some(file) = parts.sealed.get(index) {
            return Ok(Fetched::Sealed(file.blocks(at)));
        }
        let index = parts.heads.partition_point(|part| part.first <= at);
        let part = index.checked_sub(1).and_then(|index| parts.heads.get(index));
        let part = part.ok_or(ReadError::Gap { position: at })?;
        let end = parts.heads.get(index).map_or(to, |next| next.first.min(to));
        Ok(Fetched::Head(part.head.scan(at, end, most).into()))
    }
}

enum Fetched {
    Sealed(SealedBlocks),
    Head(VecDeque<Block>),
}

/// The handle readers share.
pub(crate) struct Reader {
    pub(crate) shared: Arc<Shared>,
}

impl ReadLog for Reader {
    fn head(&self) -> LogHead {
        self.shared.signal.head()
    }

    fn read(&self, from: u64) -> Result<Blocks, ReadError> {
        let head = self.head();
        if from > head.next {
            return Err(ReadError::Beyond { from, next: head.next });
        }
        Ok(Box::new(Walk {
            shared: Arc::clone(&self.shared),
            head,
            from: Some(from),
            at: from,
            most: 1,
            fetched: Fetched::Head(VecDeque::new()),
            done: false,
        }))
    }

    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<LogHead, ReadError> {
        self.shared.signal.wait_beyond(position, timeout)
    }
}

/// Walks the history up to the head of when it was begun.
struct Walk {
    shared: Arc<Shared>,
    head: LogHead,
    /// Where the first block must hold, until it is found.
    from: Option<u64>,
    /// The position of the next block.
    at: u64,
    most: usize,
    fetched: Fetched,
    done: bool,
}

impl Walk {
    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if self.at >= self.head.next {
            return Ok(None);
        }
        let mut found = self.fetched_block()?;
        if found.is_none() {
            self.fetched = self.shared.fetch(self.at, self.head.next, self.most)?;
            self.most = (self.most * 32).min(MAX_BLOCKS);
            found = self.fetched_block()?;
        }
        let block = found.ok_or(ReadError::Gap { position: self.at })?;
        let (expected, ledger) = (self.head.ledger, block.ledger());
        if expected != ledger {
            return Err(Discontinuity::Ledger { expected, found: ledger }.into());
        }
        let fits = match self.from.take() {
            Some(from) => block.first() <= from && from < block.next(),
            None => block.first() == self.at,
        };
        if !fits {
            return Err(ReadError::Gap { position: self.at });
        }
        self.at = block.next();
        Ok(Some(block))
    }

    fn fetched_block(&mut self) -> Result<Option<Block>, ReadError> {
        match &mut self.fetched {
            Fetched::Head(blocks) => Ok(blocks.pop_front()),
            Fetched::Sealed(blocks) => {
                let at = self.at;
                blocks.next().transpose().map_err(|error| sealed_error(at, error))
            }
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Block, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let block = self.next_block().transpose();
        self.done = !matches!(block, Some(Ok(_)));
        block
    }
}

/// What a sealed file's failure is to a reader who wanted a position.
fn sealed_error(wanted: u64, error: SealedError) -> ReadError {
    match error {
        SealedError::Block { path, position, source } => damaged(position, path, source),
        SealedError::Broken { source, .. } => source.into(),
        SealedError::Io { .. }
        | SealedError::Header { .. }
        | SealedError::Footer { .. }
        | SealedError::Edge { .. }
        | SealedError::End { .. } => storage(wanted, Arc::new(error)),
    }
}

fn damaged(position: u64, path: PathBuf, source: chl_events::BlockError) -> ReadError {
    ReadError::Damaged { position, place: path.display().to_string(), source }
}

fn storage(position: u64, cause: Cause) -> ReadError {
    ReadError::Storage { position, cause }
}
