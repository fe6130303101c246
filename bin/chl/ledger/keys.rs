//! The key index as the bus asks for it.

use chl_bus::{KeyStore, KeysError};
use chl_log_files::{KeyEntry, KeyIndex};
use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// The kind of the keys of commands; others have kinds of their own.
const COMMANDS: u8 = 1;

/// Commands' keys in key files, which merge beside the writer.
pub(super) struct CommandKeys {
    index: Arc<KeyIndex>,
    merge: Option<SyncSender<()>>,
    merging: Option<JoinHandle<()>>,
}

impl CommandKeys {
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

impl KeyStore for CommandKeys {
    fn get(&self, key: &[u8]) -> Result<Option<u64>, KeysError> {
        let found = self.index.get(COMMANDS, key).map_err(failed)?;
        Ok(found.map(|entry| entry.position))
    }

    fn put(&mut self, key: Vec<u8>, position: u64) -> Result<(), KeysError> {
        let entry = KeyEntry { position, value: Vec::new() };
        self.index.put(COMMANDS, &key, entry).map_err(failed)
    }

    fn covered_to(&self) -> u64 {
        self.index.covered_to()
    }

    fn seal(&mut self, covered_to: u64) -> Result<(), KeysError> {
        self.index.advance(covered_to);
        self.index.seal(covered_to).map_err(failed)?;
        match self.merge.as_ref().map(|merge| merge.try_send(())) {
            // One merge is under way and another one waits: that one will see this file too.
            None | Some(Ok(()) | Err(TrySendError::Full(()))) => Ok(()),
            Some(Err(gone @ TrySendError::Disconnected(()))) => Err(KeysError(Box::new(gone))),
        }
    }
}

impl Drop for CommandKeys {
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
