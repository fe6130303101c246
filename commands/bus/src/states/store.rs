//! The file behind the states: rows by kind and id, and the position they stand for.

use super::Changes;
use crate::keys::KeysError;
use chl_aggregates::{Row, RowKey, STATES_VERSION};
use chl_events::LedgerId;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Transaction, params};
use std::{
    cell::Cell,
    path::{Path, PathBuf},
};

/// Says why the file of states failed.
#[derive(Debug, thiserror::Error)]
pub enum StatesError {
    /// The file could not be read or written.
    #[error("the file of states: {0}")]
    File(#[from] rusqlite::Error),
    /// A damaged file could not be removed.
    #[error("the damaged file of states {}: {source}", path.display())]
    Remove {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        source: std::io::Error,
    },
    /// A row's bytes do not decode.
    #[error("the row {kind}/{id} of the file of states is damaged: {source}")]
    Damaged {
        /// The number of its kind.
        kind: u8,
        /// Its key.
        id: String,
        /// What the codec says.
        source: postcard::Error,
    },
    /// The keys of its rows could not be read or kept.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A row's kind is from another release.
    #[error("a row of the unknown kind {0} in the file of states")]
    Kind(u8),
}

/// One SQLite file, a cache over the log: it may be deleted at any time while nobody uses it.
pub struct States {
    file: Connection,
    path: PathBuf,
    /// Whether rows are being read from one moment of the file: begun by the first read and kept,
    /// since locks and checks for each row cost more than the row.
    reading: Cell<bool>,
}

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    CREATE TABLE IF NOT EXISTS stands_for (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        version INTEGER NOT NULL,
        ledger BLOB NOT NULL,
        position INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS state_rows (
        kind INTEGER NOT NULL,
        id TEXT NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (kind, id)
    ) WITHOUT ROWID;";

impl States {
    /// Opens the file, or makes it; one that is damaged is made anew, since the log has it all.
    pub fn open(path: &Path) -> Result<Self, StatesError> {
        let opened = || {
            let file = Connection::open(path)?;
            file.execute_batch(SCHEMA)?;
            Ok(file)
        };
        let file = match opened() {
            Err(error) if is_damaged(&error) => {
                tracing::warn!(%error, path = %path.display(), "states are built anew");
                for part in ["", "-wal", "-shm"] {
                    let mut name = path.as_os_str().to_owned();
                    name.push(part);
                    remove_if_there(Path::new(&name))?;
                }
                opened()?
            }
            opened => opened?,
        };
        Ok(Self { file, path: path.into(), reading: Cell::new(false) })
    }

    /// Another connection to the same file, for the thread that writes it.
    pub(crate) fn again(&self) -> Result<Self, StatesError> {
        Self::open(&self.path)
    }

    /// The ledger and position its rows stand for: every commit before it is in them. None for an
    /// empty file, or one of another release.
    ///
    /// It is a witness of the log: a ledger that ends before it has lost commits.
    pub fn stands_for(&self) -> Result<Option<(LedgerId, u64)>, StatesError> {
        let query = "SELECT version, ledger, position FROM stands_for";
        let found: Option<(u32, [u8; 16], i64)> = self
            .file
            .query_row(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let current = found.filter(|(version, _, _)| *version == STATES_VERSION);
        let position = |position: i64| u64::try_from(position).unwrap_or(0);
        Ok(current.map(|(_, ledger, at)| (LedgerId(ledger), position(at))))
    }

    /// Reads from the file's newest moment from now on: rows were written by another connection.
    pub(crate) fn refresh(&self) -> Result<(), StatesError> {
        if self.reading.replace(false) {
            self.file.execute_batch("COMMIT")?;
        }
        Ok(())
    }

    /// Empties the file.
    pub(crate) fn clear(&mut self) -> Result<(), StatesError> {
        self.refresh()?;
        let transaction = self.file.transaction()?;
        transaction.execute("DELETE FROM stands_for", [])?;
        transaction.execute("DELETE FROM state_rows", [])?;
        Ok(transaction.commit()?)
    }

    /// The row of a key.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Option<Row>, StatesError> {
        if !self.reading.replace(true) {
            self.file.execute_batch("BEGIN")?;
        }
        let query = "SELECT bytes FROM state_rows WHERE kind = ?1 AND id = ?2";
        let mut query = self.file.prepare_cached(query)?;
        let mut rows = query.query(params![key.kind, key.id.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let decoded = Row::decode(key.kind, bytes).ok_or(StatesError::Kind(key.kind))?;
        let damaged =
            |source| StatesError::Damaged { kind: key.kind, id: key.id.to_string(), source };
        decoded.map(Some).map_err(damaged)
    }

    /// Writes rows and the position they stand for, in one transaction.
    pub(crate) fn write(
        &mut self,
        rows: &Changes,
        ledger: LedgerId,
        position: u64,
    ) -> Result<(), StatesError> {
        self.refresh()?;
        let transaction = self.file.transaction()?;
        // In the order of the file's own tree, so that a page is touched once.
        let mut sorted: Vec<_> = rows.iter().collect();
        sorted.sort_unstable_by_key(|(key, _)| *key);
        for (key, row) in sorted {
            write_row(&transaction, key, row.as_ref())?;
        }
        transaction.execute(
            "INSERT OR REPLACE INTO stands_for (one, version, ledger, position)
             VALUES (1, ?1, ?2, ?3)",
            params![STATES_VERSION, ledger.0, i64::try_from(position).unwrap_or(i64::MAX)],
        )?;
        Ok(transaction.commit()?)
    }
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn remove_if_there(path: &Path) -> Result<(), StatesError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(StatesError::Remove { path: path.into(), source })
        }
        _ => Ok(()),
    }
}

fn write_row(
    transaction: &Transaction<'_>,
    key: &RowKey,
    row: Option<&Row>,
) -> Result<(), StatesError> {
    let Some(row) = row else {
        let delete = "DELETE FROM state_rows WHERE kind = ?1 AND id = ?2";
        transaction.prepare_cached(delete)?.execute(params![key.kind, key.id.as_str()])?;
        return Ok(());
    };
    let damaged = |source| StatesError::Damaged { kind: key.kind, id: key.id.to_string(), source };
    let bytes = row.encode().map_err(damaged)?;
    let insert = "INSERT OR REPLACE INTO state_rows (kind, id, bytes) VALUES (?1, ?2, ?3)";
    transaction.prepare_cached(insert)?.execute(params![key.kind, key.id.as_str(), bytes])?;
    Ok(())
}
