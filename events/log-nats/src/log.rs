//! The writer's side of the log on JetStream.

use crate::{
    ConnectError, Fault, PlaceError, Synced,
    feed::Feed,
    place::place,
    read::{Reader, Shared},
};
use chl_events::Block;
use chl_log::{AppendError, Cause, Chain, EventLog, Head, Packed, ReadError, ReadLog, SettleError};
use std::sync::Arc;

/// A ledger's stream, as one writer sees it.
///
/// An append returns when the stream's servers have acknowledged its blocks. Nothing keeps other
/// writers away but the fence: each block says behind which message it belongs, and the servers
/// refuse it anywhere else.
pub struct NatsLog {
    pub(crate) shared: Arc<Shared>,
    pub(crate) chain: Chain,
    /// The sequence of the stream's last message: as many blocks are in it.
    pub(crate) last: u64,
    pub(crate) synced: Synced,
    pub(crate) wound: Option<Cause>,
}

impl NatsLog {
    /// Whether what the servers acknowledge is on disk, as far as it was seen at the opening.
    pub fn synced(&self) -> Synced {
        self.synced
    }

    fn poison(&mut self, cause: impl Into<Cause>) -> AppendError {
        let cause = cause.into();
        self.wound = Some(Arc::clone(&cause));
        AppendError::Poisoned(cause)
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
    fn commit(&mut self, blocks: &[Block], after: Chain) -> Result<Head, AppendError> {
        if blocks.is_empty() {
            return Ok(self.chain.head());
        }
        let remote = self.shared.remote.clone();
        if let Err(error) = remote.connection.check_version() {
            return Err(AppendError::Unavailable(Arc::new(error)));
        }
        let (sent, base) = (blocks.to_vec(), self.last);
        let placed =
            self.shared.remote.connection.wait(async move { place(&remote, &sent, base).await });
        match placed {
            Ok(Ok(())) => {
                self.take(blocks, after);
                Ok(self.chain.head())
            }
            Ok(Err(error @ PlaceError::Nothing(_))) => {
                Err(AppendError::Unavailable(Arc::new(error)))
            }
            Ok(Err(PlaceError::Overtaken { sequence })) => Err(self.overtaken(sequence)),
            Ok(Err(
                error @ (PlaceError::Unsettled(_)
                | PlaceError::Torn { .. }
                | PlaceError::Lost { .. }),
            )) => Err(self.poison(Arc::new(error) as Cause)),
            Err(closed) => Err(self.poison(Arc::new(closed) as Cause)),
        }
    }

    /// Another writer has appended: learns what, so that the answer says where the log ends.
    fn overtaken(&mut self, sequence: u64) -> AppendError {
        let expected = self.chain.next();
        tracing::info!(expected, message = sequence, "another writer has appended");
        match self.catch_up() {
            Ok(()) => AppendError::Conflict { expected, head: self.chain.head() },
            Err(error) => self.poison(Arc::new(error) as Cause),
        }
    }

    /// Reads what the stream holds behind this log's head, checks it, and takes it over.
    pub(crate) fn catch_up(&mut self) -> Result<(), ReadError> {
        let remote = self.shared.remote.clone();
        let position = self.chain.next();
        let storage = |fault: Fault| ReadError::Storage { position, cause: Arc::new(fault) };
        let asked = remote.clone();
        let last = remote.connection.wait(async move { asked.last_in_time().await });
        let last = last.map_err(|_: ConnectError| ReadError::Closed)?.map_err(storage)?;
        for block in Feed::open(&remote, self.last + 1, last, position)? {
            let block = block?;
            let mut after = self.chain.clone();
            after.accept(&block)?;
            self.take(std::slice::from_ref(&block), after);
        }
        Ok(())
    }

    /// Takes blocks that are durable as the log's next ones.
    fn take(&mut self, blocks: &[Block], after: Chain) {
        self.chain = after;
        self.last += blocks.len() as u64;
        self.shared.announce(blocks, self.chain.head());
    }
}

impl EventLog for NatsLog {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError> {
        self.ready(expected)?;
        let mut chain = self.chain.clone();
        for block in blocks {
            chain.accept(block)?;
        }
        self.commit(blocks, chain)
    }

    fn append_packed(&mut self, group: &Packed) -> Result<Head, AppendError> {
        self.ready(group.before().next())?;
        if *group.before() == self.chain {
            return self.commit(group.blocks(), group.after().clone());
        }
        // It begins at the right position, but continues another history: this says which.
        self.append(group.before().next(), group.blocks())
    }

    fn chain(&self) -> Chain {
        self.chain.clone()
    }

    fn settle(&mut self) -> Result<(), SettleError> {
        match &self.wound {
            Some(cause) => Err(SettleError(Arc::clone(cause))),
            None => Ok(()),
        }
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        Arc::new(Reader { shared: Arc::clone(&self.shared) })
    }
}

impl Drop for NatsLog {
    fn drop(&mut self) {
        self.shared.close();
    }
}
