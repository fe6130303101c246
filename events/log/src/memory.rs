//! A log in memory: for tests, dry runs and scratch copies.

use crate::{
    AppendError, Blocks, Chain, EventLog, Head, HeadSignal, ReadError, ReadLog, SettleError,
};
use chl_events::{Block, LedgerId};
use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

/// Keeps its blocks in memory. Clones are handles to the same log.
#[derive(Debug, Clone)]
pub struct MemoryLog {
    store: Arc<Store>,
}

#[derive(Debug)]
struct Store {
    held: RwLock<Held>,
    signal: HeadSignal,
}

#[derive(Debug)]
struct Held {
    chain: Chain,
    blocks: Vec<Block>,
}

impl MemoryLog {
    /// Makes an empty log of a ledger.
    pub fn new(ledger: LedgerId) -> Self {
        Self::resume(Chain::new(ledger))
    }

    /// Makes a log that begins where a chain stands; what lies before cannot be read from it.
    ///
    /// A dry run goes on from a durable position so.
    pub fn resume(chain: Chain) -> Self {
        let signal = HeadSignal::new(chain.head());
        let held = RwLock::new(Held { chain, blocks: Vec::new() });
        Self { store: Arc::new(Store { held, signal }) }
    }
}

impl Store {
    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EventLog for MemoryLog {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError> {
        let mut held = self.store.held.write().unwrap_or_else(PoisonError::into_inner);
        let head = held.chain.head();
        if head.next != expected {
            return Err(AppendError::Conflict { expected, head });
        }
        held.chain = held.chain.behind(blocks)?;
        held.blocks.extend_from_slice(blocks);
        let head = held.chain.head();
        drop(held);
        self.store.signal.announce(head);
        Ok(head)
    }

    fn chain(&self) -> Chain {
        self.store.held().chain.clone()
    }

    fn settle(&mut self) -> Result<(), SettleError> {
        Ok(())
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        Arc::clone(&self.store) as Arc<dyn ReadLog>
    }
}

impl ReadLog for Store {
    fn head(&self) -> Head {
        self.signal.head()
    }

    fn read(&self, from: u64) -> Result<Blocks, ReadError> {
        let held = self.held();
        let next = held.chain.next();
        if from > next {
            return Err(ReadError::Beyond { from, next });
        }
        let begins = held.blocks.partition_point(|block| block.next() <= from);
        let blocks: Vec<Block> = held.blocks.iter().skip(begins).cloned().collect();
        let missing = blocks.first().map_or(from < next, |block| block.first() > from);
        if missing {
            return Err(ReadError::Gap { position: from });
        }
        Ok(Box::new(blocks.into_iter().map(Ok)))
    }

    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
        self.signal.wait_beyond(position, timeout)
    }
}
