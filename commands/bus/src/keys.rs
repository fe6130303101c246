//! Keys: which command was accepted where, for ever.

use chl_events::Origin;
use std::collections::{HashMap, VecDeque};

/// Says why keys could not be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("the key index: {0}")]
pub struct KeysError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where keys of durable commits are kept.
pub trait KeyStore: Send {
    /// The position of a command's commit.
    fn get(&self, key: &[u8]) -> Result<Option<u64>, KeysError>;
    /// Keeps the key of a durable commit.
    fn put(&mut self, key: Vec<u8>, position: u64) -> Result<(), KeysError>;
    /// Behind which position keys have to be put again after opening.
    fn covered_to(&self) -> u64;
    /// Writes down the keys of all commits before a position.
    fn seal(&mut self, covered_to: u64) -> Result<(), KeysError>;
}

/// Keys in memory: for tests, dry runs and scratch copies.
#[derive(Debug, Default)]
pub struct MemoryKeys {
    keys: HashMap<Vec<u8>, u64>,
}

impl KeyStore for MemoryKeys {
    fn get(&self, key: &[u8]) -> Result<Option<u64>, KeysError> {
        Ok(self.keys.get(key).copied())
    }

    fn put(&mut self, key: Vec<u8>, position: u64) -> Result<(), KeysError> {
        self.keys.insert(key, position);
        Ok(())
    }

    fn covered_to(&self) -> u64 {
        0
    }

    fn seal(&mut self, _covered_to: u64) -> Result<(), KeysError> {
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

/// The keys of a ledger: those on their way above those that are kept.
pub(crate) struct Keys {
    store: Box<dyn KeyStore>,
    young: HashMap<Vec<u8>, u64>,
    order: VecDeque<(u64, Vec<u8>)>,
}

impl Keys {
    /// Begins with what is kept.
    pub(crate) fn new(store: Box<dyn KeyStore>) -> Self {
        Self { store, young: HashMap::new(), order: VecDeque::new() }
    }

    /// The position of a command's commit.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<u64>, KeysError> {
        match self.young.get(key) {
            Some(position) => Ok(Some(*position)),
            None => self.store.get(key),
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
            self.store.put(key.clone(), *position)?;
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

    /// Behind which position keys have to be put again.
    pub(crate) fn covered_to(&self) -> u64 {
        self.store.covered_to()
    }

    /// Writes down the keys of all commits before a position.
    pub(crate) fn seal(&mut self, covered_to: u64) -> Result<(), KeysError> {
        self.store.seal(covered_to)
    }
}
