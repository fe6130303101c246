//! Events out: what the ledger recorded, as CloudEvents in the order of the log.
//!
//! They are a copy for those who react, never truth: a stream in memory of bounded age and size, in
//! which an event's id is its position and index. Whoever needs more than it holds reads the log.

use crate::{
    counts::{Counts, EventCounts},
    publishing::{GLANCE, PAUSE, Publishing, Stop, UNDER_WAY, last_id},
    subject::Subjects,
};
use async_nats::{
    HeaderMap,
    jetstream::{
        self, Context,
        context::PublishAckFuture,
        stream::{Config, StorageType, Stream},
    },
};
use chl_bus::{EventAt, Traces, event_document};
use chl_events::{Code, Commit, RecordedEvent};
use chl_log::{ReadError, ReadLog};
use std::{collections::VecDeque, sync::Arc, thread, time::Duration};
use tokio::runtime::Handle;

/// How much is kept for those who follow.
#[derive(Debug, Clone, Copy)]
pub struct EventsOptions {
    /// On how many servers.
    pub replicas: usize,
    /// How long events stay.
    pub age: Duration,
    /// How many bytes of them stay at most; the oldest go first.
    pub bytes: i64,
    /// The position of the first commit to publish where nothing was published before; none for
    /// what comes from now on.
    pub from: Option<u64>,
}

impl Default for EventsOptions {
    fn default() -> Self {
        let day = Duration::from_secs(24 * 3600);
        Self { replicas: 1, age: day, bytes: 256 << 20, from: None }
    }
}

/// Says why events cannot be published, or not go on.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    /// The stream is not as it should be, or does not answer.
    #[error("the stream of events: {0}")]
    Stream(#[source] async_nats::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A commit does not decode.
    #[error(transparent)]
    Commit(#[from] chl_events::CommitError),
    /// An event cannot be shown.
    #[error("an event cannot be shown: {0}")]
    Show(#[from] serde_json::Error),
}

fn stream_failed(error: impl Into<async_nats::Error>) -> EventsError {
    EventsError::Stream(error.into())
}

/// A ledger's events, being published.
pub struct Events(Publishing);

impl Events {
    /// Makes the stream where there is none, and begins to publish behind what it holds. Events
    /// leave with the trace of their command, as far as this process has taken that itself.
    pub async fn open(
        nats: &async_nats::Client,
        ledger: &Code,
        (log, traces): (Arc<dyn ReadLog>, Arc<Traces>),
        options: EventsOptions,
    ) -> Result<Self, EventsError> {
        let subjects = Subjects::of(ledger.clone());
        let context = jetstream::new(nats.clone());
        let config = Config {
            name: subjects.stream("events"),
            subjects: vec![subjects.events()],
            storage: StorageType::Memory,
            max_age: options.age,
            max_bytes: options.bytes,
            num_replicas: options.replicas,
            ..Default::default()
        };
        let stream = context.create_stream(config).await.map_err(stream_failed)?;
        let next = match published(&stream).await? {
            Some(next) => next,
            None => EventAt::first_of(options.from.unwrap_or(log.head().next)),
        };
        let (runtime, counts) = (Handle::current(), Counts::of(ledger).events());
        Ok(Self(Publishing::begin("events", move |stop| {
            let publisher =
                Publisher { runtime, context, subjects, log, traces, counts, next, stop };
            publisher.run();
        })))
    }

    /// Tells the publisher to end, without waiting until it has; being dropped waits.
    pub fn stop(&self) {
        self.0.stop();
    }
}

/// What comes behind the newest event of the stream; none for an empty one.
async fn published(stream: &Stream) -> Result<Option<EventAt>, EventsError> {
    let last = last_id(stream).await.map_err(EventsError::Stream)?;
    Ok(last.and_then(|id| id.parse().ok()).map(EventAt::behind))
}

struct Publisher {
    runtime: Handle,
    context: Context,
    subjects: Subjects,
    log: Arc<dyn ReadLog>,
    traces: Arc<Traces>,
    counts: EventCounts,
    next: EventAt,
    stop: Stop,
}

type UnderWay = VecDeque<(EventAt, PublishAckFuture)>;

impl Publisher {
    fn run(mut self) {
        while !self.stop.is_told() {
            match self.publish() {
                Ok(()) | Err(EventsError::Log(ReadError::Closed)) => {}
                Err(error) => {
                    // What was not acknowledged is published again, under the same ids.
                    tracing::warn!(%error, at = self.next.position, "events wait");
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// Publishes what the log holds behind the last event that is safely out.
    fn publish(&mut self) -> Result<(), EventsError> {
        self.log.wait_beyond(self.next.position, GLANCE)?;
        let from = self.next;
        if self.log.head().next <= from.position {
            return Ok(());
        }
        let mut under_way = UnderWay::new();
        for block in self.log.read(from.position)? {
            let block = block?;
            for (position, bytes) in (block.first()..).zip(block.commits()) {
                if position < from.position {
                    continue;
                }
                let commit = Commit::decode(bytes)?;
                for (index, event) in commit.events.iter().enumerate() {
                    let this = EventAt { position, index };
                    if this >= from {
                        self.send(this, &commit, event, &mut under_way)?;
                    }
                }
            }
            if self.stop.is_told() {
                break;
            }
        }
        while !under_way.is_empty() {
            self.confirm(&mut under_way)?;
        }
        Ok(())
    }

    fn send(
        &mut self,
        this: EventAt,
        commit: &Commit,
        event: &RecordedEvent,
        under_way: &mut UnderWay,
    ) -> Result<(), EventsError> {
        if under_way.len() >= UNDER_WAY {
            self.confirm(under_way)?;
        }
        let trace = self.traces.of(this.position);
        let document = event_document(self.subjects.ledger(), this, commit, (event, trace))?;
        let kind = event.event.kind().name;
        let subject = self.subjects.event(kind, &commit.stream.to_string());
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, this.to_string().as_str());
        let body = document.to_string().into();
        let sent = self.context.publish_with_headers(subject, headers, body);
        let sent = self.runtime.block_on(sent).map_err(stream_failed)?;
        under_way.push_back((this, sent));
        Ok(())
    }

    /// Waits until the oldest event under way is safely out.
    fn confirm(&mut self, under_way: &mut UnderWay) -> Result<(), EventsError> {
        let Some((this, sent)) = under_way.pop_front() else { return Ok(()) };
        self.runtime.block_on(sent.into_future()).map_err(stream_failed)?;
        self.counts.left(this.position);
        self.next = this.behind();
        Ok(())
    }
}
