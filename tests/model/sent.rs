//! A command as somebody sends it, and the line of JSON that brings it.

use chl_commands::Command;
use chl_events::{ActorId, Instant, PartnerId, Role};
use serde_json::{Value, json};

/// Who sends a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    /// The acting user or system.
    pub(crate) actor: ActorId,
    /// Its role.
    pub(crate) role: Role,
    /// The partner it belongs to, for role partner.
    pub(crate) partner: Option<PartnerId>,
    /// The authority of a channel manager.
    pub(crate) level: Option<u8>,
}

impl Sender {
    /// Somebody of a role.
    pub(crate) fn of(role: Role, actor: &str) -> Self {
        let level = (role == Role::ChannelManager).then_some(3);
        Self { actor: actor.parse().unwrap(), role, partner: None, level }
    }

    /// A partner's own user.
    pub(crate) fn partner(partner: &PartnerId) -> Self {
        let actor = format!("user-{partner}").parse().unwrap();
        Self { actor, role: Role::Partner, partner: Some(partner.clone()), level: None }
    }

    /// The same, with another authority.
    pub(crate) fn at_level(self, level: u8) -> Self {
        Self { level: Some(level), ..self }
    }
}

/// A command on its way to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The sender's id of it.
    pub(crate) id: String,
    /// When the ledger takes it.
    pub(crate) at: Instant,
    /// When it happened, as an operator says; absent: `at`.
    pub(crate) time: Option<Instant>,
    /// Whether it is a late registration.
    pub(crate) backfill: bool,
    /// The version of the stream the sender claims to have seen.
    pub(crate) expected_version: Option<u64>,
    /// Who sends it.
    pub(crate) sender: Sender,
    /// What is asked.
    pub(crate) command: Command,
}

impl Sent {
    /// A command without anything special about it.
    pub(crate) fn new(
        id: String,
        at: Instant,
        sender: Sender,
        command: impl Into<Command>,
    ) -> Self {
        let command = command.into();
        Self { id, at, time: None, backfill: false, expected_version: None, sender, command }
    }

    /// When it happened.
    pub(crate) fn time(&self) -> Instant {
        self.time.unwrap_or(self.at)
    }

    /// The document.
    pub(crate) fn document(&self) -> Value {
        let mut document = json!({
            "id": self.id,
            "source": "/properties",
            "type": self.command.kind().name,
            "actor": self.sender.actor,
            "role": self.sender.role,
            "recordedtime": self.at,
            "data": self.command,
        });
        let mut attribute = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                document[name] = value;
            }
        };
        attribute("partner", self.sender.partner.as_ref().map(|partner| json!(partner)));
        attribute("level", self.sender.level.map(|level| json!(level)));
        attribute("time", self.time.map(|time| json!(time)));
        attribute("backfill", self.backfill.then_some(json!(true)));
        attribute("expectedversion", self.expected_version.map(|version| json!(version)));
        document
    }

    /// The line of JSON.
    pub(crate) fn line(&self) -> String {
        self.document().to_string()
    }
}
