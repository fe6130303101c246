//! What the door itself answers: before a command or a question has reached the ledger.

use chl_events::ActorId;
use serde_json::{Value, json};

/// Why the door let something not in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The list of actors does not have this one.
    #[error("the actor {0} is not in the list of actors")]
    UnknownActor(ActorId),
    /// The subject names nobody, or no identifier.
    #[error("the subject {0:?} names no actor")]
    NoActor(String),
    /// Nothing says who calls.
    #[error("no bearer token came with this; send the header Authorization: Bearer TOKEN")]
    NoToken,
    /// The token is of no actor.
    #[error("the bearer token is of nobody in the list of actors")]
    UnknownToken,
    /// The subject and the document name different commands.
    #[error("the subject says {subject}, the document {document}")]
    TypeDiffers {
        /// The type in the subject.
        subject: String,
        /// The type in the document.
        document: String,
    },
    /// The actor has sent more than it may in a second.
    #[error("more than {per_second} commands in a second")]
    Quota {
        /// How many it may send.
        per_second: u32,
    },
    /// As many are under way as the service takes.
    #[error("{0} requests are under way; try again in a moment")]
    Busy(usize),
    /// The sender does not wait any more.
    #[error("the deadline {0} has passed")]
    Late(String),
    /// The answer was made and cannot be shown; sent again, the command gets it again.
    #[error("the answer cannot be shown: {0}")]
    Broken(String),
    /// The deadline is no instant.
    #[error("the header Chl-Deadline {0:?} is no instant such as 2026-03-01T09:00:00Z")]
    Deadline(String),
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownActor(_) | Self::NoActor(_) => "not_permitted.actor",
            Self::NoToken | Self::UnknownToken => "not_permitted.token",
            Self::TypeDiffers { .. } => "command.type_differs",
            Self::Quota { .. } => "bus.quota_exceeded",
            Self::Busy(_) => "bus.busy",
            Self::Late(_) => "bus.deadline_passed",
            Self::Broken(_) => "internal",
            Self::Deadline(_) => "command.malformed",
        }
    }

    /// Whether the same message may be let in when it is sent again.
    pub fn retry(&self) -> bool {
        match self {
            Self::Quota { .. } | Self::Busy(_) | Self::Late(_) | Self::Broken(_) => true,
            Self::UnknownActor(_)
            | Self::NoActor(_)
            | Self::NoToken
            | Self::UnknownToken
            | Self::TypeDiffers { .. }
            | Self::Deadline(_) => false,
        }
    }

    /// The answer, in the form of every answer.
    pub fn answer(&self, id: Option<&str>) -> Value {
        let (code, message) = (self.code(), self.to_string());
        if self.retry() {
            json!({ "id": id, "outcome": "failed", "code": code, "message": message, "retry": true })
        } else {
            json!({ "id": id, "outcome": "rejected", "code": code, "message": message, "details": {} })
        }
    }
}
