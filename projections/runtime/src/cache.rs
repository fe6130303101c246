//! A table's rows in memory: changed ones until they are flushed, and the recently used.
//!
//! Two generations bound the memory: when the young one is full after a flush it becomes the old
//! one, and the old one is dropped. Whatever is used again moves to the young one.

use crate::{
    layout::{Cells, Layout},
    lines::Lines,
};
use chl_projections::{Row, StoreError};
use hashbrown::HashMap;
use rusqlite::Connection;

/// How many rows are made ready before they are inserted.
pub(crate) const ROWS_AT_ONCE: usize = 256;
/// How many rows a generation of one table has at most, beside the changed ones.
const GENERATION: usize = 16_384;

#[derive(Debug)]
pub(crate) struct Cached<R: Row> {
    pub(crate) layout: Layout,
    /// A key that is looked up, rows that are written: empty in between.
    lines: Lines,
    young: HashMap<R::Key, Slot<R>>,
    old: HashMap<R::Key, R>,
    changed: Vec<R::Key>,
    /// Whether every row of the table is in memory, so that what is not here is nowhere.
    complete: bool,
}

#[derive(Debug)]
struct Slot<R> {
    row: R,
    changed: bool,
}

pub(crate) fn failed(source: rusqlite::Error) -> StoreError {
    StoreError(source.into())
}

impl<R: Row> Cached<R> {
    pub(crate) fn new(empty: bool) -> Self {
        Self {
            layout: Layout::new(R::TABLE),
            lines: Lines::new(R::TABLE),
            young: HashMap::new(),
            old: HashMap::new(),
            changed: Vec::new(),
            complete: empty,
        }
    }

    /// How many rows wait for the next flush.
    pub(crate) fn changed(&self) -> usize {
        self.changed.len()
    }

    /// Brings a row into the young generation, where it is anywhere.
    fn bring(&mut self, key: &R::Key, db: &Connection) -> Result<bool, StoreError> {
        if self.young.contains_key(key) {
            return Ok(true);
        }
        let row = match self.old.remove(key) {
            Some(row) => Some(row),
            None if self.complete => None,
            None => self.select(key, db)?,
        };
        let found = row.is_some();
        if let Some(row) = row {
            self.young.insert(key.clone(), Slot { row, changed: false });
        }
        Ok(found)
    }

    fn select(&mut self, key: &R::Key, db: &Connection) -> Result<Option<R>, StoreError> {
        let mut statement = db.prepare_cached(&self.layout.select_by_key).map_err(failed)?;
        self.lines.push(|to| R::key_cells(key, to));
        self.lines.bind_one(&mut statement).map_err(failed)?;
        let mut rows = statement.raw_query();
        let Some(row) = rows.next().map_err(failed)? else { return Ok(None) };
        let mut cells = Cells::new(row, R::TABLE);
        let read = R::read(&mut || cells.next());
        read.map(Some).ok_or_else(|| StoreError(damaged(R::TABLE.name).into()))
    }

    pub(crate) fn peek(&mut self, key: &R::Key, db: &Connection) -> Result<Option<&R>, StoreError> {
        self.bring(key, db)?;
        Ok(self.young.get(key).map(|slot| &slot.row))
    }

    pub(crate) fn edit(
        &mut self,
        key: &R::Key,
        db: &Connection,
    ) -> Result<Option<&mut R>, StoreError> {
        if !self.bring(key, db)? {
            return Ok(None);
        }
        let Some(slot) = self.young.get_mut(key) else { return Ok(None) };
        if !slot.changed {
            slot.changed = true;
            self.changed.push(key.clone());
        }
        Ok(Some(&mut slot.row))
    }

    pub(crate) fn edit_or(
        &mut self,
        key: &R::Key,
        db: &Connection,
        new: fn(&R::Key) -> R,
    ) -> Result<&mut R, StoreError> {
        self.bring(key, db)?;
        let slot =
            self.young.entry(key.clone()).or_insert_with(|| Slot { row: new(key), changed: false });
        if !slot.changed {
            slot.changed = true;
            self.changed.push(key.clone());
        }
        Ok(&mut slot.row)
    }

    pub(crate) fn put(&mut self, row: R) {
        let key = row.key();
        self.old.remove(&key);
        let before = self.young.insert(key.clone(), Slot { row, changed: true });
        if !before.is_some_and(|slot| slot.changed) {
            self.changed.push(key);
        }
    }

    /// Writes the changed rows, in the order of their keys, and forgets what was used longest ago.
    pub(crate) fn flush(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let mut statement = db.prepare_cached(&self.layout.insert)?;
        self.changed.sort_unstable();
        for key in self.changed.drain(..) {
            let Some(slot) = self.young.get_mut(&key) else { continue };
            slot.changed = false;
            self.lines.push(|to| slot.row.cells(to));
            if self.lines.len() >= ROWS_AT_ONCE {
                self.lines.insert(&mut statement)?;
            }
        }
        self.lines.insert(&mut statement)?;
        if self.young.len() > GENERATION {
            self.complete &= self.old.is_empty();
            let young = std::mem::take(&mut self.young);
            self.old = young.into_iter().map(|(key, slot)| (key, slot.row)).collect();
        }
        Ok(())
    }
}

pub(crate) fn damaged(table: &str) -> String {
    format!("a row of {table} does not read back; the read models must be rebuilt")
}
