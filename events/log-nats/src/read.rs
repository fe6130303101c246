//! Reads across this node's own copy and the stream, beside the writer.

use crate::{
    feed::Feed,
    index::{Index, Span},
    remote::Remote,
};
use chl_events::Block;
use chl_log::{Blocks, Head, HeadSignal, ReadError, ReadLog, Walk, Wanted};
use chl_log_files::SealedFile;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

/// What the writer, the copy's keeper and the readers share.
pub(crate) struct Shared {
    pub(crate) remote: Remote,
    signal: HeadSignal,
    index: Mutex<Index>,
    sealed: RwLock<Vec<Arc<SealedFile>>>,
}

impl Shared {
    pub(crate) fn new(
        remote: Remote,
        head: Head,
        index: Index,
        sealed: Vec<Arc<SealedFile>>,
    ) -> Self {
        let (index, sealed) = (Mutex::new(index), RwLock::new(sealed));
        Self { remote, signal: HeadSignal::new(head), index, sealed }
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sealed(&self) -> RwLockReadGuard<'_, Vec<Arc<SealedFile>>> {
        self.sealed.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sealed_mut(&self) -> RwLockWriteGuard<'_, Vec<Arc<SealedFile>>> {
        self.sealed.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of blocks that are durable now, and tells the readers.
    pub(crate) fn announce(&self, blocks: &[Block], head: Head) {
        let mut index = self.index();
        for block in blocks {
            index.push(block.first(), block.next());
        }
        drop(index);
        self.signal.announce(head);
    }

    pub(crate) fn close(&self) {
        self.signal.close();
    }

    /// What holds a position: a file of the copy, or messages on their way.
    fn fetch(&self, wanted: Wanted) -> Result<Blocks, ReadError> {
        let at = wanted.at;
        let sealed = self.sealed();
        let index = sealed.partition_point(|file| file.next() <= at);
        if let Some(file) = sealed.get(index).filter(|file| file.first() <= at) {
            let blocks = file.blocks(at);
            return Ok(Box::new(
                blocks.map(move |block| block.map_err(|error| error.into_read_error(at))),
            ));
        }
        drop(sealed);
        let (span, (_, end)) = {
            let index = self.index();
            (index.span(at).ok_or(ReadError::Gap { position: at })?, index.end())
        };
        let from = self.locate(at, span)?;
        // The first one is asked for alone; whoever wants more of the stream wants it to its end.
        let to = if wanted.most == 1 { from } else { end - 1 };
        Ok(Box::new(Feed::open(&self.remote, from, to, at)?))
    }

    /// The sequence of the message that holds a position, by halving the stretch it lies in.
    fn locate(&self, at: u64, span: Span) -> Result<u64, ReadError> {
        let Span { mut low, mut high } = span;
        while low.0 < at && high.1 - low.1 > 1 {
            let middle = low.1 + (high.1 - low.1) / 2;
            let block = Feed::open(&self.remote, middle, middle, at)?.next().transpose()?;
            let first = block.map(|block| block.first()).ok_or(ReadError::Gap { position: at })?;
            let half = (first, middle);
            if first <= at { low = half } else { high = half }
        }
        Ok(low.1)
    }
}

/// The handle readers share.
pub(crate) struct Reader {
    pub(crate) shared: Arc<Shared>,
}

impl ReadLog for Reader {
    fn head(&self) -> Head {
        self.shared.signal.head()
    }

    fn read(&self, from: u64) -> Result<Blocks, ReadError> {
        let shared = Arc::clone(&self.shared);
        let fetch = Box::new(move |wanted| shared.fetch(wanted));
        Ok(Box::new(Walk::new(from, self.head(), fetch)?))
    }

    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
        self.shared.signal.wait_beyond(position, timeout)
    }
}
