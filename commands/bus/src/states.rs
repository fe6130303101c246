//! States: rows in layers, from the group being decided down to the file.
//!
//! ```text
//! chain (chain.rs)   what the command under decision and its policies changed so far
//! dirty              changed since the last flush, by commits durable or on their way
//! flushed            what the last flush takes or took to the file
//! clean              what else was read from the file, as far as it fits
//! shelf              one SQLite file, a cache over the log and never truth, behind its keys
//! ```
//!
//! Each layer is bounded by its bytes: the writer flushes when dirty rows fill their room, and waits
//! for a flush that is under way when they fill it twice.

mod shelf;
mod store;

pub(crate) use shelf::Shelf;
pub use store::{States as StatesFile, StatesError};

use chl_aggregates::{Row, RowKey, Unavailable};
use chl_events::LedgerId;
use hashbrown::HashMap;
use quick_cache::{Weighter, unsync::Cache};
use std::{cell::RefCell, collections::VecDeque, sync::Arc};

/// Rows that were set or taken away.
pub(crate) type Changes = HashMap<RowKey, Option<Row>>;

/// What a row was before a group changed it; none where the dirty layer did not have it.
type Before = (RowKey, Option<Option<Row>>);

/// A row that is kept, with its key and its place in a table that is never quite full.
const ENTRY_BYTES: usize = 2 * size_of::<(RowKey, Option<Row>)>();

fn footprint(key: &RowKey, row: Option<&Row>) -> usize {
    let id = if key.id.is_heap_allocated() { key.id.len() } else { 0 };
    ENTRY_BYTES + id + row.map_or(0, Row::footprint)
}

#[derive(Clone)]
struct Footprint;

impl Weighter<RowKey, Row> for Footprint {
    fn weight(&self, key: &RowKey, row: &Row) -> u64 {
        footprint(key, Some(row)) as u64
    }
}

/// The rows of a ledger, as the commits decided so far left them.
pub(crate) struct States {
    dirty: Changes,
    dirty_bytes: usize,
    flushed: Arc<Changes>,
    flushing: bool,
    /// Rows of the file that are in no layer above; reading changes what it holds.
    clean: RefCell<Cache<RowKey, Row, Footprint>>,
    shelf: Option<Shelf>,
    undo: VecDeque<Vec<Before>>,
    /// How many bytes of dirty rows make a flush.
    room: usize,
}

impl States {
    /// Begins with what a file holds, or with nothing and in memory alone. Dirty rows have half of
    /// `bytes`, the others a quarter each; where a flush takes long, it may be half as much again.
    pub(crate) fn new(shelf: Option<Shelf>, bytes: usize) -> Self {
        let (room, clean) = (bytes / 4, bytes / 4);
        let rows = clean / (2 * ENTRY_BYTES);
        Self {
            dirty: Changes::new(),
            dirty_bytes: 0,
            flushed: Arc::default(),
            flushing: false,
            clean: RefCell::new(Cache::with_weighter(rows, clean as u64, Footprint)),
            shelf,
            undo: VecDeque::from([Vec::new()]),
            room,
        }
    }

    /// The row of a key.
    pub(crate) fn row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        if let Some(row) = self.dirty.get(key).or_else(|| self.flushed.get(key)) {
            return Ok(row.clone());
        }
        let Some(shelf) = &self.shelf else { return Ok(None) };
        let mut clean = self.clean.borrow_mut();
        if let Some(row) = clean.get(key) {
            return Ok(Some(row.clone()));
        }
        let row = shelf.row(key).map_err(|error| Unavailable(Box::new(error)))?;
        if let Some(row) = &row {
            clean.insert(key.clone(), row.clone());
        }
        Ok(row)
    }

    /// Takes an accepted chain's changes, remembering what they replace.
    pub(crate) fn merge(&mut self, changes: &mut Changes) {
        let Self { dirty, dirty_bytes, clean, undo, .. } = self;
        let clean = clean.get_mut();
        let before = changes.drain().map(|(key, row)| {
            // What is above the file is never looked up below, and would be old there one day.
            clean.remove(&key);
            *dirty_bytes = dirty_bytes.saturating_add(footprint(&key, row.as_ref()));
            let before = dirty.insert(key.clone(), row);
            if let Some(row) = &before {
                *dirty_bytes = dirty_bytes.saturating_sub(footprint(&key, row.as_ref()));
            }
            (key, before)
        });
        match undo.back_mut() {
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
        self.weigh();
    }

    fn weigh(&mut self) {
        let rows = self.dirty.iter();
        self.dirty_bytes = rows.map(|(key, row)| footprint(key, row.as_ref())).sum();
    }

    /// Whether everything changed so far is durable.
    pub(crate) fn is_settled(&self) -> bool {
        self.undo.iter().all(Vec::is_empty)
    }

    /// Whether so much changed since the last flush that it is time for the next.
    pub(crate) fn is_full(&self) -> bool {
        self.shelf.is_some() && self.dirty_bytes >= self.room
    }

    /// Whether the flush under way must end before more can be changed.
    pub(crate) fn is_overfull(&self) -> bool {
        self.flushing && self.dirty_bytes / 2 >= self.room
    }

    /// Takes the changed rows for a flush; they stay readable, and those of the flush before it are
    /// in the file alone from now on.
    pub(crate) fn begin_flush(&mut self) -> Option<Arc<Changes>> {
        if self.shelf.is_none() || self.flushing || !self.is_settled() {
            return None;
        }
        // As many rows will change again: a table that grows is copied time after time.
        let next = Changes::with_capacity(self.dirty.len());
        self.flushed = Arc::new(std::mem::replace(&mut self.dirty, next));
        self.dirty_bytes = 0;
        self.flushing = true;
        Some(Arc::clone(&self.flushed))
    }

    /// Writes the changed rows down at once, with the position they stand for.
    pub(crate) fn flush_now(&mut self, ledger: LedgerId, position: u64) -> Result<(), StatesError> {
        let Some(rows) = self.begin_flush() else { return Ok(()) };
        let written = match self.shelf.as_mut() {
            Some(shelf) => shelf.write(&rows, ledger, position),
            None => Ok(()),
        };
        drop(rows);
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
        self.flushing = false;
    }

    /// The file did not take the rows: they are dirty again, below what changed meanwhile.
    pub(crate) fn fail_flush(&mut self) {
        self.flushing = false;
        for (key, row) in std::mem::take(&mut self.flushed).iter() {
            self.dirty.entry(key.clone()).or_insert_with(|| row.clone());
        }
        self.weigh();
    }

    /// Forgets every row, in memory and in the file: they are built anew from the log.
    pub(crate) fn clear(&mut self) -> Result<(), StatesError> {
        self.dirty.clear();
        self.dirty_bytes = 0;
        self.flushed = Arc::default();
        self.flushing = false;
        self.clean.get_mut().clear();
        self.undo.clear();
        self.undo.push_back(Vec::new());
        self.shelf.as_mut().map_or(Ok(()), Shelf::clear)
    }
}
