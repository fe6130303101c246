//! The shelf: rows in their file, and the keys that say which rows there are.
//!
//! A key without a row costs one vain look into the file. A row without a key would be lost: so
//! keys are durable before rows are written, and a file that is ahead of its keys is built anew.

use super::{Changes, StatesError, StatesFile};
use crate::keys::{KeyKind, KeyStore, row_key};
use chl_aggregates::{Row, RowKey};
use chl_events::LedgerId;
use std::sync::Arc;

/// A connection to the file of states, and the keys of its rows.
pub(crate) struct Shelf {
    file: StatesFile,
    keys: Arc<dyn KeyStore>,
}

impl Shelf {
    /// Puts a file and its keys together.
    pub(crate) fn new(file: StatesFile, keys: Arc<dyn KeyStore>) -> Self {
        Self { file, keys }
    }

    /// The same shelf for the thread that fills it.
    pub(crate) fn again(&self) -> Result<Self, StatesError> {
        Ok(Self { file: self.file.again()?, keys: Arc::clone(&self.keys) })
    }

    /// The ledger and position its rows stand for; none when they cannot be used.
    pub(crate) fn stands_for(&self) -> Result<Option<(LedgerId, u64)>, StatesError> {
        let covered_to = self.keys.covered_to();
        Ok(self.file.stands_for()?.filter(|(_, position)| *position <= covered_to))
    }

    /// The row of a key. Most new ids are known to be new without a look into the file.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Option<Row>, StatesError> {
        match self.keys.get(KeyKind::Row, &row_key(key))? {
            Some(_) => self.file.row(key),
            None => Ok(None),
        }
    }

    /// Writes down the keys of every commit before a position, then the rows as they stand there.
    pub(crate) fn write(
        &mut self,
        rows: &Changes,
        ledger: LedgerId,
        position: u64,
    ) -> Result<(), StatesError> {
        for key in rows.keys() {
            self.keys.put(KeyKind::Row, &row_key(key), position.saturating_sub(1))?;
        }
        self.keys.seal(position)?;
        self.file.write(rows, ledger, position)
    }

    /// Reads from the file's newest moment from now on.
    pub(crate) fn refresh(&self) -> Result<(), StatesError> {
        self.file.refresh()
    }

    /// Empties the file. Keys stay: they are of the log, not of the file.
    pub(crate) fn clear(&mut self) -> Result<(), StatesError> {
        self.file.clear()
    }
}
