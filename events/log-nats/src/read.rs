//! Reads across this node's own copy and the stream, beside the writer.

use crate::{
    feed::Feed,
    index::{Index, Span},
    remote::Remote,
};
use chl_events::Block;
use chl_log::{Blocks, Chain, Head, HeadSignal, ReadError, ReadLog, Walk, Wanted};
use chl_log_files::{SealedFile, chain_before};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

/// What the writer, the copy's keeper and the readers share.
pub(crate) struct Shared {
    pub(crate) remote: Remote,
    signal: HeadSignal,
    index: Mutex<Index>,
    files: RwLock<Vec<Arc<SealedFile>>>,
}

impl Shared {
    pub(crate) fn new(
        remote: Remote,
        head: Head,
        index: Index,
        files: Vec<Arc<SealedFile>>,
    ) -> Self {
        let (index, files) = (Mutex::new(index), RwLock::new(files));
        Self { remote, signal: HeadSignal::new(head), index, files }
    }

    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets readers find in a file of the copy what they had to ask the servers for; `sequence` is
    /// that of the first message behind it.
    pub(crate) fn sealed(&self, file: Arc<SealedFile>, sequence: u64) {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let next = file.next();
        files.push(file);
        // Under the same lock: a position is always in one of both.
        self.index().forget_before(next, sequence);
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

    /// Takes note of a message that is no part of the log.
    pub(crate) fn skip(&self) {
        self.index().skip();
    }

    pub(crate) fn close(&self) {
        self.signal.close();
    }

    /// What holds a position: a file of the copy, or messages on their way.
    fn fetch(&self, wanted: Wanted) -> Result<Blocks, ReadError> {
        let at = wanted.at;
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let index = files.partition_point(|file| file.next() <= at);
        if let Some(file) = files.get(index).filter(|file| file.first() <= at) {
            let blocks = file.blocks(at);
            return Ok(Box::new(
                blocks.map(move |block| block.map_err(|error| error.into_read_error(at))),
            ));
        }
        let (span, end, voids) = {
            let index = self.index();
            let span = index.span(at).ok_or(ReadError::Gap { position: at })?;
            let (_, end) = index.end();
            (span, end, index.voids(span.low.1, end - 1))
        };
        drop(files);
        let from = self.locate(at, span, &voids)?;
        // The first one is asked for alone; whoever wants more of the stream wants it to its end.
        let to = if wanted.most == 1 { from } else { end - 1 };
        let voids = voids.range(from..=to).copied().collect();
        Ok(Box::new(Feed::open(&self.remote, from, to, at, voids)?.blocks(at)))
    }

    /// The sequence of the message that holds a position, by halving the stretch it lies in.
    fn locate(&self, at: u64, span: Span, voids: &BTreeSet<u64>) -> Result<u64, ReadError> {
        let Span { mut low, mut high } = span;
        while low.0 < at {
            let between = (low.1 + 1..high.1).filter(|sequence| !voids.contains(sequence));
            let count = between.clone().count();
            let Some(middle) = between.clone().nth(count / 2) else { break };
            let found = Feed::open(&self.remote, middle, middle, at, BTreeSet::new())?;
            let found = found.blocks(at).next().transpose()?;
            let first = found.map(|block| block.first()).ok_or(ReadError::Gap { position: at })?;
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

    fn sealed_to(&self) -> u64 {
        let files = self.shared.files.read().unwrap_or_else(PoisonError::into_inner);
        files.last().map_or(0, |file| file.next())
    }

    fn chain_before(&self, position: u64) -> Chain {
        let files = self.shared.files.read().unwrap_or_else(PoisonError::into_inner);
        chain_before(&files, self.head().ledger, position)
    }

    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
        self.shared.signal.wait_beyond(position, timeout)
    }
}
