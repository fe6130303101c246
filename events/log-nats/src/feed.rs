//! Reads a stretch of the stream ahead of whoever wants its blocks.

use crate::{
    Fault,
    remote::{Patience, Remote},
    settings::whole,
};
use async_nats::{
    HeaderMap, header::NATS_EXPECTED_LAST_SEQUENCE, jetstream::consumer::pull::Stream as Messages,
};
use chl_events::Block;
use chl_log::ReadError;
use futures_util::{FutureExt, StreamExt};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, task::AbortHandle, time::timeout};

/// How many bytes of blocks may wait for their reader.
const AHEAD_BYTES: usize = 8 * 1024 * 1024;
/// How many bytes of blocks are handed over at a time, at most: each time wakes a thread.
const BATCH_BYTES: usize = 512 * 1024;
/// What one request to a consumer asks for, at most.
const PULL_BYTES: usize = 8 * 1024 * 1024;
const PULL_MESSAGES: usize = 10_000;
/// So few messages are asked for one by one: a consumer would cost the servers more.
const FEW: u64 = 4;
/// A consumer that gives nothing for so long, while messages wait, is given up for a new one.
const STALLED_AFTER: Duration = Duration::from_secs(2);

/// What a message of the stream holds.
#[derive(Debug)]
pub(crate) enum Message {
    /// A block of a writer.
    Block(Block),
    /// Nothing a writer sent: whoever may ask JetStream for something may have the answer sent to
    /// the log's subject, which no permission of its own guards.
    Foreign,
}

impl Message {
    /// How many bytes it holds back from others while it waits.
    fn len(&self) -> usize {
        match self {
            Self::Block(block) => block.bytes().len(),
            Self::Foreign => 0,
        }
    }
}

/// Messages in order, or why there are no more.
type Batch = Result<Vec<Message>, ReadError>;

/// A stretch of the stream on its way here.
pub(crate) struct Feed {
    batches: Receiver<Batch>,
    taken: VecDeque<Message>,
    room: Arc<Semaphore>,
    task: AbortHandle,
    /// How many messages are still to come.
    left: u64,
}

impl Feed {
    /// Begins to read the messages `from..=to`, those to come included.
    ///
    /// `position` is where the first one's block begins, as far as the reader knows, and only
    /// serves to say where something failed. The messages in `voids`, which lie in that stretch,
    /// are passed over.
    pub(crate) fn open(
        remote: &Remote,
        from: u64,
        to: u64,
        position: u64,
        voids: BTreeSet<u64>,
    ) -> Result<Self, ReadError> {
        let (sink, batches) = channel();
        let room = Arc::new(Semaphore::new(AHEAD_BYTES));
        let left = to.saturating_add(1).saturating_sub(from).saturating_sub(voids.len() as u64);
        let puller = Puller {
            remote: remote.clone(),
            sink,
            room: Arc::clone(&room),
            next: from,
            to,
            position,
            voids,
            batch: Vec::new(),
            bytes: 0,
        };
        let task = remote.connection.spawn(puller.run()).map_err(|_| ReadError::Closed)?;
        Ok(Self { batches, taken: VecDeque::new(), room, task, left })
    }

    /// Waits for the next message, at most for `timeout`.
    pub(crate) fn next_within(&mut self, timeout: Duration) -> Result<Option<Message>, ReadError> {
        if self.taken.is_empty() {
            match self.batches.recv_timeout(timeout) {
                Ok(batch) => self.take(batch)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(ReadError::Closed),
            }
        }
        Ok(self.taken.pop_front())
    }

    /// Waits for the next message.
    fn wait(&mut self) -> Result<Message, ReadError> {
        loop {
            if let Some(message) = self.taken.pop_front() {
                return Ok(message);
            }
            let batch = self.batches.recv().unwrap_or(Err(ReadError::Closed));
            self.take(batch)?;
        }
    }

    fn take(&mut self, batch: Batch) -> Result<(), ReadError> {
        self.taken.extend(batch?);
        self.room.add_permits(self.taken.iter().map(Message::len).sum());
        Ok(())
    }

    /// The blocks of a stretch whose voids are known: a foreign message in it is none of them, and
    /// stands where the block of a position should.
    pub(crate) fn blocks(self, position: u64) -> impl Iterator<Item = Result<Block, ReadError>> {
        self.map(move |message| match message? {
            Message::Block(block) => Ok(block),
            Message::Foreign => Err(ReadError::Gap { position }),
        })
    }
}

impl Iterator for Feed {
    type Item = Result<Message, ReadError>;

    /// Waits for the next message; the first error ends it.
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let message = self.wait();
        if message.is_err() {
            self.left = 0;
        }
        Some(message)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Puller {
    remote: Remote,
    sink: Sender<Batch>,
    room: Arc<Semaphore>,
    /// The sequence of the next message.
    next: u64,
    to: u64,
    /// The position its block begins at.
    position: u64,
    voids: BTreeSet<u64>,
    /// What has come and is not handed over yet.
    batch: Vec<Message>,
    bytes: usize,
}

/// Why a consumer is given up.
enum Stop {
    /// Something passing: another one goes on at the same message.
    Again(Fault),
    /// One server does not have the next message, another says that the stream is whole.
    Contradicted,
    /// There is nothing to go on with.
    Failed(ReadError),
    /// Nobody reads any more.
    Unwanted,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Again(fault)
    }
}

