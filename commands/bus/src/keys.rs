//! Keys: which command was accepted where, and which rows there are, for ever.

use chl_aggregates::RowKey;
use chl_events::Origin;
use hashbrown::HashMap;
use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Says why keys could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("the key index: {0}")]
pub struct KeysError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// What a key is of. The numbers stand in key files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// A command's source and id.
    Command = 1,
    /// A row of the states, from the first time it was written down: what has no key has no row.
    Row = 2,
}

/// Where keys of durable commits are kept. Any number of threads share it.
pub trait KeyStore: Send + Sync {
    /// The position of a key's commit.
    fn get(&self, kind: KeyKind, key: &[u8]) -> Result<Option<u64>, KeysError>;
    /// Keeps the key of a durable commit.
    fn put(&self, kind: KeyKind, key: &[u8], position: u64) -> Result<(), KeysError>;
    /// Behind which position keys have to be put again after opening.
    fn covered_to(&self) -> u64;
    /// Writes down the keys of all commits before a position.
    fn seal(&self, covered_to: u64) -> Result<(), KeysError>;
}

/// Keys in memory: for tests, dry runs and scratch copies.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    held: RwLock<Held>,
}

#[derive(Debug, Default)]
struct Held {
    keys: HashMap<(KeyKind, Vec<u8>), u64>,
    covered_to: u64,
}

impl MemoryKeys {
    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryKeys {
    fn get(&self, kind: KeyKind, key: &[u8]) -> Result<Option<u64>, KeysError> {
        Ok(self.held().keys.get(&(kind, key.to_vec())).copied())
    }

    fn put(&self, kind: KeyKind, key: &[u8], position: u64) -> Result<(), KeysError> {
        self.held_mut().keys.insert((kind, key.to_vec()), position);
        Ok(())
    }

    fn covered_to(&self) -> u64 {
        self.held().covered_to
    }

    fn seal(&self, covered_to: u64) -> Result<(), KeysError> {
        self.held_mut().covered_to = covered_to;
        Ok(())
    }
}

/// The key of a command: its source and id. Neither holds a control character, so that no two
/// pairs make one key.
pub(crate) fn command_key(origin: &Origin) -> Vec<u8> {
    let mut key = Vec::with_capacity(origin.source.len() + 1 + origin.id.len());
    key.extend_from_slice(origin.source.as_bytes());
    key.push(0);
    key.extend_from_slice(origin.id.as_bytes());
    key
}

/// The key of a row.
pub(crate) fn row_key(row: &RowKey) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + row.id.len());
    key.push(row.kind);
    key.extend_from_slice(row.id.as_bytes());
    key
}

/// The keys of a ledger's commands: those on their way above those that are kept.
pub(crate) struct Keys {
    store: Arc<dyn KeyStore>,
    young: HashMap<Vec<u8>, u64>,
    order: VecDeque<(u64, Vec<u8>)>,
}

impl Keys {
    /// Begins with what is kept.
    pub(crate) fn new(store: Arc<dyn KeyStore>) -> Self {
        Self { store, young: HashMap::new(), order: VecDeque::new() }
    }

    /// The position of a command's commit.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<u64>, KeysError> {
        match self.young.get(key) {
            Some(position) => Ok(Some(*position)),
            None => self.store.get(KeyKind::Command, key),
        }
    }

    /// Takes the key of an accepted command.
    pub(crate) fn push(&mut self, key: Vec<u8>, position: u64) {
        self.young.insert(key.clone(), position);
        self.order.push_back((position, key));
    }

    /// Keeps the keys of commits that are durable.
    pub(crate) fn durable(&mut self, next: u64) -> Result<(), KeysError> {
        while let Some((position, key)) = self.order.front().filter(|front| front.0 < next) {
            self.store.put(KeyKind::Command, key, *position)?;
            self.young.remove(key);
            self.order.pop_front();
        }
        Ok(())
    }

    /// Throws away the keys from a position on.
    pub(crate) fn roll_back(&mut self, next: u64) {
        while let Some((_, key)) = self.order.pop_back_if(|(position, _)| *position >= next) {
            self.young.remove(&key);
        }
    }
}
