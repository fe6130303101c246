//! What surrounds a decision: who asks, when, and what comes of it.

use crate::calendar::Zone;
use crate::rejection::AnyRejection;
use chl_commands::Command;
use chl_events::{
    ActorId, Date, Event, FreeText, Instant, Origin, PostingLine, RecordedEvent, Role, Sealable,
    Sealed,
};

/// Who asks, and when.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The sender.
    pub origin: &'a Origin,
    /// When the ledger takes the command.
    pub recorded_at: Instant,
    /// When it happened: the believed time, else `recorded_at`.
    pub time: Instant,
}

impl Context<'_> {
    /// In whose name the command is: on behalf of, else the actor. Four eyes compare this.
    pub fn author(&self) -> &ActorId {
        self.origin.on_behalf_of.as_ref().unwrap_or(&self.origin.actor)
    }

    /// Checks that the time the sender claims is not after the recording (class 6).
    pub(crate) fn require_time(&self) -> Result<(), AnyRejection> {
        if self.time <= self.recorded_at {
            return Ok(());
        }
        Err(AnyRejection::InFuture { field: "time", value: self.time.to_string() })
    }

    /// Checks that a date is not after the day of the recording in a zone (class 6); for every
    /// date that is no plan and no end.
    pub(crate) fn require_past(
        &self,
        zone: &Zone,
        field: &'static str,
        date: Date,
    ) -> Result<(), AnyRejection> {
        if date <= zone.day(self.recorded_at) {
            return Ok(());
        }
        Err(AnyRejection::InFuture { field, value: date.to_string() })
    }

    /// Checks that the time is not before what is recorded already of the same slot, conflict,
    /// request or claim (class 6); the ledger's own commands are exempt.
    pub(crate) fn require_order(&self, latest: Instant) -> Result<(), AnyRejection> {
        if self.is_internal() || self.time >= latest {
            return Ok(());
        }
        Err(AnyRejection::BeforeHistory { time: self.time, latest })
    }

    /// Whether an import brings this in without the name of who did it.
    pub(crate) fn is_imported(&self) -> bool {
        let origin = self.origin;
        origin.role == Role::Operator
            && origin.on_behalf_of.is_none()
            && origin.source.starts_with("/import/")
    }

    /// Whether the ledger itself asks; its own commands are exempt from `time.before_history`.
    pub fn is_internal(&self) -> bool {
        matches!(self.origin.role, Role::Policy | Role::Clock)
    }
}

/// An event about to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// Its own business date.
    pub effective_on: Date,
    /// What happened.
    pub event: Event,
    /// What it posts.
    pub lines: Vec<PostingLine>,
}

impl Fact {
    /// A fact that moves no money.
    pub fn new(effective_on: Date, event: impl Into<Event>) -> Self {
        Self { effective_on, event: event.into(), lines: Vec::new() }
    }

    /// A fact that posts.
    pub fn posting(effective_on: Date, event: impl Into<Event>, lines: Vec<PostingLine>) -> Self {
        Self { effective_on, event: event.into(), lines }
    }

    /// The fact as recorded: what it posts, on its own date or, where that period is closed, on the
    /// first day of the earliest open one.
    pub fn record(self, books_open_from: Option<Date>) -> RecordedEvent {
        let Self { effective_on, event, lines } = self;
        let late = books_open_from.filter(|open| !lines.is_empty() && *open > effective_on);
        let posted_on = late.unwrap_or(effective_on);
        RecordedEvent { effective_on, posted_on, event, lines }
    }
}

/// A note as events keep it; the bus has sealed it before the decision.
pub(crate) fn sealed(note: Option<&FreeText>) -> Option<Sealed> {
    note.and_then(|note| note.sealed().cloned())
}

/// A command of the clock and the instant it is due at.
#[derive(Debug, Clone, PartialEq)]
pub struct Due {
    /// The instant; it becomes the command's time.
    pub at: Instant,
    /// What is due.
    pub command: Command,
}
