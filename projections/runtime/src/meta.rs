//! The table `_meta`: how far each read model has come, in the same transaction as its rows.

use crate::{
    View,
    checkpoint::{Checkpoint, StaleError},
    frozen::Frozen,
};
use chl_events::{Hash, LedgerId};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// The version of the tables; another one means that they must be rebuilt.
pub const SCHEMA_VERSION: u32 = 6;

/// How a read model stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The read model.
    pub view: View,
    /// How far its rows have come.
    pub checkpoint: Checkpoint,
    /// Why it comes no further, where it failed.
    pub frozen: Option<Frozen>,
}

/// How all read models of a file stand. Those that are not frozen stand at one position.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub(crate) stands: Vec<Stand>,
}

impl Meta {
    /// How far the file has come: none of its read models is further.
    pub(crate) fn furthest(&self) -> Checkpoint {
        let stands = self.stands.iter().map(|stand| stand.checkpoint);
        let furthest = stands.max_by_key(|checkpoint| checkpoint.position);
        furthest.expect("a file without read models is not read")
    }

    /// The read models the file keeps, in the order of all.
    pub(crate) fn kept(&self) -> Vec<View> {
        self.stands.iter().map(|stand| stand.view).collect()
    }

    /// The read models that stand still.
    pub(crate) fn frozen(self) -> Vec<Frozen> {
        self.stands.into_iter().filter_map(|stand| stand.frozen).collect()
    }
}

/// Makes the table: a row per read model that is kept, all at one position. `_lag` says how far each
/// is behind.
pub(crate) fn create(db: &Connection, start: &Checkpoint, kept: &[View]) -> rusqlite::Result<()> {
    db.execute_batch(
        "CREATE TABLE _meta (view TEXT PRIMARY KEY, schema_version INTEGER NOT NULL, \
         ledger TEXT NOT NULL, position INTEGER NOT NULL, recorded_at TEXT, \
         effective_until TEXT, root_position INTEGER, root TEXT, log_position INTEGER NOT NULL, \
         frozen_since TEXT, failed_at INTEGER, failed_event_no INTEGER, failed_event TEXT, \
         frozen_reason TEXT) WITHOUT ROWID; \
         CREATE VIEW _lag AS SELECT view, position, log_position - position AS lag_positions, \
         CASE WHEN log_position > position THEN round((julianday('now') - \
         julianday(coalesce(frozen_since, recorded_at))) * 86400, 3) ELSE 0.0 END AS lag_seconds, \
         frozen_reason IS NOT NULL AS frozen FROM _meta",
    )?;
    let mut insert = db.prepare(
        "INSERT INTO _meta (view, schema_version, ledger, position, log_position) \
         VALUES (?, ?, ?, 0, 0)",
    )?;
    for view in kept {
        insert.execute(params![view.name(), SCHEMA_VERSION, start.ledger.to_string()])?;
    }
    Ok(())
}

/// Moves the checkpoint of every read model that is not frozen, in the transaction of its rows;
/// all see where the log ends.
pub(crate) fn advance(db: &Connection, to: &Checkpoint, log_position: u64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "UPDATE _meta SET position=?, recorded_at=?, effective_until=?, root_position=?, root=? \
         WHERE frozen_reason IS NULL",
    )?
    .execute(params![
        number(to.position),
        to.recorded_at.map(|at| at.to_string()),
        to.effective_until.map(|on| on.to_string()),
        to.root.map(|(at, _)| number(at)),
        to.root.map(|(_, root)| root.to_string()),
    ])?;
    db.prepare_cached("UPDATE _meta SET log_position=?")?.execute([number(log_position)])?;
    Ok(())
}

/// Freezes a read model where it stands.
pub(crate) fn freeze(db: &Connection, frozen: &Frozen) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE _meta SET frozen_since=?, failed_at=?, failed_event_no=?, failed_event=?, \
         frozen_reason=? WHERE view=?",
        params![
            frozen.since.map(|at| at.to_string()),
            number(frozen.failed_at),
            number(frozen.event_no),
            frozen.event,
            frozen.reason,
            frozen.view
        ],
    )?;
    Ok(())
}

fn number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Reads how the read models stand that the file keeps.
pub(crate) fn read(db: &Connection) -> rusqlite::Result<Result<Meta, StaleError>> {
    let known: Option<bool> = db
        .query_row("SELECT 1 FROM sqlite_schema WHERE name='_meta'", [], |_| Ok(true))
        .optional()?;
    if known.is_none() {
        return Ok(Err(StaleError::Unreadable));
    }
    let version = "SELECT schema_version FROM _meta WHERE schema_version<>? LIMIT 1";
    let other = db.query_row(version, [SCHEMA_VERSION], |row| row.get(0)).optional()?;
    if let Some(found) = other {
        return Ok(Err(StaleError::Schema { found, expected: SCHEMA_VERSION }));
    }
    // All rows in one statement: a writer that commits meanwhile moves all of them or none.
    let mut statement = db.prepare(
        "SELECT view, ledger, position, recorded_at, effective_until, root_position, root, \
         frozen_since, failed_at, failed_event_no, failed_event, frozen_reason FROM _meta",
    )?;
    let mut rows = statement.query([])?;
    let mut stands = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(view) = View::named(row.get_ref("view")?.as_str()?) else { continue };
        let Some(stand) = read_row(view, row)? else { return Ok(Err(StaleError::Unreadable)) };
        stands.push(stand);
    }
    stands.sort_by_key(|stand: &Stand| stand.view);
    if stands.is_empty() {
        return Ok(Err(StaleError::Unreadable));
    }
    let meta = Meta { stands };
    let furthest = meta.furthest();
    let together = |stand: &Stand| stand.frozen.is_some() || stand.checkpoint == furthest;
    Ok(if meta.stands.iter().all(together) { Ok(meta) } else { Err(StaleError::Unreadable) })
}

/// Reads a row; none where it does not read.
fn read_row(view: View, row: &Row<'_>) -> rusqlite::Result<Option<Stand>> {
    let texts = |at: &str| row.get::<_, Option<String>>(at);
    let count = |at: &str| -> rusqlite::Result<Option<u64>> {
        Ok(row.get::<_, Option<i64>>(at)?.map(|number| u64::try_from(number).unwrap_or(u64::MAX)))
    };
    let ledger: String = row.get("ledger")?;
    let (Some(ledger), Some(position)) = (hex(&ledger), count("position")?) else {
        return Ok(None);
    };
    let root = texts("root")?;
    let root = count("root_position")?.zip(root.as_deref().and_then(hex).map(Hash));
    let (recorded_at, effective_until) = (texts("recorded_at")?, texts("effective_until")?);
    let (Ok(recorded_at), Ok(effective_until)) = (
        recorded_at.map(|at| at.parse()).transpose(),
        effective_until.map(|on| on.parse()).transpose(),
    ) else {
        return Ok(None);
    };
    let ledger = LedgerId(ledger);
    let checkpoint = Checkpoint { ledger, position, recorded_at, effective_until, root };
    let frozen = texts("frozen_reason")?.map(|reason| -> rusqlite::Result<_> {
        Ok(Frozen {
            view: view.name(),
            position,
            since: texts("frozen_since")?.and_then(|at| at.parse().ok()),
            failed_at: count("failed_at")?.unwrap_or(position),
            event_no: count("failed_event_no")?.unwrap_or_default(),
            event: texts("failed_event")?.unwrap_or_default(),
            reason,
        })
    });
    Ok(Some(Stand { view, checkpoint, frozen: frozen.transpose()? }))
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
