//! The envelope: who sends a command, under which key, and when it happened.

use chl_events::{ActorId, FreeText, Instant, PartnerId, Role};

/// The most bytes of a command document.
pub const MAX_COMMAND_BYTES: usize = 32 * 1024;
/// The most characters of `source`, `id`, `correlationid` and `causationid`.
pub const MAX_SOURCE_CHARS: usize = 256;

/// The attributes of a CloudEvents 1.0 document that the ledger reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// With `id` the idempotency key, for ever.
    pub source: String,
    /// The sender's id of the command.
    pub id: String,
    /// When it happened, as the sender says.
    pub time: Option<Instant>,
    /// Who acts, as the document claims.
    pub actor: Option<ActorId>,
    /// The role, as the document claims.
    pub role: Option<Role>,
    /// The partner, as the document claims.
    pub partner: Option<PartnerId>,
    /// The channel manager's level of authority, as the document claims.
    pub level: Option<u8>,
    /// In whose name.
    pub on_behalf_of: Option<ActorId>,
    /// The version of the stream the sender saw.
    pub expected_version: Option<u64>,
    /// A late registration that displaces nobody.
    pub backfill: bool,
    /// Why.
    pub reason: Option<FreeText>,
    /// What the sender wants it found under.
    pub correlation: Option<String>,
    /// The message that caused it.
    pub causation: Option<String>,
}
