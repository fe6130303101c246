//! Commits: one accepted command with its events, and the bytes it is kept in.

use crate::{
    ActorId, Date, DecodeError, Event, Instant, PartnerId, PostingLine, Sealed, Stream,
    posting::vocabulary,
    wire::{bytes, write_behind},
};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The first byte of every commit in the layout below.
const FORMAT: u8 = 1;
/// Most commits are smaller, and are written without growing the buffer.
const USUAL_BYTES: usize = 512;

vocabulary! {
    /// What a sender is to the ledger, as its connection says.
    Role {
        /// A partner's own user or system.
        Partner = 1 => "partner",
        /// A trusted service of the vendor.
        Service = 2 => "service",
        /// A channel manager, with a level of authority.
        ChannelManager = 3 => "channel_manager",
        /// Finance: pays, recovers, closes.
        Finance = 4 => "finance",
        /// Runs the ledger; may back-date (migrations) and run every core command.
        Operator = 5 => "operator",
        /// Reads all, writes nothing.
        Auditor = 6 => "auditor",
        /// Reads the read models.
        Analyst = 7 => "analyst",
        /// The ledger's own policies.
        Policy = 8 => "policy",
        /// The ledger's own clock.
        Clock = 9 => "clock",
    }
}

/// Who sent a command, and with what claim on time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The sender's source: with the command's id the idempotency key, for ever.
    pub source: CompactString,
    /// The sender's id of the command.
    pub id: CompactString,
    /// Who acted.
    pub actor: ActorId,
    /// In whose name, when an operator or trusted service acts for somebody.
    pub on_behalf_of: Option<ActorId>,
    /// What the actor is to the ledger.
    pub role: Role,
    /// The partner a sender of role partner belongs to.
    pub partner: Option<PartnerId>,
    /// The level of authority of a channel manager.
    pub level: Option<u8>,
    /// An operator's late registration, which displaces nobody.
    pub backfill: bool,
    /// Why, in the sender's words.
    pub reason: Option<Sealed>,
    /// What the sender wants it found under.
    pub correlation: Option<CompactString>,
    /// The message that caused it.
    pub causation: Option<CompactString>,
}

/// A command as its commit keeps it: decoded only from floor 1 up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedCommand {
    /// The number of the command's type.
    pub tag: u16,
    /// The version of its frozen struct.
    pub version: u16,
    /// The struct's bytes; empty for commands of `/policy` and `/clock`.
    #[serde(with = "bytes")]
    pub data: Vec<u8>,
}

/// An event with what every event has.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    /// Its own business date; terms, lots and windows follow it.
    pub effective_on: Date,
    /// The date the books count it under.
    pub posted_on: Date,
    /// What happened.
    pub event: Event,
    /// What it posts; empty when no money moves.
    pub lines: Vec<PostingLine>,
}

/// One accepted command: a leaf of the log's tree.
#[derive(Debug, Clone, PartialEq)]
pub struct Commit {
    /// Dense, from 0; also the leaf index.
    pub position: u64,
    /// The one stream it changes.
    pub stream: Stream,
    /// The stream's version after it: how many commits the stream has.
    pub version: u64,
    /// Who sent it.
    pub origin: Origin,
    /// What was asked.
    pub command: RecordedCommand,
    /// When the ledger took it; never goes backwards.
    pub recorded_at: Instant,
    /// When it happened, where the sender was believed; else none, and `recorded_at` counts.
    pub believed_time: Option<Instant>,
    /// What happened; at least one, at most 64.
    pub events: Vec<RecordedEvent>,
}

/// Says why bytes are no commit.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The layout is not one this release reads.
    #[error("a commit of format {0}; this release reads format 1")]
    Format(u8),
    /// The bytes do not decode.
    #[error("a commit's bytes do not decode: {0}")]
    Bytes(#[from] postcard::Error),
    /// Bytes are left over behind the commit.
    #[error("{0} bytes are left over behind a commit")]
    Rest(usize),
    /// One of its events does not decode.
    #[error("event {index} of the commit at {position}: {source}")]
    Event {
        /// The commit's position.
        position: u64,
        /// Which of its events.
        index: usize,
        /// What is wrong with it.
        source: DecodeError,
    },
}

#[derive(Serialize, Deserialize)]
struct CommitV1<'a> {
    position: u64,
    stream: Cow<'a, Stream>,
    version: u64,
    origin: Cow<'a, Origin>,
    command: Cow<'a, RecordedCommand>,
    recorded_at: Instant,
    believed_time: Option<Instant>,
    #[serde(borrow)]
    events: Vec<EventV1<'a>>,
}

#[derive(Serialize, Deserialize)]
struct EventV1<'a> {
    tag: u16,
    version: u16,
    effective_on: Date,
    posted_on: Date,
    #[serde(borrow, with = "bytes")]
    data: Cow<'a, [u8]>,
    lines: Cow<'a, [PostingLine]>,
}

impl Commit {
    /// When it happened: the believed time, else the recording time.
    pub fn time(&self) -> Instant {
        self.believed_time.unwrap_or(self.recorded_at)
    }

    /// The commit's bytes; encoded once, when it is decided, and never again.
    pub fn encode(&self) -> Result<Vec<u8>, CommitError> {
        let events = self.events.iter().map(|recorded| {
            let kind = recorded.event.kind();
            Ok(EventV1 {
                tag: kind.tag,
                version: kind.version,
                effective_on: recorded.effective_on,
                posted_on: recorded.posted_on,
                data: recorded.event.encode()?.into(),
                lines: Cow::Borrowed(&recorded.lines),
            })
        });
        let wire = CommitV1 {
            position: self.position,
            stream: Cow::Borrowed(&self.stream),
            version: self.version,
            origin: Cow::Borrowed(&self.origin),
            command: Cow::Borrowed(&self.command),
            recorded_at: self.recorded_at,
            believed_time: self.believed_time,
            events: events.collect::<Result<_, postcard::Error>>()?,
        };
        let mut bytes = Vec::with_capacity(USUAL_BYTES);
        bytes.push(FORMAT);
        Ok(write_behind(bytes, &wire)?)
    }

    /// Reads a commit back; an unknown event type or version is an error that names it.
    pub fn decode(bytes: &[u8]) -> Result<Self, CommitError> {
        let (&format, body) = bytes.split_first().ok_or(CommitError::Format(0))?;
        if format != FORMAT {
            return Err(CommitError::Format(format));
        }
        let (wire, rest) = postcard::take_from_bytes::<CommitV1<'_>>(body)?;
        if !rest.is_empty() {
            return Err(CommitError::Rest(rest.len()));
        }
        let position = wire.position;
        let events = wire.events.into_iter().enumerate().map(|(index, event)| {
            Ok(RecordedEvent {
                effective_on: event.effective_on,
                posted_on: event.posted_on,
                event: Event::decode(event.tag, event.version, &event.data)
                    .map_err(|source| CommitError::Event { position, index, source })?,
                lines: event.lines.into_owned(),
            })
        });
        Ok(Self {
            position,
            stream: wire.stream.into_owned(),
            version: wire.version,
            origin: wire.origin.into_owned(),
            command: wire.command.into_owned(),
            recorded_at: wire.recorded_at,
            believed_time: wire.believed_time,
            events: events.collect::<Result<_, CommitError>>()?,
        })
    }
}
