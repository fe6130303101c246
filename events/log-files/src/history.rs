//! A history read from files alone: what a node has of a ledger whose log is out of reach.

use crate::{FolderError, SealedError, SealedFile, SealedFolder, chain_before};
use chl_log::{Blocks, Chain, Head, ReadError, ReadLog, Walk, Wanted};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

/// Says why files are no history.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is none.
    #[error("{}: nothing of a ledger is kept here", dir.display())]
    Nothing {
        /// The folder.
        dir: PathBuf,
    },
    /// The files are not one history.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be read.
    #[error(transparent)]
    Sealed(#[from] SealedError),
}

/// The history of a folder's sealed files, and of the tail behind them where that fits.
#[derive(Clone)]
pub struct SealedHistory {
    files: Arc<[Arc<SealedFile>]>,
    head: Head,
}

impl SealedHistory {
    /// Opens what a folder holds; changes nothing.
    pub fn open(folder: &SealedFolder) -> Result<Self, HistoryError> {
        let nothing = || HistoryError::Nothing { dir: folder.dir().to_owned() };
        let tail = Some(folder.tail()).filter(|path| path.is_file());
        let tail = tail.map(|path| SealedFile::open(&path)).transpose()?.map(Arc::new);
        let ledger = match folder.files().map_err(|source| io(folder.dir(), source))?.first() {
            Some(first) => Some(SealedFile::open(first)?.summary().ledger),
            None => tail.as_ref().map(|tail| tail.summary().ledger),
        };
        let (mut files, mut chain) = folder.open(ledger.ok_or_else(nothing)?)?;
        // One that was written before the newest sealed files is in them.
        if let Some(tail) = tail.filter(|tail| tail.summary().before == chain) {
            chain = tail.summary().after.clone();
            files.push(tail);
        }
        Ok(Self { files: files.into(), head: chain.head() })
    }
}

fn io(path: &Path, source: std::io::Error) -> FolderError {
    FolderError::Io { path: path.to_owned(), source }
}

impl ReadLog for SealedHistory {
    fn head(&self) -> Head {
        self.head
    }

    fn read(&self, from: u64) -> Result<Blocks, ReadError> {
        let files = Arc::clone(&self.files);
        let fetch = Box::new(move |Wanted { at, .. }: Wanted| -> Result<Blocks, ReadError> {
            let index = files.partition_point(|file| file.next() <= at);
            let file = files.get(index).ok_or(ReadError::Gap { position: at })?;
            let blocks = file.blocks(at);
            Ok(Box::new(blocks.map(move |block| block.map_err(|error| error.into_read_error(at)))))
        });
        Ok(Box::new(Walk::new(from, self.head, fetch)?))
    }

    fn sealed_to(&self) -> u64 {
        self.head.next
    }

    fn chain_before(&self, position: u64) -> Chain {
        chain_before(&self.files, self.head.ledger, position)
    }

    /// Nothing ever comes: files do not grow.
    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
        if self.head.next <= position {
            thread::sleep(timeout);
        }
        Ok(self.head)
    }
}
