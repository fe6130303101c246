//! Answers: accepted, rejected or failed; exactly one for every command.

use crate::rejection::Refused;
use chl_events::{Commit, Instant};
use serde::{Serialize, Serializer, ser::SerializeMap};
use std::sync::Arc;

/// What became of a command.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It is in the ledger, on disk.
    Accepted(Accepted),
    /// The business answer is no.
    Rejected {
        /// The command's id, where it could be read.
        id: Option<String>,
        /// Why.
        refused: Refused,
        /// Whether it was only tried.
        dry_run: bool,
    },
    /// It could not be decided, or not be kept.
    Failed {
        /// The command's id, where it could be read.
        id: Option<String>,
        /// Why.
        failure: Failure,
    },
}

/// An accepted command.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its commit.
    pub commit: Arc<Commit>,
    /// The stream's version after the command and what the ledger's policies did about it.
    pub version: u64,
    /// Whether it had been accepted before; this is the first answer again.
    pub duplicate: bool,
    /// Whether it was only tried: nothing was kept.
    pub dry_run: bool,
}

/// Why a command failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// The log did not take it. It may be sent again under the same id.
    #[error("the log is unavailable: {0}")]
    LogUnavailable(String),
    /// A state could not be loaded. It may be sent again under the same id.
    #[error("{0}")]
    StateUnavailable(String),
    /// A person's key could not be kept. It may be sent again under the same id.
    #[error("the vault is unavailable: {0}")]
    VaultUnavailable(String),
    /// The machine's clock is not believed. An operator has to look at it first.
    #[error("{0}")]
    ClockSuspect(#[from] crate::clock::ClockSuspect),
    /// The ledger is being closed. It may be sent to the next owner.
    #[error("the ledger is closed")]
    Closed,
    /// The ledger contradicts itself; the command must not be sent again before that is mended.
    #[error("the ledger cannot decide this: {0}")]
    Defect(String),
}

impl Failure {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LogUnavailable(_) => "log.unavailable",
            Self::StateUnavailable(_) => "state.unavailable",
            Self::VaultUnavailable(_) => "vault.unavailable",
            Self::ClockSuspect(_) => "clock.suspect",
            Self::Closed => "ledger.closed",
            Self::Defect(_) => "ledger.defect",
        }
    }

    /// Whether the same command may succeed when it is sent again.
    pub fn retry(&self) -> bool {
        match self {
            Self::LogUnavailable(_)
            | Self::StateUnavailable(_)
            | Self::VaultUnavailable(_)
            | Self::ClockSuspect(_)
            | Self::Closed => true,
            Self::Defect(_) => false,
        }
    }
}

impl Answer {
    /// The id of the command it answers.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Accepted(accepted) => Some(&accepted.commit.origin.id),
            Self::Rejected { id, .. } | Self::Failed { id, .. } => id.as_deref(),
        }
    }

    /// The code of a refusal or failure.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Accepted(_) => None,
            Self::Rejected { refused, .. } => Some(refused.code()),
            Self::Failed { failure, .. } => Some(failure.code()),
        }
    }

    /// Whether the command is in the ledger.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }
}

/// The document, before anybody's view of it: see [`show`](crate::show()).
impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("id", &self.id())?;
        match self {
            Self::Accepted(accepted) => accepted.entries(&mut map)?,
            Self::Rejected { refused, dry_run, .. } => {
                map.serialize_entry("outcome", "rejected")?;
                map.serialize_entry("code", refused.code())?;
                map.serialize_entry("message", &refused.to_string())?;
                map.serialize_entry("details", refused)?;
                if *dry_run {
                    map.serialize_entry("dry_run", dry_run)?;
                }
            }
            Self::Failed { failure, .. } => {
                map.serialize_entry("outcome", "failed")?;
                map.serialize_entry("code", failure.code())?;
                map.serialize_entry("message", &failure.to_string())?;
                map.serialize_entry("retry", &failure.retry())?;
            }
        }
        map.end()
    }
}

impl Accepted {
    /// The position, unless nothing was kept.
    pub fn position(&self) -> Option<u64> {
        (!self.dry_run).then_some(self.commit.position)
    }

    /// When the ledger took it.
    pub fn recorded_at(&self) -> Instant {
        self.commit.recorded_at
    }

    fn entries<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        map.serialize_entry("outcome", "accepted")?;
        if self.dry_run {
            map.serialize_entry("dry_run", &true)?;
        }
        map.serialize_entry("duplicate", &self.duplicate)?;
        map.serialize_entry("position", &self.position())?;
        map.serialize_entry("stream", &self.commit.stream)?;
        map.serialize_entry("version", &self.version)?;
        map.serialize_entry("recorded_at", &self.recorded_at())?;
        map.serialize_entry("events", &Events(&self.commit))
    }
}

struct Events<'a>(&'a Commit);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.events.iter().map(|recorded| &recorded.event))
    }
}
