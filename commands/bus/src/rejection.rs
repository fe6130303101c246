//! The bus's own rejections: what it refuses before or beside an aggregate's decision.

use chl_aggregates::{AnyRejection, Class, CodeDoc, Rejection};
use chl_events::Role;
use std::fmt;

chl_aggregates::rejections! {
    /// Rejections of the bus, in order of precedence.
    BusRejection {
        /// The document is longer than 32 KiB, or its commit would not fit into a block. Leave out
        /// what the ledger does not need.
        TooLarge { bytes: usize, at_most: usize }
            = "command.too_large", Malformed, "{bytes} bytes; at most {at_most} are allowed";
        /// The document is no command: no JSON or no UTF-8, at the line and column named; or a field
        /// or attribute of it that is missing, unknown, given twice or of the wrong form, by its path.
        /// Mend it there; `chl schema` shows what each command takes.
        Broken { line: usize, column: usize, problem: String }
            = "command.malformed", Malformed, "line {line} column {column}: {problem}";
        /// The catalog has no such command. `chl schema` lists the types.
        UnknownType { name: String, nearest: Nearest }
            = "command.unknown_type", Malformed, "no command is called {name:?}{nearest}";
        /// The connection may not use this source; those of the ledger itself nobody may use.
        Source { name: String }
            = "not_permitted.source", NotPermitted, "the source {name:?} is not this sender's";
        /// The document claims to be from somebody else than the connection says.
        Claim { attribute: &'static str, claimed: String }
            = "not_permitted.claim", NotPermitted,
            "{attribute} {claimed:?} is not what the connection says";
        /// The sender's role may not send this command.
        Role { role: Role, command: &'static str }
            = "not_permitted.role", NotPermitted, "role {role} may not send {command}";
        /// The command speaks for another partner than the sender's.
        Partner { command: &'static str }
            = "not_permitted.partner", NotPermitted, "{command} speaks for another partner";
        /// Only operators and trusted services act in somebody's name.
        OnBehalfOf { role: Role }
            = "not_permitted.on_behalf_of", NotPermitted,
            "role {role} may not act on behalf of others";
        /// Only operators register late.
        Backfill { role: Role }
            = "not_permitted.backfill", NotPermitted, "role {role} may not backfill";
        /// A partner does not see a customer stream's version: it would show others' activity.
        ExpectedVersion { role: Role }
            = "not_permitted.expected_version", NotPermitted,
            "role {role} may not expect a version of a customer's stream";
        /// The key (source and id) was used by a command with other content. Send new content under
        /// a new id.
        IdReused { id: String, position: u64, recorded_at: chl_events::Instant }
            = "command.id_reused", AlreadyDone,
            "the id {id:?} was used with other content, at position {position} on {recorded_at}";
        /// The stream is at another version than the sender saw. Look again, then decide anew.
        StreamChanged { stream: String, expected: u64, current: u64 }
            = "stream.changed", WrongState, "{stream} is at version {current}, not {expected}";
        /// The time lies after the moment the ledger took the command.
        TimeInFuture { time: chl_events::Instant, recorded_at: chl_events::Instant }
            = "time.in_future", Terms, "time {time} lies after {recorded_at}";
    }
}

/// The command that somebody may have meant, where one is near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Nearest(pub Option<&'static str>);

impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |name| write!(f, "; did you mean {name}?"))
    }
}

impl BusRejection {
    /// Every code of the bus and of every area, with what the reference says of it; a code that
    /// several can answer stands once.
    pub fn all_codes() -> Vec<&'static CodeDoc> {
        let mut codes: Vec<&'static CodeDoc> = Vec::new();
        for doc in Self::CODES.iter().chain(Rejection::codes()) {
            if !codes.iter().any(|known| known.code == doc.code) {
                codes.push(doc);
            }
        }
        codes.sort_by_key(|doc| doc.class);
        codes
    }
}

/// Why a command was refused: by the bus, or by a decision.
#[derive(Debug, Clone, PartialEq, thiserror::Error, serde::Serialize)]
#[serde(untagged)]
pub enum Refused {
    /// By the bus.
    #[error(transparent)]
    Bus(#[from] BusRejection),
    /// By the aggregate.
    #[error(transparent)]
    Decision(#[from] Rejection),
}

impl Refused {
    /// A field that is not what it should be.
    pub(crate) fn field(field: impl Into<String>, problem: impl Into<String>) -> Self {
        let bad = AnyRejection::BadField { field: field.into(), problem: problem.into() };
        Self::Decision(bad.into())
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.doc().code
    }

    /// Its place in the order of precedence.
    pub fn class(&self) -> Class {
        self.doc().class
    }

    /// Whether the document was no command of the catalog: sent again it is refused again.
    pub fn is_malformed(&self) -> bool {
        self.class() == Class::Malformed
    }

    fn doc(&self) -> &'static CodeDoc {
        match self {
            Self::Bus(rejection) => rejection.doc(),
            Self::Decision(rejection) => rejection.doc(),
        }
    }
}
