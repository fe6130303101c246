//! Partners' feeds: of what the ledger recorded, what concerns each partner, as far as it may see it.
//!
//! A feed shows nothing of others, not even how much they do. So a partner never reads the stream
//! itself, whose sequence counts everybody's events: it hears its subject, and asks the ledger for
//! what it missed. An event's id is made from what was recorded, from the ledger and from who reads
//! it: the same whenever it leaves, and no position. How far the feeds have come stands in a stream
//! of the nodes' own.

use crate::{
    publishing::{GLANCE, PAUSE, Publishing, Stop, UNDER_WAY, last_id},
    subject::Subjects,
};
use async_nats::{
    HeaderMap,
    jetstream::{
        self, Context,
        context::PublishAckFuture,
        stream::{Config, LastRawMessageErrorKind, StorageType, Stream},
    },
};
use chl_bus::{Parties, RedactError, Redacted, Redaction};
use chl_events::{Code, LedgerId, PartnerId};
use chl_log::{ReadError, ReadLog};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    thread,
    time::Duration,
};
use tokio::runtime::Handle;

/// How many commits are looked through before what concerns partners of them is sent. As many are
/// looked through again after a failure, so that nothing leaves twice.
const BATCH: u64 = 1024;

/// How much is kept for partners who were away.
#[derive(Debug, Clone, Copy)]
pub struct FeedsOptions {
    /// On how many servers.
    pub replicas: usize,
    /// How long events stay.
    pub age: Duration,
    /// How many bytes of all partners' events stay at most; the oldest go first.
    pub bytes: i64,
    /// How long the servers remember ids: what a node sends that was paused and does not know yet
    /// that another goes on, they pass over.
    pub remembered: Duration,
    /// The position of the first commit to look at where nothing has left before; none for what
    /// comes from now on.
    pub from: Option<u64>,
}

impl Default for FeedsOptions {
    fn default() -> Self {
        let week = Duration::from_secs(7 * 24 * 3600);
        let remembered = Duration::from_secs(120);
        Self { replicas: 1, age: week, bytes: 256 << 20, remembered, from: None }
    }
}

