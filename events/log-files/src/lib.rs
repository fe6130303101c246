//! What every node keeps as files beside a log, whatever the log is made of.
//!
//! [`SealedFile`]s hold the history byte for byte and never change. The [`Witness`] says, outside
//! the log, how far the history has durably come. The [`KeyIndex`] finds the commit that took a
//! key, for ever. All of them are written so that a crash between any two steps leaves what was
//! there before or what is there after ([`Draft`]).

mod draft;
mod folder;
mod history;
mod keys;
mod sealed;
mod witness;

pub use draft::{Draft, create_dir, create_dir_with_parents, rename_durably, sync_dir};
pub use folder::{
    FolderError, LockError, OwnerLock, SealedFolder, chain_before, remove_unfinished, root_at,
};
pub use history::{HistoryError, SealedHistory};
pub use keys::{KeyEntry, KeyError, KeyIndex, MAX_KEY_VALUE_BYTES};
pub use sealed::{
    SEALED_EXTENSION, SealedBlocks, SealedError, SealedFile, SealedSummary, SealedWriter,
};
pub use witness::{Mark, Witness, WitnessError};
