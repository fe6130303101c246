//! The writer's side of the embedded log.

use crate::{
    head::Head,
    keeper::{Keeper, Sealing},
    options::{Options, Step},
    read::{HeadPart, Reader, Shared},
};
use chl_events::Block;
use chl_log::{AppendError, Cause, Chain, EventLog, Head as LogHead, Packed, ReadLog, SettleError};
use chl_log_files::{OwnerLock, Witness};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A head that has grown to so many times its size waits for the upkeep beside it.
const PATIENCE_IN_HEADS: u64 = 4;

/// The embedded log, owned by this process until it is dropped.
///
/// An append returns when its blocks are on disk: written to sled, flushed, and synced. Dropping
/// it brings the witness up to the head and ends the thread that seals.
pub struct SledLog {
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    pub(crate) witness: Arc<Mutex<Witness>>,
    pub(crate) keeper: Keeper,
    /// The head that is written to, and the chain before its first block.
    pub(crate) head: Arc<Head>,
    pub(crate) head_before: Chain,
    pub(crate) chain: Chain,
    /// The position up to which the witness is durable.
    pub(crate) settled: u64,
    pub(crate) wound: Option<Cause>,
    pub(crate) _lock: OwnerLock,
}

impl SledLog {
    fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poison(&mut self, cause: Cause) -> AppendError {
        self.wound = Some(Arc::clone(&cause));
        AppendError::Poisoned(cause)
    }

    /// Tells the witness of the head that is durable now; a kill leaves it there.
    fn witness_head(&self) -> Result<(), Cause> {
        let mut witness = self.witness();
        if witness.last().head.next < self.chain.next() {
            witness.record(self.chain.head()).map_err(|error| Arc::new(error) as Cause)?;
        }
        Ok(())
    }

    /// Refuses what cannot be appended now, whatever it is.
    fn ready(&self, expected: u64) -> Result<(), AppendError> {
        if let Some(cause) = &self.wound {
            return Err(AppendError::Poisoned(Arc::clone(cause)));
        }
        if self.chain.next() != expected {
            return Err(AppendError::Conflict { expected, head: self.chain.head() });
        }
        Ok(())
    }

    /// Makes blocks durable that continue the chain and lead to `after`.
    fn commit(&mut self, blocks: &[Block], after: Chain) -> Result<LogHead, AppendError> {
        if blocks.is_empty() {
            return Ok(self.chain.head());
        }
        if let Some(cause) = self.keeper.failed() {
            return Err(self.poison(cause));
        }
        if let Err(cause) = self.witness_head() {
            return Err(self.poison(cause));
        }
        if let Err(error) = self.head.write(blocks) {
            return Err(self.poison(Arc::new(error)));
        }
        self.chain = after;
        let head = self.chain.head();
        self.shared.announce(head);
        // The blocks are durable whatever comes of the upkeep; its failure stops the next group.
        self.wound = self.roll_if_due().err();
        Ok(head)
    }

    /// Goes on in a new head when this one is full and the next one is ready.
    fn roll_if_due(&mut self) -> Result<(), Cause> {
        let bytes = self.head.bytes();
        if bytes.saturating_mul(2) < self.options.seal_bytes {
            return Ok(());
        }
        self.keeper.prepare(self.head.number());
        if bytes < self.options.seal_bytes {
            return Ok(());
        }
        let wait = bytes / PATIENCE_IN_HEADS >= self.options.seal_bytes;
        let Some(spare) = self.keeper.take_spare(wait)? else {
            return Ok(());
        };
        let next = Arc::new(spare);
        let part = HeadPart { first: self.chain.next(), head: Arc::clone(&next) };
        self.shared.parts_mut().heads.push(part);
        let head = std::mem::replace(&mut self.head, next);
        let before = std::mem::replace(&mut self.head_before, self.chain.clone());
        self.options.did(Step::Rolled);
        self.keeper.seal(Sealing { head, before, after: self.chain.clone() });
        Ok(())
    }
}

impl EventLog for SledLog {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<LogHead, AppendError> {
        self.ready(expected)?;
        self.commit(blocks, self.chain.behind(blocks)?)
    }

    fn append_packed(&mut self, group: &Packed) -> Result<LogHead, AppendError> {
        self.ready(group.before().next())?;
        self.commit(group.blocks(), self.chain.behind_packed(group)?)
    }

    fn chain(&self) -> Chain {
        self.chain.clone()
    }

    fn settle(&mut self) -> Result<(), SettleError> {
        if let Some(cause) = &self.wound {
            return Err(SettleError(Arc::clone(cause)));
        }
        if self.settled >= self.chain.next() {
            return Ok(());
        }
        let synced = || self.witness().sync().map_err(|error| Arc::new(error) as Cause);
        if let Err(cause) = self.witness_head().and_then(|()| synced()) {
            self.wound = Some(Arc::clone(&cause));
            return Err(SettleError(cause));
        }
        self.settled = self.chain.next();
        Ok(())
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        Arc::new(Reader { shared: Arc::clone(&self.shared) })
    }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        // A wounded log is verified by whoever opens it next; a witness that lags is only older.
        let _settled = self.settle();
        self.keeper.stop();
        self.shared.close();
    }
}
