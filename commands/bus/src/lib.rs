//! From a line of JSON to a durable answer: decode, authorise, seal, load, decide, append, answer.
//!
//! Floor 4 of the house. [`prepare()`] does on the caller's thread what needs no state. The writer is
//! one thread that owns the ledger and decides; the committer is one that makes groups durable and
//! only then lets answers leave. [`Bus`] opens a ledger, [`Client`] talks to it.

mod actors;
mod answer;
mod asking;
mod authorise;
mod bookmark;
mod bus;
mod catch_up;
mod chain;
mod client;
mod clock;
mod committer;
mod concern;
mod decode;
mod desk;
mod export;
mod flusher;
mod following;
mod history;
mod journal;
mod keys;
mod meter;
mod opening;
mod outgoing;
mod parts;
mod prepare;
mod quota;
mod reader;
mod reception;
mod redacted;
mod refusal;
mod rejection;
mod seal;
mod show;
mod standby;
mod states;
mod token;
mod trace;
mod vault;
mod writer;

pub use actors::{Actor, Actors, ActorsError};
pub use answer::{Accepted, Answer, Failure};
pub use asking::{Asker, Unanswered};
pub use authorise::{Connection, Sources};
pub use bookmark::Bookmarks;
pub use bus::Bus;
pub use catch_up::CatchUpError;
pub use client::{Client, Closed};
pub use clock::{Clock, ClockSuspect, ManualClock, Reading, SystemClock};
pub use committer::{LogError, OpenLog};
pub use concern::{Concern, concern};
pub use decode::{Defaults, Document, MAX_DEPTH, Undecoded, decode, near_commands};
pub use export::{ExportError, export, read_opening, replaying};
pub use following::Following;
pub use history::HistoryError;
pub use journal::{Journal, JournalLimits};
pub use keys::{KeyKind, KeyStore, KeysError, MemoryKeys};
pub use meter::Trouble;
pub use opening::{LEDGER_SOURCE, Opening, OpeningError, OwnCommit};
pub use outgoing::{EventAt, NoEventId, event_document};
pub use parts::{OpenError, Options, Parts};
pub use prepare::{Prepared, prepare, prepare_document};
pub use reception::{Answered, Received, Reception};
pub use redacted::{Parties, PartiesError, RedactError, Redacted, Redaction};
pub use refusal::Refusal;
pub use rejection::{BusRejection, Nearest, Refused};
pub use show::{Viewer, event_for, holds_sealed, show, show_texts};
pub use standby::Standby;
pub use states::{StatesError, StatesFile};
pub use token::{NoDigest, TokenDigest};
pub use trace::{NoTraceParent, TraceParent, Traces};
pub use vault::{KeepKeys, Person, PersonKey, Place, Vault, VaultError};
