//! Checkpoints: how far the read models have come, in the same transaction as their rows.

use crate::tables::TABLES;
use chl_events::{Block, Hash, Instant, LedgerId};
use chl_log::{ReadError, ReadLog};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The version of the tables; another one means that they must be rebuilt.
pub const SCHEMA_VERSION: u32 = 3;

/// How far the read models have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose history it is.
    pub ledger: LedgerId,
    /// The position that comes next: as many commits are folded.
    pub position: u64,
    /// When the last of them was recorded.
    pub recorded_at: Option<Instant>,
    /// The position of the last block folded whose root is known, and the root before it.
    pub root: Option<(u64, Hash)>,
}

/// Says why a database is not the one its ledger needs; a rebuild makes one that is.
#[derive(Debug, thiserror::Error)]
pub enum StaleError {
    /// Its tables are of another release.
    #[error("the read models have schema version {found}; this release keeps version {expected}")]
    Schema {
        /// What they say.
        found: u32,
        /// What this release writes.
        expected: u32,
    },
    /// It belongs to another ledger.
    #[error("the read models are of ledger {found}, not of {expected}")]
    Ledger {
        /// What they say.
        found: String,
        /// The log's.
        expected: LedgerId,
    },
    /// It has folded what the log does not have.
    #[error("the read models stand at position {position}, beyond the log, which ends at {next}")]
    Beyond {
        /// Where they stand.
        position: u64,
        /// Where the log ends.
        next: u64,
    },
    /// It was folded from another history.
    #[error("the read models were folded from a history that differs at or before {position}")]
    History {
        /// The position whose root differs.
        position: u64,
    },
    /// Its checkpoint is missing or does not read.
    #[error("the read models have no readable checkpoint")]
    Unreadable,
}

impl Checkpoint {
    /// Nothing folded yet.
    pub(crate) fn start(ledger: LedgerId) -> Self {
        Self { ledger, position: 0, recorded_at: None, root: None }
    }

    /// Goes behind a block.
    pub(crate) fn pass(&mut self, block: &Block, last: Option<Instant>) {
        self.position = block.next();
        self.recorded_at = last.or(self.recorded_at);
        self.root = Some((block.first(), block.root_before()));
    }

    /// Whether this is a checkpoint of the log's own history.
    pub(crate) fn check(&self, log: &dyn ReadLog) -> Result<Option<StaleError>, ReadError> {
        let head = log.head();
        if self.ledger != head.ledger {
            let found = self.ledger.to_string();
            return Ok(Some(StaleError::Ledger { found, expected: head.ledger }));
        }
        let (position, next) = (self.position, head.next);
        if position > next {
            return Ok(Some(StaleError::Beyond { position, next }));
        }
        let Some((position, root)) = self.root else { return Ok(None) };
        let block = log.read(position)?.next().transpose()?;
        let same = block.is_some_and(|b| b.first() == position && b.root_before() == root);
        Ok((!same).then_some(StaleError::History { position }))
    }
}

/// Makes the table of checkpoints: a row per view, all at one position.
pub(crate) fn create(db: &Connection, start: &Checkpoint) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE _meta (view TEXT PRIMARY KEY, schema_version INTEGER NOT NULL, \
         ledger TEXT NOT NULL, position INTEGER NOT NULL, recorded_at TEXT, \
         root_position INTEGER, root TEXT) WITHOUT ROWID",
    )?;
    for table in TABLES {
        db.execute(
            "INSERT INTO _meta VALUES (?, ?, ?, 0, NULL, NULL, NULL)",
            params![table.name, SCHEMA_VERSION, start.ledger.to_string()],
        )?;
    }
    Ok(())
}

/// Moves every view's checkpoint, in the transaction of its rows.
pub(crate) fn write(db: &Connection, to: &Checkpoint) -> rusqlite::Result<()> {
    let position = i64::try_from(to.position).unwrap_or(i64::MAX);
    let root_position = to.root.map(|(at, _)| i64::try_from(at).unwrap_or(i64::MAX));
    db.prepare_cached("UPDATE _meta SET position=?, recorded_at=?, root_position=?, root=?")?
        .execute(params![
            position,
            to.recorded_at.map(|at| at.to_string()),
            root_position,
            to.root.map(|(_, root)| root.to_string()),
        ])?;
    Ok(())
}

/// Reads the checkpoint all views share.
pub(crate) fn read(db: &Connection) -> rusqlite::Result<Result<Checkpoint, StaleError>> {
    let known: bool = db
        .query_row("SELECT 1 FROM sqlite_schema WHERE name='_meta'", [], |_| Ok(true))
        .optional()?
        .unwrap_or(false);
    if !known {
        return Ok(Err(StaleError::Unreadable));
    }
    let mut statement = db.prepare(
        "SELECT schema_version, ledger, position, recorded_at, root_position, root, view \
         FROM _meta ORDER BY view",
    )?;
    let mut rows = statement.query([])?;
    let mut shared: Option<Checkpoint> = None;
    let mut views: Vec<String> = Vec::new();
    while let Some(row) = rows.next()? {
        let version: u32 = row.get(0)?;
        if version != SCHEMA_VERSION {
            return Ok(Err(StaleError::Schema { found: version, expected: SCHEMA_VERSION }));
        }
        let Some(one) = read_row(row)? else { return Ok(Err(StaleError::Unreadable)) };
        if shared.is_some_and(|shared| shared != one) {
            return Ok(Err(StaleError::Unreadable));
        }
        shared = Some(one);
        views.push(row.get(6)?);
    }
    let mut expected: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
    expected.sort_unstable();
    let complete = views == expected;
    Ok(shared.filter(|_| complete).ok_or(StaleError::Unreadable))
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<Option<Checkpoint>> {
    let ledger: String = row.get(1)?;
    let position: i64 = row.get(2)?;
    let recorded_at: Option<String> = row.get(3)?;
    let root_position: Option<i64> = row.get(4)?;
    let root: Option<String> = row.get(5)?;
    let root = match (root_position, root) {
        (Some(at), Some(root)) => match (u64::try_from(at), hex(&root)) {
            (Ok(at), Some(root)) => Some((at, Hash(root))),
            _ => return Ok(None),
        },
        _ => None,
    };
    let recorded_at = match recorded_at.map(|at| at.parse()).transpose() {
        Ok(at) => at,
        Err(_) => return Ok(None),
    };
    let (Some(ledger), Ok(position)) = (hex(&ledger), u64::try_from(position)) else {
        return Ok(None);
    };
    Ok(Some(Checkpoint { ledger: LedgerId(ledger), position, recorded_at, root }))
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