impl Puller {
    async fn run(mut self) {
        let mut patience = Patience::new(self.remote.patience);
        while self.next <= self.to {
            let begun_at = self.next;
            let stopped =
                if self.to - self.next < FEW { self.few().await } else { self.many().await };
            let position = self.position;
            let doubt = match stopped {
                Ok(()) => continue,
                Err(Stop::Again(fault)) => ReadError::Storage { position, cause: Arc::new(fault) },
                Err(Stop::Contradicted) => ReadError::Gap { position },
                Err(Stop::Failed(error)) => return self.fail(error),
                Err(Stop::Unwanted) => return,
            };
            if self.next > begun_at {
                patience = Patience::new(self.remote.patience);
            }
            tracing::debug!(%doubt, message = self.next, "the stream is read anew");
            if !patience.again().await {
                return self.fail(doubt);
            }
        }
    }

    fn fail(&mut self, error: ReadError) {
        // Whoever would read this is gone or not; there is nobody else to tell.
        let _read = self.sink.send(Ok(std::mem::take(&mut self.batch)));
        let _read = self.sink.send(Err(error));
    }

    /// Asks the stream's leader for the messages one by one.
    async fn few(&mut self) -> Result<(), Stop> {
        while self.next <= self.to {
            match self.remote.message(self.next).await {
                Ok(message) => self.deliver(&message.payload, &message.headers).await?,
                Err(fault) => return Err(self.missing(fault).await),
            }
        }
        self.hand_over().await
    }

    /// Reads through a consumer until something is wrong with it.
    async fn many(&mut self) -> Result<(), Stop> {
        let consumer = self.remote.consumer(self.next).await?;
        let opened = consumer
            .stream()
            .max_messages_per_batch(PULL_MESSAGES)
            .max_bytes_per_batch(PULL_BYTES)
            .messages()
            .await;
        let pulled = match opened {
            Ok(mut messages) => self.pull(&mut messages).await,
            Err(error) => Err(Fault::Client(Box::new(error)).into()),
        };
        self.remote.forget(consumer);
        pulled
    }

    async fn pull(&mut self, messages: &mut Messages) -> Result<(), Stop> {
        let (mut came, unheaded) = (false, HeaderMap::new());
        while self.next <= self.to {
            let ready = messages.next().now_or_never();
            let message = match ready {
                Some(message) => Ok(message),
                None => {
                    self.hand_over().await?;
                    timeout(STALLED_AFTER, messages.next()).await
                }
            };
            let message = match message {
                Ok(Some(Ok(message))) => message,
                Ok(Some(Err(error))) => return Err(Fault::Client(Box::new(error)).into()),
                Ok(None) => return Err(Fault::Stalled.into()),
                // Whoever follows waits for messages to come; all others know that they are there.
                Err(_) if self.to == u64::MAX && self.at_end().await => continue,
                Err(_) => return Err(self.missing(Fault::Stalled).await),
            };
            let sequence = message.info().map_err(Fault::Client)?.stream_sequence;
            if sequence < self.next {
                continue;
            }
            if sequence > self.next {
                // The connection may have dropped messages; what a new consumer leaves out, too,
                // the leader is asked for.
                let skipped = Fault::Answer(format!("message {sequence} after {}", self.next - 1));
                return Err(if came { skipped.into() } else { self.missing(skipped).await });
            }
            came = true;
            let headers = message.headers.as_ref().unwrap_or(&unheaded);
            self.deliver(&message.payload, headers).await?;
        }
        self.hand_over().await
    }

    /// Whether the stream ends before the next message.
    async fn at_end(&self) -> bool {
        matches!(self.remote.last().await, Ok(last) if last < self.next)
    }

    /// Asks the leader whether the next message is there at all: a gap is an error, not a wait.
    ///
    /// The two questions may be answered by two servers, of which one was deposed and does not know
    /// it yet: only a stream that itself says that messages are gone has a gap at once.
    async fn missing(&self, fault: Fault) -> Stop {
        let Err(Fault::Refused(_)) = self.remote.message(self.next).await else {
            return Stop::Again(fault);
        };
        match self.remote.info().await {
            Ok(info) if info.state.last_sequence < self.next => Stop::Again(fault),
            Ok(info) if whole(&self.remote.stream, &info.state).is_ok() => Stop::Contradicted,
            Ok(_) => Stop::Failed(ReadError::Gap { position: self.position }),
            Err(_) => Stop::Again(fault),
        }
    }

    async fn deliver(&mut self, bytes: &[u8], headers: &HeaderMap) -> Result<(), Stop> {
        let sequence = self.next;
        if self.voids.remove(&sequence) {
            self.next += 1;
            return Ok(());
        }
        let message = match Block::from_bytes(bytes) {
            Ok(block) => Message::Block(block),
            // Writers fence all they send, and nobody can make JetStream fence an answer.
            Err(_) if headers.get(NATS_EXPECTED_LAST_SEQUENCE).is_none() => Message::Foreign,
            Err(source) => {
                let place = format!("message {sequence} of stream {}", self.remote.stream);
                let position = self.position;
                return Err(Stop::Failed(ReadError::Damaged { position, place, source }));
            }
        };
        if let Message::Block(block) = &message {
            self.position = block.next();
        }
        self.next += 1;
        self.bytes += message.len();
        self.batch.push(message);
        if self.bytes < BATCH_BYTES {
            return Ok(());
        }
        self.hand_over().await
    }

    /// Hands over what has come, once there is room for it.
    async fn hand_over(&mut self) -> Result<(), Stop> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let size = u32::try_from(self.bytes).unwrap_or(u32::MAX);
        let room = self.room.acquire_many(size).await.map_err(|_| Stop::Unwanted)?;
        room.forget();
        self.bytes = 0;
        self.sink.send(Ok(std::mem::take(&mut self.batch))).map_err(|_| Stop::Unwanted)
    }
}
