//! The writer's side of the log on JetStream.

use crate::{
    ConnectError, PlaceError, Synced,
    copy::Copy,
    feed::{Feed, Message},
    place::place,
    publish::WINDOW,
    read::{Reader, Shared},
};
use chl_events::Block;
use chl_log::{
    AppendError, Cause, Chain, Discontinuity, EventLog, Head, Packed, ReadError, ReadLog,
    SettleError,
};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// More messages in a row that continue nothing than overtaken writers can have had on their way:
/// it is the log itself that does not go on.
const MOST_VOIDS: u64 = 4 * WINDOW as u64;

/// A ledger's stream, as one writer sees it.
///
/// An append returns when the stream's servers have acknowledged its blocks. Nothing keeps other
/// writers away but the fence: each block says behind which message it belongs, and the servers
/// refuse it anywhere else. A block says, too, which history it continues; one that got behind
/// the right number of messages but continues another history is void.
pub struct NatsLog {
    pub(crate) shared: Arc<Shared>,
    pub(crate) chain: Chain,
    /// The sequence of the stream's last message.
    pub(crate) last: u64,
    /// How many of the last messages continue nothing.
    pub(crate) voids: u64,
    pub(crate) synced: Synced,
    /// This node's own copy, where it keeps one.
    pub(crate) copy: Option<Copy>,
    /// What another writer appends, while this log follows.
    pub(crate) following: Option<Feed>,
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
        if let Some(cause) = self.copy.as_ref().and_then(Copy::failed) {
            return Err(self.poison(cause));
        }
        self.following = None;
        if let Err(error) = self.shared.remote.connection.check_version() {
            return Err(AppendError::Unavailable(Arc::new(error)));
        }
        let expected = self.chain.next();
        let mut rest = blocks;
        loop {
            let (stored, sequence) = match self.place(rest) {
                Ok(Ok(())) => {
                    self.chain = after;
                    self.take(rest);
                    return Ok(self.chain.head());
                }
                Ok(Err(PlaceError::Overtaken { stored, sequence })) => (stored, sequence),
                Ok(Err(error @ PlaceError::Nothing(_))) if rest.len() == blocks.len() => {
                    return Err(AppendError::Unavailable(Arc::new(error)));
                }
                Ok(Err(error)) => return Err(self.poison(Arc::new(error) as Cause)),
                Err(closed) => return Err(self.poison(Arc::new(closed) as Cause)),
            };
            let (own, left) = rest.split_at_checked(stored).unwrap_or((rest, &[]));
            rest = left;
            let end = own.last().map_or(self.chain.next(), Block::next);
            if let Err(error) = self.meet(own) {
                return Err(self.poison(Arc::new(error) as Cause));
            }
            if self.chain.next() == end {
                // What lay in the way continues nothing: the rest goes behind it.
                continue;
            }
            tracing::info!(expected, message = sequence, "another writer has appended");
            if rest.len() == blocks.len() {
                return Err(AppendError::Conflict { expected, head: self.chain.head() });
            }
            let stored = blocks.len() - rest.len();
            let torn = PlaceError::Overtaken { stored, sequence };
            return Err(self.poison(Arc::new(torn) as Cause));
        }
    }

    fn place(&self, blocks: &[Block]) -> Result<Result<(), PlaceError>, ConnectError> {
        let remote = self.shared.remote.clone();
        let (sent, base) = (blocks.to_vec(), self.last);
        let connection = &self.shared.remote.connection;
        connection.wait(async move { place(&remote, &sent, base).await })
    }

    /// Takes own blocks that are stored, and then whatever else the stream holds.
    fn meet(&mut self, own: &[Block]) -> Result<(), ReadError> {
        for block in own {
            self.chain.accept(block)?;
        }
        self.take(own);
        self.catch_up(|_| ())
    }

    /// Takes over what another writer has appended, and returns the head that leads to: at once
    /// when there is something, else after `timeout` at most.
    ///
    /// A node that waits to write follows so; its readers see what it has taken over. After an
    /// error that passes it goes on at the same position.
    pub fn follow(&mut self, timeout: Duration) -> Result<Head, ReadError> {
        let mut feed = match self.following.take() {
            Some(feed) => feed,
            None => self.feed(u64::MAX)?,
        };
        let mut waiting = timeout;
        while let Some(message) = feed.next_within(waiting)? {
            self.absorb(&message)?;
            waiting = Duration::ZERO;
        }
        self.following = Some(feed);
        Ok(self.chain.head())
    }

    /// Reads what the stream holds behind this log's head, checks it, and takes it over; what it
    /// passes on the way is told.
    pub(crate) fn catch_up(&mut self, mut passed: impl FnMut(Head)) -> Result<(), ReadError> {
        self.following = None;
        let remote = self.shared.remote.clone();
        let position = self.chain.next();
        let (asked, seen) = (remote.clone(), self.last);
        let last = remote.connection.wait(async move { asked.last_in_time(seen).await });
        let last = last.map_err(|_: ConnectError| ReadError::Closed)?;
        let last = last.map_err(|fault| ReadError::Storage { position, cause: Arc::new(fault) })?;
        for message in self.feed(last)? {
            self.absorb(&message?)?;
            passed(self.chain.head());
        }
        Ok(())
    }

    /// Begins to read what lies behind this log's head.
    fn feed(&self, to: u64) -> Result<Feed, ReadError> {
        Feed::open(&self.shared.remote, self.last + 1, to, self.chain.next(), BTreeSet::new())
    }

    /// Takes the next message's block, unless it continues nothing: then a writer sent it that had
    /// been overtaken without knowing, and it is no part of the log. Neither is what no writer sent.
    fn absorb(&mut self, message: &Message) -> Result<(), ReadError> {
        let sequence = self.last + 1;
        match message {
            Message::Foreign => {
                tracing::warn!(
                    message = sequence,
                    "no writer sent this message: it is passed over"
                );
            }
            Message::Block(block) => match self.chain.accept(block) {
                Ok(()) => {
                    self.voids = 0;
                    self.take(std::slice::from_ref(block));
                    return Ok(());
                }
                Err(wrong @ Discontinuity::Ledger { .. }) => return Err(wrong.into()),
                Err(wrong) if self.voids == MOST_VOIDS => return Err(wrong.into()),
                Err(wrong) => {
                    tracing::warn!(message = sequence, %wrong, "an overtaken writer's message is void");
                    self.voids += 1;
                }
            },
        }
        self.last = sequence;
        self.shared.skip();
        Ok(())
    }

    /// Takes blocks that are durable and that the chain has passed as the log's next ones.
    fn take(&mut self, blocks: &[Block]) {
        let first = self.last + 1;
        self.last += blocks.len() as u64;
        let head = self.chain.head();
        if let Some(Err(cause)) = self.copy.as_mut().map(|copy| copy.take(first, blocks, head)) {
            // The blocks are durable whatever comes of the copy; its failure stops the next group.
            self.wound = Some(cause);
        }
        self.shared.announce(blocks, head);
    }
}

impl EventLog for NatsLog {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError> {
        self.ready(expected)?;
        self.commit(blocks, self.chain.behind(blocks)?)
    }

    fn append_packed(&mut self, group: &Packed) -> Result<Head, AppendError> {
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
        let next = self.chain.next();
        if let Some(Err(cause)) = self.copy.as_mut().map(|copy| copy.settle(next)) {
            self.wound = Some(Arc::clone(&cause));
            return Err(SettleError(cause));
        }
        Ok(())
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        Arc::new(Reader { shared: Arc::clone(&self.shared) })
    }
}

impl Drop for NatsLog {
    fn drop(&mut self) {
        // A wounded log is verified by whoever opens it next; a witness that lags is only older.
        let _settled = self.settle();
        self.shared.close();
    }
}
