//! What a partner missed of its feed while it was away, from what is still kept.

use crate::subject::Subjects;
use async_nats::jetstream::{self, Context, consumer::pull::OrderedConfig};
use chl_events::{Code, PartnerId};
use futures_util::StreamExt;
use serde_json::Value;
use std::time::Duration;
use tokio::{runtime::Handle, time::timeout};

/// How long one message of the stream may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// A piece of a partner's feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Missed {
    /// The events, the oldest first.
    pub events: Vec<Value>,
    /// Whether there are more behind the last one.
    pub more: bool,
}

/// Says why a feed cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum MissedError {
    /// The event to go on behind is not kept any more, or never was this partner's.
    #[error(
        "the event {0} is not kept any more: ask the read models how things stand, and follow from \
         now on"
    )]
    Gone(String),
    /// The stream does not answer.
    #[error("the stream of feeds: {0}")]
    Stream(#[source] async_nats::Error),
    /// An event is no JSON.
    #[error("an event of the feed cannot be read: {0}")]
    Event(#[from] serde_json::Error),
}

fn stream_failed(error: impl Into<async_nats::Error>) -> MissedError {
    MissedError::Stream(error.into())
}

/// Reads partners' feeds. Its calls block: they are made from threads of their own.
#[derive(Debug, Clone)]
pub struct FeedReader {
    runtime: Handle,
    context: Context,
    subjects: Subjects,
}

impl FeedReader {
    /// The reader of a ledger's feeds; it is made within the runtime of the connection.
    pub fn new(nats: &async_nats::Client, ledger: &Code) -> Self {
        let context = jetstream::new(nats.clone());
        Self { runtime: Handle::current(), context, subjects: Subjects::of(ledger.clone()) }
    }

    /// So many events of a partner's feed at most, behind the one of an id, or from the oldest.
    pub fn read(
        &self,
        partner: &PartnerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Missed, MissedError> {
        self.runtime.block_on(self.behind(partner, after, limit))
    }

    async fn behind(
        &self,
        partner: &PartnerId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Missed, MissedError> {
        let name = self.subjects.stream("partners");
        let stream = self.context.get_stream(name).await.map_err(stream_failed)?;
        let filter_subject = self.subjects.partner(partner.as_str(), "*");
        let config = OrderedConfig { filter_subject, ..Default::default() };
        let consumer = stream.create_consumer(config).await.map_err(stream_failed)?;
        let mut left = consumer.cached_info().num_pending;
        let mut messages = consumer.messages().await.map_err(stream_failed)?;
        let mut missed = Missed { events: Vec::new(), more: false };
        let mut looking_for = after;
        while left > 0 {
            let next = timeout(PATIENCE, messages.next()).await.map_err(stream_failed)?;
            let Some(message) = next else { break };
            let message = message.map_err(stream_failed)?;
            left -= 1;
            if let Some(id) = looking_for {
                let headers = message.headers.as_ref();
                let own = headers.and_then(|all| all.get(async_nats::header::NATS_MESSAGE_ID));
                if own.is_some_and(|own| own.as_str() == id) {
                    looking_for = None;
                }
                continue;
            }
            if missed.events.len() == limit {
                missed.more = true;
                break;
            }
            missed.events.push(serde_json::from_slice(&message.payload)?);
        }
        match looking_for {
            Some(id) => Err(MissedError::Gone(id.chars().take(64).collect())),
            None => Ok(missed),
        }
    }
}
