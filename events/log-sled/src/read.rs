//! Reads across sealed files and heads, beside the writer and across rotations.

use crate::head::Head;
use chl_log::{Blocks, Chain, Head as LogHead, HeadSignal, ReadError, ReadLog, Walk, Wanted};
use chl_log_files::{SealedFile, chain_before};
use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

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

    /// What holds a position: a sealed file to walk, or blocks copied out of a head.
    fn fetch(&self, Wanted { at, to, most }: Wanted) -> Result<Blocks, ReadError> {
        let parts = self.parts();
        if parts.closed {
            return Err(ReadError::Closed);
        }
        let index = parts.sealed.partition_point(|file| file.next() <= at);
        if let Some(file) = parts.sealed.get(index) {
            let blocks = file.blocks(at);
            return Ok(Box::new(
                blocks.map(move |block| block.map_err(|error| error.into_read_error(at))),
            ));
        }
        let index = parts.heads.partition_point(|part| part.first <= at);
        let part = index.checked_sub(1).and_then(|index| parts.heads.get(index));
        let part = part.ok_or(ReadError::Gap { position: at })?;
        let end = parts.heads.get(index).map_or(to, |next| next.first.min(to));
        Ok(Box::new(part.head.scan(at, end, most).into_iter().map(Ok)))
    }
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
        let shared = Arc::clone(&self.shared);
        let fetch = Box::new(move |wanted| shared.fetch(wanted));
        Ok(Box::new(Walk::new(from, self.head(), fetch)?))
    }

    fn sealed_to(&self) -> u64 {
        self.shared.parts().sealed.last().map_or(0, |file| file.next())
    }

    fn chain_before(&self, position: u64) -> Chain {
        chain_before(&self.shared.parts().sealed, self.head().ledger, position)
    }

    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<LogHead, ReadError> {
        self.shared.signal.wait_beyond(position, timeout)
    }
}
