//! Commands out of a ledger and into an empty one: the same outside commands with the same recorded
//! times, ledger id and vault give the same root, anywhere.

use crate::{
    authorise::{Connection, Sources},
    catch_up::is_outside,
    opening::{LEDGER_SOURCE, Opening},
    rejection::Refused,
    sent::Sent,
};
use chl_commands::{Command, CommandError, MAX_COMMAND_BYTES};
use chl_events::{
    ActorId, Commit, Event, Instant, LedgerId,
    ledger::{LedgerEvent, LedgerOpened},
};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

/// The type of the document that an export begins with.
const OPENED: &str = "LedgerOpened";

/// Says why a commit cannot be exported as a command.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Its command does not decode.
    #[error("the command at position {position}: {source}")]
    Command {
        /// Where it stands.
        position: u64,
        /// What is wrong with it.
        source: CommandError,
    },
    /// It does not become JSON.
    #[error("the command at position {position}: {source}")]
    Json {
        /// Where it stands.
        position: u64,
        /// What the codec says.
        source: serde_json::Error,
    },
    /// The ledger's own word on a repair cannot be sent as a command.
    #[error("position {0} records a repair of the log, which commands cannot make again")]
    Repair(u64),
}

/// A commit as the command it came from, one line of JSON; none for what the ledger did by itself.
pub fn export(commit: &Commit) -> Result<Option<String>, ExportError> {
    let position = commit.position;
    let json = |source| ExportError::Json { position, source };
    if commit.origin.source == LEDGER_SOURCE {
        let event = commit.events.first().map(|recorded| &recorded.event);
        let Some(Event::Ledger(LedgerEvent::LedgerOpened(opened))) = event else {
            return Err(ExportError::Repair(position));
        };
        let line = line(commit, OPENED, OpenedData::from(opened));
        return serde_json::to_string(&line).map(Some).map_err(json);
    }
    if !is_outside(commit) {
        return Ok(None);
    }
    let command = Command::decode(&commit.command)
        .map_err(|source| ExportError::Command { position, source })?;
    let line = line(commit, command.kind().name, &command);
    serde_json::to_string(&line).map(Some).map_err(json)
}

fn line<'a, T>(commit: &'a Commit, kind: &'a str, data: T) -> Sent<'a, T> {
    Sent::new(&commit.origin, (commit.believed_time, commit.recorded_at), kind, data)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenedData {
    name: String,
    origin: String,
    ledger: String,
    format: u16,
}

impl From<&LedgerOpened> for OpenedData {
    fn from(opened: &LedgerOpened) -> Self {
        Self {
            name: opened.name.clone(),
            origin: opened.origin.clone(),
            ledger: opened.ledger.to_string(),
            format: opened.format,
        }
    }
}

#[derive(Deserialize)]
struct OpenedLine {
    recordedtime: Instant,
    actor: ActorId,
    data: OpenedData,
}

/// Reads the first line of an export: the ledger it makes, and what that begins with. None when the
/// line is an ordinary command.
pub fn read_opening(line: &[u8]) -> Result<Option<(LedgerId, Opening)>, Refused> {
    #[derive(Deserialize)]
    struct Kind {
        r#type: Option<String>,
    }
    if line.len() > MAX_COMMAND_BYTES {
        return Ok(None);
    }
    let kind = serde_json::from_slice::<Kind>(line).ok().and_then(|kind| kind.r#type);
    if kind.as_deref() != Some(OPENED) {
        return Ok(None);
    }
    let mut from = serde_json::Deserializer::from_slice(line);
    let opened: OpenedLine = serde_path_to_error::deserialize(&mut from)
        .map_err(|error| Refused::field(error.path().to_string(), error.inner().to_string()))?;
    let OpenedData { name, origin, ledger, .. } = opened.data;
    let id = HEXLOWER.decode(ledger.as_bytes()).ok().and_then(|id| id.try_into().ok());
    let id = id.ok_or_else(|| Refused::field("data.ledger", "no ledger id: 32 digits in hex"))?;
    let recorded_at = Some(opened.recordedtime);
    Ok(Some((LedgerId(id), Opening { name, origin, actor: opened.actor, recorded_at })))
}

/// The connection of a replay: what an export says is believed, its recorded times among it.
pub fn replaying(actor: ActorId) -> Connection {
    Connection {
        trust_claims: true,
        replay: true,
        sources: Sources::Any,
        ..Connection::operator(actor)
    }
}
