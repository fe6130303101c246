//! What is parked: commands of the queue that are none, until somebody deals with each.
//!
//! Dealing with one leaves a note of who did what and why, with the document as it was; only then
//! is it taken out. So nothing of the queue is ever gone without a trace.

use crate::subject::{Lane, Subjects};
use async_nats::{
    HeaderMap,
    jetstream::{
        self, Context,
        message::StreamMessage,
        stream::{RawMessageErrorKind, Stream},
    },
};
use chl_events::{ActorId, Code, Instant};

/// The headers of what is parked, and of what was.
pub(crate) const CODE: &str = "Chl-Code";
pub(crate) const MESSAGE: &str = "Chl-Message";
const DONE: &str = "Chl-Done";
const BY: &str = "Chl-By";
const REASON: &str = "Chl-Reason";
const SENT_AS: &str = "Chl-Sent-As";
const PARKED: &str = "Chl-Parked";

/// Says why what is parked cannot be read or dealt with.
#[derive(Debug, thiserror::Error)]
pub enum ParkingError {
    /// A stream does not answer, or does not permit it.
    #[error("the stream {name}: {source}")]
    Stream {
        /// Its name.
        name: String,
        /// What JetStream says.
        source: async_nats::Error,
    },
    /// Nothing of that number is parked.
    #[error("nothing is parked under {0}: it was never there, or has been dealt with")]
    Unknown(u64),
    /// The queue did not take it.
    #[error("the queue did not take it: {0}")]
    Queue(#[source] jetstream::context::PublishError),
    /// The note was not kept, so that it stays where it is.
    #[error("the note of what was done could not be kept: {0}")]
    Note(#[source] jetstream::context::PublishError),
}

/// A command of the queue that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Its number in the parking stream.
    pub sequence: u64,
    /// Who sent it.
    pub actor: String,
    /// The type its subject names.
    pub name: String,
    /// Why it was parked.
    pub code: String,
    /// The same for people.
    pub message: String,
    /// When, as the server says (RFC 3339).
    pub at: String,
    /// Its document, as it was sent.
    pub document: Vec<u8>,
}

/// What became of one that was parked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// What it was; `at` is when it was dealt with.
    pub parked: Parked,
    /// `sent` or `dropped`.
    pub done: String,
    /// Who dealt with it.
    pub by: String,
    /// Why it was dropped.
    pub reason: String,
    /// Under whose name it was sent.
    pub sent_as: String,
}

/// How one is dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deal<'a> {
    /// It is put into the queue again, as it was or mended.
    Send {
        /// Under whose name: the servers say who may.
        sent_as: &'a ActorId,
        /// The type of the command.
        name: &'a str,
        /// Its document.
        document: &'a [u8],
    },
    /// It is taken out.
    Drop {
        /// Why.
        reason: &'a str,
    },
}

/// The parking of a ledger.
#[derive(Debug, Clone)]
pub struct Parking {
    context: Context,
    subjects: Subjects,
}

impl Parking {
    /// That of a ledger.
    pub fn of(nats: &async_nats::Client, ledger: &Code) -> Self {
        Self { context: jetstream::new(nats.clone()), subjects: Subjects::of(ledger.clone()) }
    }

    /// What is parked, the oldest first.
    pub async fn list(&self) -> Result<Vec<Parked>, ParkingError> {
        Ok(self.all("parked").await?.iter().map(parked).collect())
    }

    /// One that is parked.
    pub async fn one(&self, sequence: u64) -> Result<Parked, ParkingError> {
        let stream = self.stream("parked").await?;
        let message = stream.get_raw_message(sequence).await.map_err(|error| {
            if error.kind() == RawMessageErrorKind::NoMessageFound {
                ParkingError::Unknown(sequence)
            } else {
                self.failed("parked", error)
            }
        })?;
        Ok(parked(&message))
    }

