//! The newest entries of the index, in memory until they are in a file.

use super::{KeyHash, Record};
use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, Hasher},
};

/// A key's hash is one already.
#[derive(Debug, Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

/// Where a key leads to, without its hash.
#[derive(Debug)]
struct Held {
    position: u64,
    value: Option<Box<[u8]>>,
}

fn record(hash: KeyHash, held: Held) -> Record {
    Record { hash, position: held.position, value: held.value }
}

/// Entries that may still be taken back.
#[derive(Debug, Default)]
pub(super) struct Young {
    newest: HashMap<KeyHash, Held, BuildHasherDefault<Ready>>,
    /// Entries that a later one took the place of; it may turn out not to be durable.
    displaced: Vec<Record>,
}

impl Young {
    /// The newest entry of a key.
    pub(super) fn get(&self, hash: KeyHash) -> Option<Record> {
        let Held { position, value } = self.newest.get(&hash)?;
        Some(Record { hash, position: *position, value: value.clone() })
    }

    /// Takes an entry.
    pub(super) fn put(&mut self, Record { hash, position, value }: Record) {
        if let Some(older) = self.newest.insert(hash, Held { position, value }) {
            self.displaced.push(record(hash, older));
        }
    }

    /// Gives up the entries before a position, the newest of each key; whatever is newer stays.
    pub(super) fn freeze(&mut self, to: u64) -> Frozen {
        let Self { newest, displaced } = std::mem::take(self);
        let newest = newest.into_iter().map(|(hash, held)| record(hash, held));
        let all = displaced.into_iter().chain(newest);
        let (mut earlier, mut later): (Vec<_>, Vec<_>) = all.partition(|one| one.position < to);
        later.sort_by_key(|record| record.position);
        later.into_iter().for_each(|record| self.put(record));
        // Stable, so that of two at one position the later one stays, as it did in the table.
        earlier.sort_by_key(|record| (record.hash, record.position));
        earlier.dedup_by(|next, kept| {
            let same = next.hash == kept.hash;
            if same {
                std::mem::swap(next, kept);
            }
            same
        });
        Frozen(earlier)
    }

    /// Takes back what could not be written; what came meanwhile is newer.
    pub(super) fn thaw(&mut self, frozen: &Frozen) {
        for record in frozen.records() {
            match self.newest.entry(record.hash) {
                Entry::Occupied(_) => self.displaced.push(record.clone()),
                Entry::Vacant(free) => {
                    let Record { position, value, .. } = record.clone();
                    free.insert(Held { position, value });
                }
            }
        }
    }
}

/// Entries on their way to a file, one a key, in the order of their hashes.
#[derive(Debug, Default)]
pub(super) struct Frozen(Vec<Record>);

impl Frozen {
    /// The entry of a key.
    pub(super) fn get(&self, hash: KeyHash) -> Option<Record> {
        let found = self.0.binary_search_by_key(&hash, |record| record.hash).ok()?;
        self.0.get(found).cloned()
    }

    /// All of them.
    pub(super) fn records(&self) -> impl Iterator<Item = &Record> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u8, position: u64) -> Record {
        Record { hash: KeyHash::of(1, &[key]), position, value: None }
    }

    fn positions(records: &Frozen) -> Vec<u64> {
        let mut positions: Vec<u64> = records.records().map(|record| record.position).collect();
        positions.sort_unstable();
        positions
    }

    #[test]
    fn the_newest_before_a_position_goes_and_what_is_newer_stays() {
        let mut young = Young::default();
        for (key, position) in [(1, 0), (2, 1), (1, 2), (3, 3), (1, 4)] {
            young.put(entry(key, position));
        }
        let frozen = young.freeze(4);
        assert_eq!(positions(&frozen), [1, 2, 3]);
        assert_eq!(frozen.get(KeyHash::of(1, &[1])).map(|record| record.position), Some(2));
        assert_eq!(young.get(KeyHash::of(1, &[1])).map(|record| record.position), Some(4));
        assert_eq!(young.get(KeyHash::of(1, &[2])), None);
        young.thaw(&frozen);
        assert_eq!(young.get(KeyHash::of(1, &[2])).map(|record| record.position), Some(1));
        assert_eq!(young.get(KeyHash::of(1, &[1])).map(|record| record.position), Some(4));
        assert_eq!(positions(&young.freeze(3)), [1, 2]);
    }
}
