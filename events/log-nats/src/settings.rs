//! The stream's settings: what is asked for, and what is refused when it is otherwise.

use crate::Options;
use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RetentionPolicy, State, StorageType,
};
use chl_events::{LedgerId, MAX_BLOCK_BYTES};
use std::{collections::HashMap, fmt, time::Duration};

/// Under which name the stream's metadata hold the ledger's id.
const LEDGER: &str = "chl.ledger";
/// Room for the headers of a message, which count towards its size.
const HEADER_BYTES: usize = 4 * 1024;
/// What the servers take for a limit that is not there.
const UNLIMITED: i64 = -1;

/// A setting of a stream that is not as it must be. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("stream {stream}: {field} must be {wanted}, but is {found}")]
pub struct Mismatch {
    /// The stream.
    pub stream: String,
    /// The setting, by its name in the servers' configuration.
    pub field: &'static str,
    /// What it must be.
    pub wanted: String,
    /// What it is.
    pub found: String,
}

/// The settings a ledger's stream is made with.
pub(crate) fn wanted(options: &Options, ledger: LedgerId) -> Config {
    Config {
        name: options.stream.clone(),
        subjects: vec![options.subject.clone()],
        description: Some("A ledger: one message is one block. Never delete, never edit.".into()),
        storage: StorageType::File,
        num_replicas: options.replicas,
        retention: RetentionPolicy::Limits,
        discard: DiscardPolicy::New,
        max_bytes: UNLIMITED,
        max_messages: UNLIMITED,
        max_messages_per_subject: UNLIMITED,
        max_consumers: -1,
        max_age: Duration::ZERO,
        max_message_size: i32::try_from(MAX_BLOCK_BYTES + HEADER_BYTES).unwrap_or(-1),
        deny_delete: true,
        deny_purge: true,
        metadata: HashMap::from([(LEDGER.to_owned(), ledger.to_string())]),
        ..Config::default()
    }
}

/// The ledger's id that a stream was made with, as it is written there.
pub(crate) fn ledger_of(config: &Config) -> Option<&str> {
    config.metadata.get(LEDGER).map(String::as_str)
}

struct Check<'a> {
    config: &'a Config,
}

impl Check<'_> {
    fn differs(&self, field: &'static str, wanted: String, found: String) -> Mismatch {
        Mismatch { stream: self.config.name.clone(), field, wanted, found }
    }

    fn same<T: PartialEq + fmt::Debug>(
        &self,
        field: &'static str,
        found: &T,
        wanted: &T,
    ) -> Result<(), Mismatch> {
        if found == wanted {
            return Ok(());
        }
        Err(self.differs(field, format!("{wanted:?}"), format!("{found:?}")))
    }

    fn unlimited(&self, field: &'static str, found: i64) -> Result<(), Mismatch> {
        // Servers write a missing limit as −1; a stream that was never read back has 0.
        if found <= 0 {
            return Ok(());
        }
        Err(self.differs(field, "unlimited".to_owned(), found.to_string()))
    }

    fn absent(&self, field: &'static str, present: bool) -> Result<(), Mismatch> {
        if !present {
            return Ok(());
        }
        Err(self.differs(field, "absent".to_owned(), "present".to_owned()))
    }
}

/// Refuses settings under which the stream could lose, change or hide a block.
pub(crate) fn compare(options: &Options, config: &Config) -> Result<(), Mismatch> {
    let check = Check { config };
    check.same("subjects", &config.subjects, &vec![options.subject.clone()])?;
    check.same("storage", &config.storage, &StorageType::File)?;
    check.same("num_replicas", &config.num_replicas, &options.replicas)?;
    check.same("retention", &config.retention, &RetentionPolicy::Limits)?;
    check.same("discard", &config.discard, &DiscardPolicy::New)?;
    check.same("deny_delete", &config.deny_delete, &true)?;
    check.same("deny_purge", &config.deny_purge, &true)?;
    check.unlimited("max_bytes", config.max_bytes)?;
    check.unlimited("max_msgs", config.max_messages)?;
    check.unlimited("max_msgs_per_subject", config.max_messages_per_subject)?;
    check.unlimited("max_consumers", config.max_consumers.into())?;
    check.same("max_age", &config.max_age, &Duration::ZERO)?;
    let size = config.max_message_size;
    let smallest = MAX_BLOCK_BYTES + HEADER_BYTES;
    if size > 0 && usize::try_from(size).is_ok_and(|size| size < smallest) {
        let wanted = format!("at least {smallest}");
        return Err(check.differs("max_msg_size", wanted, size.to_string()));
    }
    changes(&check)
}

/// Refuses servers that take no message of a whole block.
pub(crate) fn payload(stream: &str, most: usize) -> Result<(), Mismatch> {
    let smallest = MAX_BLOCK_BYTES + HEADER_BYTES;
    if most >= smallest {
        return Ok(());
    }
    let (wanted, found) = (format!("at least {smallest}"), most.to_string());
    Err(Mismatch { stream: stream.to_owned(), field: "max_payload", wanted, found })
}

/// Refuses what stores messages late, changes them, or lets others than the ledger write.
fn changes(check: &Check<'_>) -> Result<(), Mismatch> {
    let config = check.config;
    let lazily = config.persist_mode.as_ref().is_some_and(|mode| *mode == PersistenceMode::Async);
    let placed = config.first_sequence.is_some_and(|first| first > 1);
    check.same("no_ack", &config.no_ack, &false)?;
    check.same("sealed", &config.sealed, &false)?;
    check.same("allow_rollup_hdrs", &config.allow_rollup, &false)?;
    check.same("allow_msg_ttl", &config.allow_message_ttl, &false)?;
    check.same("allow_msg_counter", &config.allow_message_counter, &false)?;
    check.same("allow_msg_schedules", &config.allow_message_schedules, &false)?;
    check.absent("persist_mode: async", lazily)?;
    check.absent("first_seq", placed)?;
    check.absent("mirror", config.mirror.is_some())?;
    check.absent("sources", config.sources.as_ref().is_some_and(|sources| !sources.is_empty()))?;
    check.absent("subject_transform", config.subject_transform.is_some())
}

/// Refuses a stream that has lost messages: its sequences must run from 1 without a hole.
pub(crate) fn whole(stream: &str, state: &State) -> Result<(), Mismatch> {
    let lost = |field, wanted: u64, found: u64| {
        let (wanted, found) = (wanted.to_string(), found.to_string());
        Err(Mismatch { stream: stream.to_owned(), field, wanted, found })
    };
    if state.messages != state.last_sequence {
        return lost("messages", state.last_sequence, state.messages);
    }
    if state.messages > 0 && state.first_sequence != 1 {
        return lost("first_seq", 1, state.first_sequence);
    }
    match state.deleted_count {
        Some(deleted) if deleted > 0 => lost("num_deleted", 0, deleted),
        _ => Ok(()),
    }
}
