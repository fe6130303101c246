//! The stream as the network lets one reach it: requests, and what became of them.

use crate::{Connection, Fault};
use async_nats::jetstream::{
    self, Context,
    consumer::{AckPolicy, Consumer, DeliverPolicy, pull},
    context::{PublishError, PublishErrorKind, RequestErrorKind},
    message::{PublishMessage, StreamMessage},
    response::Response,
    stream::{Config, ConsumerErrorKind, Info, RawMessage},
};
use chl_events::Block;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    error::Error,
    time::{Duration, Instant},
};
use tokio::time::sleep;

/// A consumer that nobody asks is forgotten by the servers after this long.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// The first pause before something is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(400));

/// A ledger's stream.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) connection: Connection,
    context: Context,
    pub(crate) stream: String,
    subject: String,
    replicated: bool,
    pub(crate) answer_timeout: Duration,
    pub(crate) patience: Duration,
}

#[derive(Serialize)]
struct GetMessage {
    seq: u64,
}

#[derive(Deserialize)]
struct GotMessage {
    message: RawMessage,
}

impl Remote {
    pub(crate) fn new(connection: &Connection, options: &crate::Options) -> Result<Self, Fault> {
        Ok(Self {
            connection: connection.clone(),
            context: connection.jetstream(options.answer_timeout)?,
            stream: options.stream.clone(),
            subject: options.subject.clone(),
            replicated: options.replicas > 1,
            answer_timeout: options.answer_timeout,
            patience: options.patience,
        })
    }