/// Says why feeds wait.
#[derive(Debug, thiserror::Error)]
enum FeedsError {
    #[error("the stream of feeds: {0}")]
    Stream(#[source] async_nats::Error),
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    Redact(#[from] RedactError),
}

fn stream_failed(error: impl Into<async_nats::Error>) -> FeedsError {
    FeedsError::Stream(error.into())
}

/// Partners' feeds, being published.
pub struct Feeds(Publishing);

impl Feeds {
    /// Begins to publish for these partners, behind what has left already. It is called within the
    /// runtime of the connection; what hinders it later is told in the log and tried again.
    pub fn open(
        nats: &async_nats::Client,
        ledger: &Code,
        (log, parties): (Arc<dyn ReadLog>, Arc<dyn Parties>),
        partners: BTreeSet<PartnerId>,
        options: FeedsOptions,
    ) -> Self {
        let (runtime, context) = (Handle::current(), jetstream::new(nats.clone()));
        let subjects = Subjects::of(ledger.clone());
        let redaction = Redaction::new(ledger.clone(), log.head().ledger, parties);
        Self(Publishing::begin("partners' feeds", move |stop| {
            let publisher =
                Publisher { runtime, context, subjects, log, redaction, partners, options, stop };
            publisher.run();
        }))
    }

    /// Tells the publisher to end, without waiting until it has; being dropped waits.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// How far the feeds have come.
struct Reached {
    /// All commits before it have been looked at, and what concerns partners of them is out.
    next: u64,
    /// The newest event that is out; of the first batch some may be.
    last: Option<String>,
}

struct Publisher {
    runtime: Handle,
    context: Context,
    subjects: Subjects,
    log: Arc<dyn ReadLog>,
    redaction: Redaction,
    partners: BTreeSet<PartnerId>,
    options: FeedsOptions,
    stop: Stop,
}

impl Publisher {
    fn run(mut self) {
        let mut reached = None;
        while !self.stop.is_told() {
            let from = reached.take().map_or_else(|| self.prepare(), Ok);
            match from.and_then(|from| self.publish(from)) {
                Ok(to) => reached = Some(to),
                Err(FeedsError::Log(ReadError::Closed)) => thread::sleep(GLANCE),
                Err(error) => {
                    tracing::warn!(%error, "partners' feeds wait");
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Makes the streams where there are none, and reads how far the feeds have come.
    fn prepare(&self) -> Result<Reached, FeedsError> {
        let kept = Config {
            name: self.subjects.stream("partners"),
            subjects: vec![self.subjects.partners()],
            storage: StorageType::Memory,
            max_age: self.options.age,
            max_bytes: self.options.bytes,
            duplicate_window: self.options.remembered,
            num_replicas: self.options.replicas,
            ..Default::default()
        };
        let progress = Config {
            name: self.subjects.stream("feeds"),
            subjects: vec![self.subjects.feeds()],
            // As long as the events themselves: together they say what has left.
            storage: StorageType::Memory,
            max_messages: 1,
            num_replicas: self.options.replicas,
            ..Default::default()
        };
        let ledger = self.log.head().ledger;
        let (next, last) = self.runtime.block_on(async {
            let kept = self.context.create_stream(kept).await.map_err(stream_failed)?;
            let progress = self.context.create_stream(progress).await.map_err(stream_failed)?;
            let next = progressed(&progress, &self.subjects.feeds(), ledger).await?;
            Ok::<_, FeedsError>((next, last_id(&kept).await.map_err(FeedsError::Stream)?))
        })?;
        let fresh = || self.options.from.unwrap_or_else(|| self.log.head().next);
        Ok(Reached { next: next.unwrap_or_else(fresh), last })
    }

    /// Publishes what concerns partners of the next commits, and notes how far that goes.
    fn publish(&mut self, from: Reached) -> Result<Reached, FeedsError> {
        self.log.wait_beyond(from.next, GLANCE)?;
        if self.log.head().next <= from.next {
            return Ok(from);
        }
        let (mut next, mut leaving) = (from.next, Vec::new());
        'batch: for block in self.log.read(from.next)? {
            let block = block?;
            for (position, bytes) in (block.first()..).zip(block.commits()) {
                if position < next {
                    continue;
                }
                if position >= from.next.saturating_add(BATCH) {
                    break 'batch;
                }
                leaving.extend(self.redaction.events(bytes)?);
                next = position + 1;
            }
        }
        leaving.retain(|one| self.partners.contains(&one.partner));
        let out = from.last.and_then(|last| leaving.iter().rposition(|one| one.id == last));
        leaving.drain(..out.map_or(0, |out| out + 1));
        self.send(leaving)?;
        let noted = format!("{} {next}", self.log.head().ledger);
        let noted = self.context.publish(self.subjects.feeds(), noted.into());
        self.runtime.block_on(async { noted.await?.await }).map_err(stream_failed)?;
        Ok(Reached { next, last: None })
    }

    fn send(&self, leaving: Vec<Redacted>) -> Result<(), FeedsError> {
        let mut under_way = VecDeque::<PublishAckFuture>::new();
        let confirm = |sent: PublishAckFuture| {
            self.runtime.block_on(sent.into_future()).map(drop).map_err(stream_failed)
        };
        for Redacted { partner, kind, id, document } in leaving {
            if under_way.len() >= UNDER_WAY {
                under_way.pop_front().map_or(Ok(()), confirm)?;
            }
            let mut headers = HeaderMap::new();
            headers.insert(async_nats::header::NATS_MESSAGE_ID, id.as_str());
            let subject = self.subjects.partner(partner.as_str(), kind);
            let body = document.to_string().into();
            let sent = self.context.publish_with_headers(subject, headers, body);
            under_way.push_back(self.runtime.block_on(sent).map_err(stream_failed)?);
        }
        under_way.into_iter().try_for_each(confirm)
    }
}

/// How far the feeds of a ledger have come; none where nothing is noted, or of another ledger.
async fn progressed(
    progress: &Stream,
    subject: &str,
    ledger: LedgerId,
) -> Result<Option<u64>, FeedsError> {
    let noted = match progress.get_last_raw_message_by_subject(subject).await {
        Ok(message) => message.payload,
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => return Ok(None),
        Err(error) => return Err(stream_failed(error)),
    };
    let noted = String::from_utf8_lossy(&noted);
    let of_ledger = noted.strip_prefix(&format!("{ledger} "));
    Ok(of_ledger.and_then(|position| position.parse().ok()))
}
