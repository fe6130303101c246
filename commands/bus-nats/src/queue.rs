//! The queue: commands to publish and go. They are kept on disk until they are decided, in the
//! order they came; each answer goes to the results, and what is no command is parked.
//!
//! A command may be delivered again at any time, after a crash or a lost acknowledgement: its key
//! makes that harmless, and its answer is the first one again.
//!
//! What people wrote stays on no disk: whenever the queue is empty, the servers remove the files that
//! its commands stood in, and of results they keep no text opened.

use crate::{
    counts::{Counts, QueueCounts},
    desk::{Desk, traced},
    door::Behind,
    parking::{CODE, MESSAGE, one_line},
    subject::{self, Lane, Subjects},
};
use async_nats::{
    HeaderMap, Subject,
    jetstream::{
        self, AckKind, Context,
        consumer::{AckPolicy, PullConsumer, pull},
        stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream},
    },
};
use chl_bus::{Answer, Answered};
use futures_util::StreamExt;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};

/// The header in which a sender may name its inbox, to be answered there as well.
pub const REPLY_TO: &str = "Chl-Reply-To";

/// How often the queue's length is looked at.
const MEASURED: Duration = Duration::from_secs(5);
/// How long a command may be under way before it is delivered again.
const ACK_WAIT: Duration = Duration::from_secs(60);
/// How long a queue that could not be read is left alone.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a command that could not be decided waits at most before it is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// What does not fit into a command's document fits into no message either.
const MAX_MESSAGE_BYTES: i32 = 64 * 1024;

/// How the queue is kept.
#[derive(Debug, Clone, Copy)]
pub struct QueueOptions {
    /// On how many servers.
    pub replicas: usize,
    /// How many commands are under way at most.
    pub under_way: usize,
    /// How long results stay.
    pub results_age: Duration,
    /// How many bytes of results stay at most; the oldest go first.
    pub results_bytes: i64,
    /// How long it is told what became of a command that was parked.
    pub settled_age: Duration,
}

impl Default for QueueOptions {
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        Self {
            replicas: 1,
            under_way: 512,
            results_age: days(7),
            results_bytes: 1 << 30,
            settled_age: days(365),
        }
    }
}

/// Says why the queue could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A stream is not as it should be, or cannot be made.
    #[error("the stream {name}: {source}")]
    Stream {
        /// Its name.
        name: String,
        /// What JetStream says.
        source: async_nats::Error,
    },
}

fn stream_error<E: Into<async_nats::Error>>(name: &str) -> impl FnOnce(E) -> QueueError + '_ {
    move |source| QueueError::Stream { name: name.into(), source: source.into() }
}

/// The queue of a ledger, being worked off.
pub struct Queue {
    stop: watch::Sender<bool>,
    working: JoinHandle<()>,
}

impl Queue {
    /// Makes the streams where there are none, and begins to work the queue off.
    pub async fn open(
        nats: &async_nats::Client,
        behind: &Behind,
        options: QueueOptions,
    ) -> Result<Self, QueueError> {
        let subjects = Subjects::of(behind.ledger.clone());
        let context = jetstream::new(nats.clone());
        let queue = made(&context, kept(&subjects, options)).await?;
        made(&context, results(&subjects, options)).await?;
        made(&context, parking(&subjects, options)).await?;
        made(&context, settled(&subjects, options)).await?;
        let name = subjects.stream("queue");
        let durable = pull::Config {
            durable_name: Some("writer".into()),
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: i64::try_from(options.under_way).unwrap_or(i64::MAX),
            ..Default::default()
        };
        let consumer: PullConsumer =
            queue.get_or_create_consumer("writer", durable).await.map_err(stream_error(&name))?;
        let Behind { ledger, client, actors, .. } = behind;
        let desk = Desk::new(ledger, client.clone(), None, Arc::clone(actors));
        let (desk, counts) = (Arc::new(desk), Counts::of(ledger).queue());
        let worker = Worker { nats: nats.clone(), context, queue, subjects, desk, counts };
        let (stop, stopped) = watch::channel(false);
        let working = tokio::spawn(Arc::new(worker).run(consumer, options.under_way, stopped));
        Ok(Self { stop, working })
    }

    /// Stops: what was taken from the queue is decided and answered, the rest stays in it.
    pub async fn close(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.working.await {
            tracing::error!(%error, "the queue's worker broke");
        }
    }
}

