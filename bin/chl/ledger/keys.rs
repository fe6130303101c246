//! The key index as the bus asks for it.

use chl_bus::{KeyKind, KeyStore, KeysError};
use chl_log_files::{KeyEntry, KeyIndex};
use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// Keys in key files, which merge beside the writer.
pub(super) struct KeyFiles {
    index: Arc<KeyIndex>,
    merge: Option<SyncSender<()>>,
    merging: Option<JoinHandle<()>>,
}

impl KeyFiles {
    /// Takes an index that is open.
    pub(super) fn new(index: KeyIndex) -> Self {
        let index = Arc::new(index);
        let (merge, asked) = sync_channel::<()>(1);
        let merged = Arc::clone(&index);
        let merging = thread::spawn(move || {
            while asked.recv().is_ok() {
                if let Err(error) = merged.merge() {
                    // Nothing is lost: more files are asked until a later merge succeeds.
                    tracing::warn!(%error, "key files could not be merged");
                }
            }
        });
        Self { index, merge: Some(merge), merging: Some(merging) }
    }
}

impl KeyStore for KeyFiles {
    fn get(&self, kind: KeyKind, key: &[u8]) -> Result<Option<u64>, KeysError> {
        let found = self.index.get(kind as u8, key).map_err(failed)?;
        Ok(found.map(|entry| entry.position))
    }

    fn put(&self, kind: KeyKind, key: &[u8], position: u64) -> Result<(), KeysError> {
        let entry = KeyEntry { position, value: Vec::new() };
        self.index.put(kind as u8, key, entry).map_err(failed)
    }

    fn covered_to(&self) -> u64 {
        self.index.covered_to()
    }

    fn seal(&self, covered_to: u64) -> Result<(), KeysError> {
        self.index.advance(covered_to);
        self.index.seal(covered_to).map_err(failed)?;
        match self.merge.as_ref().map(|merge| merge.try_send(())) {
            // One merge is under way and another one waits: that one will see this file too.
            None | Some(Ok(()) | Err(TrySendError::Full(()))) => Ok(()),
            Some(Err(gone @ TrySendError::Disconnected(()))) => Err(KeysError(Box::new(gone))),
        }
    }
}

impl Drop for KeyFiles {
    fn drop(&mut self) {
        self.merge = None;
        if let Some(merging) = self.merging.take()
            && merging.join().is_err()
        {
            tracing::error!("the merging of key files ended by panicking");
        }
    }
}

fn failed(error: chl_log_files::KeyError) -> KeysError {
    KeysError(Box::new(error))
}
