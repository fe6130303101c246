//! Digests: what shows that two builds of a read model are equal.

use crate::{
    View,
    layout::{Cells, Layout, key_names},
};
use chl_events::Hash;
use chl_projections::Table;
use rusqlite::Connection;
use sha2::{Digest, Sha256};

/// A read model's digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewDigest {
    /// The read model.
    pub view: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// SHA-256 over its canonical dump: its rows in the order of their keys, a line each.
    pub digest: Hash,
}

/// Computes the digest of every read model that is kept.
pub(crate) fn digests(db: &Connection, kept: &[View]) -> rusqlite::Result<Vec<ViewDigest>> {
    kept.iter().map(|view| digest(db, view.table())).collect()
}

/// Computes the digest of one.
pub(crate) fn digest(db: &Connection, table: &'static Table) -> rusqlite::Result<ViewDigest> {
    let mut hasher = Sha256::new();
    let mut rows = 0;
    dump(db, table, &mut |line| {
        hasher.update(line.as_bytes());
        hasher.update(b"\n");
        rows += 1;
    })?;
    Ok(ViewDigest { view: table.name, rows, digest: Hash(hasher.finalize().into()) })
}

/// Hands out a read model's canonical dump, line by line.
pub(crate) fn dump(
    db: &Connection,
    table: &'static Table,
    to: &mut dyn FnMut(&str),
) -> rusqlite::Result<()> {
    let select = format!("{} ORDER BY {}", Layout::new(table).select, key_names(table));
    let mut statement = db.prepare(&select)?;
    let mut rows = statement.query([])?;
    let mut line = String::new();
    while let Some(row) = rows.next()? {
        line.clear();
        let mut cells = Cells::new(row, table);
        while let Some(cell) = cells.next() {
            if !line.is_empty() {
                line.push('\t');
            }
            cell.write_canonical(&mut line);
        }
        to(&line);
    }
    Ok(())
}