/// A stream of this configuration: the one that is there, if it is the same, else a new one.
async fn made(context: &Context, config: Config) -> Result<Stream, QueueError> {
    let name = config.name.clone();
    context.create_stream(config).await.map_err(stream_error(&name))
}

fn kept(subjects: &Subjects, options: QueueOptions) -> Config {
    Config {
        name: subjects.stream("queue"),
        subjects: vec![subjects.all(Lane::Queue)],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_message_size: MAX_MESSAGE_BYTES,
        num_replicas: options.replicas,
        ..Default::default()
    }
}

fn results(subjects: &Subjects, options: QueueOptions) -> Config {
    Config {
        name: subjects.stream("results"),
        subjects: vec![subjects.all(Lane::Result)],
        storage: StorageType::File,
        max_age: options.results_age,
        max_bytes: options.results_bytes,
        num_replicas: options.replicas,
        ..Default::default()
    }
}

fn parking(subjects: &Subjects, options: QueueOptions) -> Config {
    Config {
        name: subjects.stream("parked"),
        subjects: vec![subjects.parked("*", "*")],
        storage: StorageType::File,
        num_replicas: options.replicas,
        ..Default::default()
    }
}

fn settled(subjects: &Subjects, options: QueueOptions) -> Config {
    Config {
        name: subjects.stream("settled"),
        subjects: vec![subjects.settled("*", "*")],
        max_age: options.settled_age,
        ..parking(subjects, options)
    }
}

struct Worker {
    nats: async_nats::Client,
    context: Context,
    queue: Stream,
    subjects: Subjects,
    desk: Arc<Desk>,
    counts: QueueCounts,
}

