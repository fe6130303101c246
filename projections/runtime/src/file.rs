//! The file of read models: its tables, and how SQLite keeps its transactions.

use crate::{View, checkpoint::Checkpoint, layout::Layout, meta, now};
use chl_log::ReadLog;
use rusqlite::{Connection, OpenFlags};
use std::{path::Path, sync::Arc, time::Duration};

/// After how many pages (4 KiB each) of its write-ahead log SQLite moves them into the database. To
/// move them means two syncs, which a command that comes meanwhile waits for.
const PAGES_PER_CHECKPOINT: u32 = 8_192;

/// How a file's transactions are kept until they are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journal {
    /// Others read the file meanwhile.
    Live,
    /// Nobody reads it yet, and a transaction can be rolled back.
    Beside,
    /// Nobody reads it yet, and a transaction that fails leaves it useless: the fastest.
    None,
}

impl Journal {
    fn set(self, db: &Connection) -> rusqlite::Result<()> {
        let (journal, synchronous) = match self {
            Self::Live => ("WAL", "NORMAL"),
            Self::Beside => ("MEMORY", "OFF"),
            Self::None => ("OFF", "OFF"),
        };
        db.pragma_update(None, "journal_mode", journal)?;
        db.pragma_update(None, "synchronous", synchronous)
    }
}

/// Makes a file with the tables of some read models.
pub(crate) fn create(
    file: &Path,
    log: &Arc<dyn ReadLog>,
    journal: Journal,
    kept: &[View],
) -> rusqlite::Result<Connection> {
    let db = begun(file, journal)?;
    db.execute_batch("BEGIN IMMEDIATE")?;
    for view in kept {
        db.execute_batch(&Layout::new(view.table()).create())?;
    }
    meta::create(&db, &Checkpoint::start(log.head().ledger), kept)?;
    now::create(&db, kept)?;
    db.execute_batch("COMMIT")?;
    Ok(db)
}

/// Opens a file that nobody else reads.
pub(crate) fn begun(file: &Path, journal: Journal) -> rusqlite::Result<Connection> {
    let db = Connection::open(file)?;
    configure(&db)?;
    journal.set(&db)?;
    Ok(db)
}

/// Opens a complete file, to write it while others read.
pub(crate) fn open(file: &Path) -> rusqlite::Result<Connection> {
    // A connection is never shared between threads, and needs no lock of its own.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags)?;
    configure(&db)?;
    Journal::Live.set(&db)?;
    db.pragma_update(None, "wal_autocheckpoint", PAGES_PER_CHECKPOINT)?;
    Ok(db)
}

/// Adds the indices that are not there yet.
pub(crate) fn index(db: &Connection, kept: &[View]) -> rusqlite::Result<()> {
    let indices =
        kept.iter().flat_map(|view| Layout::new(view.table()).indices().collect::<Vec<_>>());
    indices.into_iter().try_for_each(|index| db.execute_batch(&index))
}

fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(64);
    db.busy_timeout(Duration::from_secs(10))?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // Pages, in KiB when negative: enough for the inner pages of tables with millions of rows.
    db.pragma_update(None, "cache_size", -32_768)
}
