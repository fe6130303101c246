//! What a ledger says of itself: `LedgerOpened` at position 0, and whatever else no command made.

use crate::clock::Clock;
use chl_events::{
    ActorId, BlockError, Commit, CommitError, Event, Instant, LedgerId, Origin, RecordedCommand,
    RecordedEvent, Role, Stream, ledger::LedgerOpened,
};
use chl_log::{AppendError, EventLog};

/// The layout of the log that this release writes.
const LOG_FORMAT: u16 = 1;
/// The source of what the ledger says of itself.
pub const LEDGER_SOURCE: &str = "/ledger";

/// What an empty log begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The ledger's name.
    pub name: String,
    /// The name its checkpoints are signed under.
    pub origin: String,
    /// Who opens it.
    pub actor: ActorId,
    /// When; absent: now.
    pub recorded_at: Option<Instant>,
}

/// Says why the first commit could not be written.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// It does not encode.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// It does not fit into a block.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The log did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
}

impl Opening {
    /// Writes the first commit of an empty log.
    pub(crate) fn write(
        &self,
        log: &mut dyn EventLog,
        clock: &dyn Clock,
    ) -> Result<(), OpeningError> {
        let recorded_at = self.recorded_at.unwrap_or_else(|| clock.read().wall);
        let mut chain = log.chain();
        let commit = self.commit(chain.ledger(), recorded_at).encode()?;
        let blocks = chain.pack(&[commit])?;
        log.append(0, &blocks)?;
        Ok(())
    }

    fn commit(&self, ledger: LedgerId, recorded_at: Instant) -> Commit {
        let event = LedgerOpened {
            name: self.name.clone(),
            origin: self.origin.clone(),
            ledger,
            format: LOG_FORMAT,
        };
        let id = ledger.to_string();
        let own = OwnCommit { position: 0, version: 1, id, actor: self.actor.clone(), recorded_at };
        own.of(event.into())
    }
}

/// A commit of what the ledger says of itself, on its own stream: no command made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnCommit {
    /// Where it stands.
    pub position: u64,
    /// The version of the ledger's stream after it.
    pub version: u64,
    /// Its id under the ledger's source.
    pub id: String,
    /// Who runs the program that says it.
    pub actor: ActorId,
    /// When.
    pub recorded_at: Instant,
}

impl OwnCommit {
    /// The commit of an event, effective on the day of its recording.
    pub fn of(self, event: Event) -> Commit {
        let day = self.recorded_at.date_utc();
        Commit {
            position: self.position,
            stream: Stream::Ledger,
            version: self.version,
            origin: Origin {
                source: LEDGER_SOURCE.into(),
                id: self.id.into(),
                actor: self.actor,
                on_behalf_of: None,
                role: Role::Operator,
                partner: None,
                level: None,
                backfill: false,
                reason: None,
                correlation: None,
                causation: None,
            },
            command: RecordedCommand { tag: 0, version: 0, data: Vec::new() },
            recorded_at: self.recorded_at,
            believed_time: None,
            events: vec![RecordedEvent {
                effective_on: day,
                posted_on: day,
                event,
                lines: Vec::new(),
            }],
        }
    }
}