impl Worker {
    async fn run(
        self: Arc<Self>,
        consumer: PullConsumer,
        under_way: usize,
        mut stopped: watch::Receiver<bool>,
    ) {
        let room = Arc::new(Semaphore::new(under_way));
        let mut again = tokio::time::interval(MEASURED);
        let mut cleared = 0;
        while !*stopped.borrow() {
            // Servers that do not answer, since the queue's own is away, hold up no end.
            let opened = tokio::select! {
                _ = stopped.changed() => break,
                opened = consumer.messages() => opened,
            };
            let mut messages = match opened {
                Ok(messages) => messages,
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be read; trying again");
                    // Whether it was told to stop meanwhile is looked at above.
                    let _told = tokio::time::timeout(AGAIN, stopped.changed()).await;
                    continue;
                }
            };
            loop {
                let next = tokio::select! {
                    _ = stopped.changed() => break,
                    _ = again.tick() => {
                        tokio::select! {
                            _ = stopped.changed() => break,
                            () = self.measure(&consumer, &mut cleared) => continue,
                        }
                    }
                    next = messages.next() => next,
                };
                let Some(message) = next else { break };
                match message {
                    Ok(message) => self.take(message, &room).await,
                    Err(error) => {
                        tracing::warn!(%error, "the queue is read anew");
                        break;
                    }
                }
            }
        }
        let all = u32::try_from(under_way).unwrap_or(u32::MAX);
        let _everybody = room.acquire_many(all).await;
    }

    /// Shows how long the queue is, and clears it when it is empty.
    async fn measure(&self, consumer: &PullConsumer, cleared: &mut u64) {
        match consumer.get_info().await {
            Ok(info) => {
                self.counts.pending.set(info.num_pending as f64);
                self.counts.under_way.set(info.num_ack_pending as f64);
                let (last, left) = (info.delivered.stream_sequence, info.num_pending);
                let empty = left == 0 && info.num_ack_pending == 0;
                if empty && last > *cleared && self.clear(last).await {
                    *cleared = last;
                }
            }
            Err(error) => tracing::debug!(%error, "the queue's length is not known"),
        }
    }

    /// Has the servers remove the files that done commands stood in, up to the last of them:
    /// acknowledged alone, their bytes would stay as long as the file. What came since stays. Says
    /// whether it was done.
    async fn clear(&self, last: u64) -> bool {
        let cleared = self.queue.purge().sequence(last.saturating_add(1)).await;
        if let Err(error) = &cleared {
            tracing::warn!(%error, "commands that are done are still in the queue's files");
        }
        cleared.is_ok()
    }

    /// Sends a command on, in the order of the queue, once there is room for it.
    async fn take(self: &Arc<Self>, message: jetstream::Message, room: &Arc<Semaphore>) {
        // The room is never closed.
        let Ok(place) = Arc::clone(room).acquire_owned().await else { return };
        let answered = self.desk.take(&message.message, self.desk.connection(&message.message));
        let worker = Arc::clone(self);
        tokio::spawn(async move {
            let kind = worker.settle(&message, answered.await).await;
            // An acknowledgement that is lost brings the command again, which is harmless.
            if let Err(error) = message.ack_with(kind).await {
                tracing::debug!(%error, "an acknowledgement was lost");
            }
            drop(place);
        });
    }

    /// Puts the answer where it belongs; says whether the command is done.
    async fn settle(&self, message: &jetstream::Message, answered: Answered) -> AckKind {
        let Answered { outcome, body, trace } = answered;
        let (sequence, tries) =
            message.info().map_or((0, 1), |info| (info.stream_sequence, info.delivered));
        if tries > 1 {
            self.counts.redelivered.increment(1);
        }
        let headers = traced(once(sequence), trace);
        let again = || AckKind::Nak(Some(pause(tries)));
        let reason = match &outcome {
            Ok(Answer::Failed { failure, .. }) if failure.retry() => return again(),
            Ok(Answer::Failed { failure, .. }) => Some((failure.code(), failure.to_string())),
            Ok(Answer::Rejected { refused, .. }) if refused.is_malformed() => {
                Some((refused.code(), refused.to_string()))
            }
            Ok(Answer::Accepted(_) | Answer::Rejected { .. }) => None,
            // Whoever set a deadline does not want it later.
            Err(refusal) if refusal.retry() => None,
            Err(refusal) => Some((refusal.code(), refusal.to_string())),
        };
        let put = async {
            if let Some((code, text)) = reason {
                self.park(message, headers.clone(), code, &text).await?;
            }
            self.publish_result(message, headers, body).await
        };
        match put.await {
            Ok(()) => AckKind::Ack,
            Err(error) => {
                tracing::warn!(%error, "a result could not be kept; its command comes again");
                again()
            }
        }
    }

    async fn park(
        &self,
        message: &jetstream::Message,
        mut headers: HeaderMap,
        code: &'static str,
        text: &str,
    ) -> Result<(), jetstream::context::PublishError> {
        let (actor, name) = names(message);
        headers.insert(CODE, code);
        headers.insert(MESSAGE, one_line(text).as_str());
        self.kept(self.subjects.parked(&actor, name), headers, message.payload.to_vec()).await?;
        self.counts.parked(code);
        Ok(())
    }

    async fn publish_result(
        &self,
        message: &jetstream::Message,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(), jetstream::context::PublishError> {
        let (actor, name) = names(message);
        let inbox = message.headers.as_ref().and_then(|headers| headers.get(REPLY_TO));
        if let Some(inbox) = inbox.filter(|inbox| subject::is_inbox(inbox.as_str()))
            && let Err(error) = self
                .nats
                .publish_with_headers(
                    Subject::from(inbox.as_str()),
                    headers.clone(),
                    body.clone().into(),
                )
                .await
        {
            tracing::debug!(%error, "an inbox could not be answered; the result is kept");
        }
        self.kept(self.subjects.one(Lane::Result, &actor, name), headers, body).await?;
        self.counts.results.increment(1);
        Ok(())
    }

    async fn kept(
        &self,
        subject: String,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> Result<(), jetstream::context::PublishError> {
        let sent = self.context.publish_with_headers(subject, headers, body.into()).await?;
        sent.await.map(drop)
    }
}

/// The same message of the queue leaves one result, also when it is delivered again soon.
fn once(sequence: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(async_nats::header::NATS_MESSAGE_ID, sequence.to_string().as_str());
    headers
}

/// Whose command it is, and of which type.
fn names(message: &jetstream::Message) -> (String, &str) {
    let subject = message.subject.as_str();
    let actor = subject::sender(subject).map_or_else(|| "unknown".into(), |id| id.to_string());
    (actor, subject::name(subject))
}

/// How long a command waits before its next try: a second, then twice as long each time.
fn pause(tries: i64) -> Duration {
    let doublings = tries.clamp(1, 16) - 1;
    Duration::from_secs(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let seconds: Vec<_> = (1..8).map(|tries| pause(tries).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause(i64::MAX), LONGEST_PAUSE);
    }
}