    /// What became of those that were parked, the oldest first.
    pub async fn settled(&self) -> Result<Vec<Settled>, ParkingError> {
        Ok(self.all("settled").await?.iter().map(settled).collect())
    }

    /// Deals with one that is parked, and notes it.
    pub async fn settle(
        &self,
        one: &Parked,
        deal: &Deal<'_>,
        by: &ActorId,
    ) -> Result<(), ParkingError> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (PARKED, one.sequence.to_string().as_str()),
            (CODE, &one.code),
            (MESSAGE, &one.message),
            (BY, by.as_str()),
        ] {
            headers.insert(name, one_line(value).as_str());
        }
        match deal {
            Deal::Send { sent_as, name, document } => {
                let queue = self.subjects.one(Lane::Queue, sent_as.as_str(), name);
                let sent = self.context.publish(queue, document.to_vec().into());
                // Should all that follows fail, it is parked still; its id makes it harmless to
                // send it again.
                let sent = sent.await.map_err(ParkingError::Queue)?;
                sent.await.map_err(ParkingError::Queue)?;
                headers.insert(DONE, "sent");
                headers.insert(SENT_AS, sent_as.as_str());
            }
            Deal::Drop { reason } => {
                headers.insert(DONE, "dropped");
                headers.insert(REASON, one_line(reason).as_str());
            }
        }
        let note = self.subjects.settled(&one.actor, &one.name);
        let noted = self.context.publish_with_headers(note, headers, one.document.clone().into());
        noted.await.map_err(ParkingError::Note)?.await.map_err(ParkingError::Note)?;
        let stream = self.stream("parked").await?;
        let gone = stream.delete_message(one.sequence).await;
        gone.map(drop).map_err(|error| self.failed("parked", error))
    }

    async fn stream(&self, what: &str) -> Result<Stream, ParkingError> {
        let name = self.subjects.stream(what);
        self.context.get_stream(name).await.map_err(|error| self.failed(what, error))
    }

    async fn all(&self, what: &str) -> Result<Vec<StreamMessage>, ParkingError> {
        let stream = self.stream(what).await?;
        let state = &stream.cached_info().state;
        let mut found = Vec::new();
        for sequence in state.first_sequence..=state.last_sequence {
            match stream.get_raw_message(sequence).await {
                Ok(message) => found.push(message),
                // One that has been dealt with.
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {}
                Err(error) => return Err(self.failed(what, error)),
            }
        }
        Ok(found)
    }

    fn failed(&self, what: &str, source: impl Into<async_nats::Error>) -> ParkingError {
        ParkingError::Stream { name: self.subjects.stream(what), source: source.into() }
    }
}

fn header(message: &StreamMessage, name: &str) -> String {
    message.headers.get(name).map_or_else(String::new, |value| value.as_str().to_owned())
}

/// When the server took it, as every instant is written.
fn instant(message: &StreamMessage) -> String {
    let micros = message.time.unix_timestamp_nanos() / 1000;
    i64::try_from(micros).map_or_else(
        |_| message.time.to_string(),
        |micros| Instant::from_micros(micros).to_string(),
    )
}

fn parked(message: &StreamMessage) -> Parked {
    let mut tokens = message.subject.as_str().split('.').skip(3);
    let mut token = || tokens.next().unwrap_or_default().to_owned();
    Parked {
        sequence: message.sequence,
        actor: token(),
        name: token(),
        code: header(message, CODE),
        message: header(message, MESSAGE),
        at: instant(message),
        document: message.payload.to_vec(),
    }
}

fn settled(message: &StreamMessage) -> Settled {
    let sequence = header(message, PARKED).parse().unwrap_or_default();
    Settled {
        parked: Parked { sequence, ..parked(message) },
        done: header(message, DONE),
        by: header(message, BY),
        reason: header(message, REASON),
        sent_as: header(message, SENT_AS),
    }
}

/// A header holds one line.
pub(crate) fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