    /// Asks JetStream something.
    async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        payload: &impl Serialize,
    ) -> Result<T, Fault> {
        let refusals = self.connection.refusals();
        let subject = format!("{what}.{}", self.stream);
        match self.context.request(subject.clone(), payload).await {
            Ok(Response::Ok(answer)) => Ok(answer),
            Ok(Response::Err { error }) => Err(Fault::of_jetstream(error)),
            Err(error) => Err(match error.kind() {
                RequestErrorKind::TimedOut => self.unanswered(refusals, &subject),
                RequestErrorKind::NoResponders => Fault::NoLeader,
                RequestErrorKind::InvalidSubject | RequestErrorKind::Other => {
                    Fault::Client(Box::new(error))
                }
            }),
        }
    }

    /// What it means that nothing came back: a refused permission says so elsewhere.
    fn unanswered(&self, refusals_before: u64, subject: &str) -> Fault {
        let refused = self.connection.refusal_after(refusals_before, subject);
        refused.map_or(Fault::NoAnswer, Fault::Forbidden)
    }

    /// The stream's settings and state, from its leader.
    pub(crate) async fn info(&self) -> Result<Info, Fault> {
        self.ask("STREAM.INFO", &()).await
    }

    /// Makes the stream; one that is there with the same settings is as good.
    pub(crate) async fn create(&self, config: &Config) -> Result<Info, Fault> {
        self.ask("STREAM.CREATE", config).await
    }

    /// The sequence of the last message, from the stream's leader.
    pub(crate) async fn last(&self) -> Result<u64, Fault> {
        Ok(self.info().await?.state.last_sequence)
    }

    /// The sequence of the last message, asked for until a leader answers.
    ///
    /// An answer below `seen` may come from a leader that was deposed and does not know it yet:
    /// where there can be several, it is asked again; the last answer counts.
    pub(crate) async fn last_in_time(&self, seen: u64) -> Result<u64, Fault> {
        let mut patience = Patience::new(self.patience);
        loop {
            match self.last().await {
                Ok(last) if last >= seen || !self.replicated => return Ok(last),
                found if !patience.again().await => return found,
                _ => {}
            }
        }
    }

    /// A message, from the stream's leader.
    pub(crate) async fn message(&self, sequence: u64) -> Result<StreamMessage, Fault> {
        let got: GotMessage = self.ask("STREAM.MSG.GET", &GetMessage { seq: sequence }).await?;
        let message = StreamMessage::try_from(got.message).map_err(Fault::Client)?;
        if message.sequence != sequence {
            let found = message.sequence;
            return Err(Fault::Answer(format!("message {found} instead of {sequence}")));
        }
        Ok(message)
    }

    /// Sends a block that expects to follow message `after`; the answer is waited for apart.
    pub(crate) async fn send(&self, block: &Block, after: u64) -> Result<Sent, Fault> {
        let message = PublishMessage::build()
            .payload(block.bytes().to_vec().into())
            .expected_stream(&self.stream)
            .expected_last_sequence(after);
        let refusals = self.connection.refusals();
        let sent = self.context.send_publish(self.subject.clone(), message).await;
        let answer = sent.map_err(|error| self.not_published(error, refusals))?;
        Ok(Sent { answer, wanted: after + 1, refusals, since: Instant::now() })
    }

    /// Waits for the answer to a block that was sent.
    pub(crate) async fn answer(&self, sent: Sent) -> Result<(), Fault> {
        let Sent { answer, wanted, refusals, since } = sent;
        let left = self.answer_timeout.saturating_sub(since.elapsed());
        let Ok(answer) = tokio::time::timeout(left, answer).await else {
            return Err(self.unanswered(refusals, &self.subject));
        };
        let stored = answer.map_err(|error| self.not_published(error, refusals))?;
        if stored.sequence == wanted && stored.stream == self.stream && !stored.duplicate {
            return Ok(());
        }
        Err(Fault::Answer(format!("stored as {stored:?} instead of message {wanted}")))
    }

    fn not_published(&self, error: PublishError, refusals: u64) -> Fault {
        match error.kind() {
            PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
                self.unanswered(refusals, &self.subject)
            }
            PublishErrorKind::StreamNotFound => Fault::NoLeader,
            PublishErrorKind::WrongLastMessageId
            | PublishErrorKind::WrongLastSequence
            | PublishErrorKind::MaxAckPending
            | PublishErrorKind::MaxPayloadExceeded
            | PublishErrorKind::Other => match jetstream_error(&error) {
                Some(refusal) => Fault::of_jetstream(refusal),
                None => Fault::Client(Box::new(error)),
            },
        }
    }

    /// Makes a consumer that gives all messages from one on, in order, without acknowledgements.
    ///
    /// It lives in the memory of one server: with that server it goes, and another is made.
    pub(crate) async fn consumer(&self, from: u64) -> Result<Consumer<pull::Config>, Fault> {
        let config = pull::Config {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
            ack_policy: AckPolicy::None,
            inactive_threshold: FORGOTTEN_AFTER,
            num_replicas: 1,
            memory_storage: true,
            ..pull::Config::default()
        };
        let refusals = self.connection.refusals();
        let made = self.context.create_consumer_on_stream(config, &self.stream).await;
        made.map_err(|error| match error.kind() {
            ConsumerErrorKind::TimedOut => self.unanswered(refusals, "CONSUMER.CREATE"),
            ConsumerErrorKind::JetStream(refusal) => Fault::of_jetstream(refusal),
            ConsumerErrorKind::Request
            | ConsumerErrorKind::InvalidConsumerType
            | ConsumerErrorKind::InvalidName
            | ConsumerErrorKind::Other => match jetstream_error(&error) {
                Some(refusal) => Fault::of_jetstream(refusal),
                None => Fault::Client(Box::new(error)),
            },
        })
    }

    /// Lets a consumer go; the servers forget it by themselves where this does not arrive.
    pub(crate) fn forget(&self, consumer: Consumer<pull::Config>) {
        let (context, stream) = (self.context.clone(), self.stream.clone());
        let name = consumer.cached_info().name.clone();
        let forgetting = self.connection.spawn(async move {
            let deleted = context.delete_consumer_from_stream(name, stream).await;
            tracing::trace!(ok = deleted.is_ok(), "a consumer was given up");
        });
        tracing::trace!(ok = forgetting.is_ok(), "a consumer is being given up");
    }
}

/// A block on its way.
pub(crate) struct Sent {
    answer: jetstream::context::PublishAckFuture,
    wanted: u64,
    refusals: u64,
    since: Instant,
}

/// JetStream's own error among the causes of a client's error.
fn jetstream_error(error: &(dyn Error + 'static)) -> Option<jetstream::Error> {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.find_map(|cause| cause.downcast_ref::<jetstream::Error>().cloned())
}

/// Tries again and again, ever more slowly, until a time is over.
pub(crate) struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, pause: PAUSES.0 }
    }

    /// Waits before the next attempt; says no when there is to be none.
    pub(crate) async fn again(&mut self) -> bool {
        if Instant::now() + self.pause >= self.until {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSES.1);
        true
    }
}
