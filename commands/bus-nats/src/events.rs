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
use chl_bus::{TraceParent, Traces, Viewer, show_texts};
use chl_events::{Code, Commit, RecordedEvent, Role};
use chl_log::{ReadError, ReadLog};
use serde_json::{Value, json};
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
            None => Next { position: options.from.unwrap_or(log.head().next), index: 0 },
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

/// The next event to publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Next {
    position: u64,
    index: usize,
}

impl Next {
    fn id(self) -> String {
        format!("{}.{}", self.position, self.index)
    }

    /// What comes behind an event of this id.
    fn behind(id: &str) -> Option<Self> {
        let (position, index) = id.split_once('.')?;
        let index = index.parse::<usize>().ok()?.saturating_add(1);
        Some(Self { position: position.parse().ok()?, index })
    }
}

/// What comes behind the newest event of the stream; none for an empty one.
async fn published(stream: &Stream) -> Result<Option<Next>, EventsError> {
    let last = last_id(stream).await.map_err(EventsError::Stream)?;
    Ok(last.and_then(|id| Next::behind(&id)))
}

struct Publisher {
    runtime: Handle,
    context: Context,
    subjects: Subjects,
    log: Arc<dyn ReadLog>,
    traces: Arc<Traces>,
    counts: EventCounts,
    next: Next,
    stop: Stop,
}

type UnderWay = VecDeque<(Next, PublishAckFuture)>;

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
                    let this = Next { position, index };
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
        this: Next,
        commit: &Commit,
        event: &RecordedEvent,
        under_way: &mut UnderWay,
    ) -> Result<(), EventsError> {
        if under_way.len() >= UNDER_WAY {
            self.confirm(under_way)?;
        }
        let trace = self.traces.of(this.position);
        let document = document(self.subjects.ledger(), this, commit, (event, trace))?;
        let kind = event.event.kind().name;
        let subject = self.subjects.event(kind, &commit.stream.to_string());
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, this.id().as_str());
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
        self.next = Next { index: this.index.saturating_add(1), ..this };
        Ok(())
    }
}

/// An event as a CloudEvent; texts of persons stay sealed.
fn document(
    ledger: &str,
    this: Next,
    commit: &Commit,
    (recorded, trace): (&RecordedEvent, Option<TraceParent>),
) -> Result<Value, serde_json::Error> {
    let mut shown = serde_json::to_value(&recorded.event)?;
    let nobody = Viewer { role: Role::Analyst, partner: None, vault: None };
    show_texts(&mut shown, &nobody);
    let mut document = json!({
        "specversion": "1.0",
        "id": this.id(),
        "source": format!("/chl/{ledger}"),
        "type": shown.get("type"),
        "subject": commit.stream.to_string(),
        "time": commit.time().to_string(),
        "datacontenttype": "application/json",
        "position": commit.position,
        "streamversion": commit.version,
        "effectiveon": recorded.effective_on.to_string(),
        "recordedtime": commit.recorded_at.to_string(),
        "actor": commit.origin.actor,
        "commandid": commit.origin.id,
        "commandsource": commit.origin.source,
        "correlationid": commit.origin.correlation,
        "data": shown.get("data"),
    });
    if let (Some(trace), Value::Object(attributes)) = (trace, &mut document) {
        attributes.insert("traceparent".into(), trace.to_string().into());
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_comes_behind_it() {
        let next = Next { position: 7, index: 2 };
        assert_eq!(Next::behind(&Next { position: 7, index: 1 }.id()), Some(next));
        assert_eq!(Next::behind("7"), None);
    }
}
