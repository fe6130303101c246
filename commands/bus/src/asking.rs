//! Who asks a question at a door, and why one has no answer.

use crate::authorise::Connection;
use chl_events::{ActorId, PartnerId, Role};
use serde_json::{Value, json};

/// Who asks a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Who it is.
    pub actor: ActorId,
    /// What it is to the ledger.
    pub role: Role,
    /// The partner it belongs to, for role partner.
    pub partner: Option<PartnerId>,
}

impl From<&Connection> for Asker {
    fn from(connection: &Connection) -> Self {
        let Connection { actor, role, partner, .. } = connection;
        Self { actor: actor.clone(), role: *role, partner: partner.clone() }
    }
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// Whether the same question may be answered when it is asked again.
    pub retry: bool,
}

impl Unanswered {
    /// A question that gets no answer, however often it is asked.
    pub fn refused(code: &'static str, message: impl std::fmt::Display) -> Self {
        Self { code, message: message.to_string(), retry: false }
    }

    /// A question that gets no answer now.
    pub fn for_now(code: &'static str, message: impl std::fmt::Display) -> Self {
        Self { code, message: message.to_string(), retry: true }
    }

    /// The answer instead, in the form of every answer.
    pub fn document(&self) -> Value {
        let Self { code, message, retry } = self;
        if *retry {
            json!({ "outcome": "failed", "code": code, "message": message, "retry": true })
        } else {
            json!({ "outcome": "rejected", "code": code, "message": message, "details": {} })
        }
    }
}
