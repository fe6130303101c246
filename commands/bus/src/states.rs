//! States: rows in layers, from the group being decided down to the file.
//!
//! ```text
//! chain (chain.rs)   what the command under decision and its policies changed so far
//! dirty              changed since the last flush, by commits durable or on their way
//! flushing           on its way to the file
//! clean              bounded cache of what the file holds
//! shelf              one SQLite file, a cache over the log and never truth, behind its keys
//! ```

mod shelf;
mod store;

pub(crate) use shelf::Shelf;
pub use store::{States as StatesFile, StatesError};

use chl_aggregates::{Row, RowKey, Unavailable};
use chl_events::LedgerId;
use hashbrown::HashMap;
use quick_cache::sync::Cache;
use std::{collections::VecDeque, sync::Arc};

/// Rows that were set or taken away.
pub(crate) type Changes = HashMap<RowKey, Option<Row>>;

/// What a row was before a group changed it; none where the dirty layer did not have it.
type Before = (RowKey, Option<Option<Row>>);

/// The rows of a ledger, as the commits decided so far left them.
pub(crate) struct States {
    dirty: Changes,
    flushing: Option<Arc<Changes>>,
    clean: Cache<RowKey, Option<Row>>,
    shelf: Option<Shelf>,
    undo: VecDeque<Vec<Before>>,
}

impl States {
    /// Begins with what a file holds, or with nothing and in memory alone.
    pub(crate) fn new(shelf: Option<Shelf>, cached_rows: usize) -> Self {
        Self {
            dirty: Changes::new(),
            flushing: None,
            clean: Cache::new(cached_rows),
            shelf,
            undo: VecDeque::from([Vec::new()]),
        }
    }

    /// The row of a key.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        if let Some(row) = self.dirty.get(key) {
            return Ok(row.clone());
        }
        if let Some(row) = self.flushing.as_ref().and_then(|rows| rows.get(key)) {
            return Ok(row.clone());
        }
        let Some(shelf) = &self.shelf else { return Ok(None) };
        if let Some(row) = self.clean.get(key) {
            return Ok(row);
        }
        let row = shelf.row(key).map_err(|error| Unavailable(Box::new(error)))?;
        if row.is_some() {
            // A new id is asked for once; what is set for it then is dirty, not clean.
            self.clean.insert(key.clone(), row.clone());
        }
        Ok(row)
    }

    /// Takes an accepted chain's changes, remembering what they replace.
    pub(crate) fn merge(&mut self, changes: &mut Changes) {
        let undo = self.undo.back_mut();
        let before = changes.drain().map(|(key, row)| {
            let before = self.dirty.insert(key.clone(), row);
            (key, before)
        });
        match undo {
            Some(undo) => undo.extend(before),
            None => before.for_each(drop),
        }
    }

    /// Ends a group: what follows can be thrown away apart from it.
    pub(crate) fn end_group(&mut self) {
        self.undo.push_back(Vec::new());
    }

    /// The oldest group is durable: its changes stay.
    pub(crate) fn keep_oldest(&mut self) {
        self.undo.pop_front();
        if self.undo.is_empty() {
            self.undo.push_back(Vec::new());
        }
    }

    /// Throws away the changes of every group that is not durable.
    pub(crate) fn roll_back(&mut self) {
        while let Some(group) = self.undo.pop_back() {
            for (key, before) in group.into_iter().rev() {
                match before {
                    Some(row) => self.dirty.insert(key, row),
                    None => self.dirty.remove(&key),
                };
            }
        }
        self.undo.push_back(Vec::new());
    }

    /// Whether everything changed so far is durable.
    pub(crate) fn is_settled(&self) -> bool {
        self.undo.iter().all(Vec::is_empty)
    }

    /// How many rows changed since the last flush.
    pub(crate) fn dirty_rows(&self) -> usize {
        self.dirty.len()
    }

    /// Takes the changed rows for a flush; they stay readable until it is done.
    pub(crate) fn begin_flush(&mut self) -> Option<Arc<Changes>> {
        if self.shelf.is_none() || self.flushing.is_some() || !self.is_settled() {
            return None;
        }
        let rows = Arc::new(std::mem::take(&mut self.dirty));
        self.flushing = Some(Arc::clone(&rows));
        Some(rows)
    }

    /// Writes the changed rows down at once, with the position they stand for.
    pub(crate) fn flush_now(&mut self, ledger: LedgerId, position: u64) -> Result<(), StatesError> {
        let Some(rows) = self.begin_flush() else { return Ok(()) };
        let written = match self.shelf.as_mut() {
            Some(shelf) => shelf.write(&rows, ledger, position),
            None => Ok(()),
        };
        match written {
            Ok(()) => self.end_flush(),
            Err(_) => self.fail_flush(),
        }
        written
    }

    /// The file holds the flushed rows.
    pub(crate) fn end_flush(&mut self) {
        if let Some(Err(error)) = self.shelf.as_ref().map(Shelf::refresh) {
            // The rows stay readable above the file: an old moment of it must not show.
            tracing::error!(%error, "the file of states shows an old moment");
            return self.fail_flush();
        }
        for (key, row) in self.flushing.take().iter().flat_map(|rows| rows.iter()) {
            self.clean.insert(key.clone(), row.clone());
        }
    }

    /// The file did not take the rows: they are dirty again, below what changed meanwhile.
    pub(crate) fn fail_flush(&mut self) {
        for (key, row) in self.flushing.take().iter().flat_map(|rows| rows.iter()) {
            self.dirty.entry(key.clone()).or_insert_with(|| row.clone());
        }
    }

    /// Forgets every row, in memory and in the file: they are built anew from the log.
    pub(crate) fn clear(&mut self) -> Result<(), StatesError> {
        self.dirty.clear();
        self.flushing = None;
        self.clean.clear();
        self.undo.clear();
        self.undo.push_back(Vec::new());
        self.shelf.as_mut().map_or(Ok(()), Shelf::clear)
    }
}
