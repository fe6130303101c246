//! The keys of those who are forgotten, as the bytes to look for.

use std::path::Path;

/// Theirs in a vault's file.
pub(crate) fn keys(vault: &Path) -> Vec<Vec<u8>> {
    let file = rusqlite::Connection::open(vault).unwrap();
    let query = "SELECT key FROM person_keys WHERE person IN ('actor/u-anna', 'partner/p-z')";
    let mut query = file.prepare(query).unwrap();
    let keys = query.query_map([], |row| row.get(0)).unwrap();
    keys.collect::<Result<_, _>>().unwrap()
}
