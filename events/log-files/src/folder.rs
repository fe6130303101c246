//! The folder that holds a history in sealed files, and the lock of whoever owns it.

use crate::{Draft, SEALED_EXTENSION, SealedError, SealedFile};
use chl_events::{Hash, LedgerId};
use chl_log::{Chain, Head};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

const LOCK: &str = "lock";
const MAX_PID_BYTES: u64 = 32;

/// Says why the files of a folder are not one history.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// A file is damaged.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// A file belongs to another ledger.
    #[error("{}: of ledger {found}, not {expected}", path.display())]
    Ledger {
        /// The file.
        path: PathBuf,
        /// The ledger the folder is of.
        expected: LedgerId,
        /// The ledger the file names.
        found: LedgerId,
    },
    /// A file does not follow the one before it.
    #[error("{}: it does not follow the sealed history, which ends at {expected}", path.display())]
    Gap {
        /// The file.
        path: PathBuf,
        /// Where the history before it ends.
        expected: Head,
    },
}

/// A folder of sealed files, each named by the position of its first commit.
#[derive(Debug, Clone)]
pub struct SealedFolder {
    dir: PathBuf,
}

impl SealedFolder {
    /// Names a folder; it need not be there yet.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file that begins at a position.
    pub fn path(&self, first: u64) -> PathBuf {
        self.dir.join(format!("{first:020}.{SEALED_EXTENSION}"))
    }

    /// What lies behind the sealed files, as far as it was known when its writer ended: a file of
    /// their form beside their folder, replaced whenever a writer ends.
    pub fn tail(&self) -> PathBuf {
        self.dir.with_file_name(format!("tail.{SEALED_EXTENSION}"))
    }

    /// The files, in the order of their first positions; none where there is no folder.
    pub fn files(&self) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        if self.dir.is_dir() {
            for entry in fs::read_dir(&self.dir)? {
                let path = entry?.path();
                if path.extension().is_some_and(|extension| extension == SEALED_EXTENSION) {
                    files.push(path);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// Opens the files and checks that each goes on where the one before it ended.
    pub fn open(&self, ledger: LedgerId) -> Result<(Vec<Arc<SealedFile>>, Chain), FolderError> {
        let mut chain = Chain::new(ledger);
        let mut sealed = Vec::new();
        let io = |source| FolderError::Io { path: self.dir.clone(), source };
        for path in self.files().map_err(io)? {
            let file = SealedFile::open(&path)?;
            let summary = file.summary();
            if summary.ledger != ledger {
                let (expected, found) = (ledger, summary.ledger);
                return Err(FolderError::Ledger { path, expected, found });
            }
            if summary.before != chain {
                return Err(FolderError::Gap { path, expected: chain.head() });
            }
            chain = summary.after.clone();
            sealed.push(Arc::new(file));
        }
        Ok((sealed, chain))
    }
}

/// The root before a position, where files of one history end there or a block begins there.
pub fn root_at(files: &[Arc<SealedFile>], position: u64) -> Result<Option<Hash>, SealedError> {
    let ends = files.iter().map(|file| file.summary().after.head());
    if let Some(head) = ends.into_iter().find(|head| head.next == position) {
        return Ok(Some(head.root));
    }
    let Some(file) = files.iter().find(|file| file.next() > position) else {
        return Ok(None);
    };
    let block = file.blocks(position).next().transpose()?;
    Ok(block.filter(|block| block.first() == position).map(|block| block.root_before()))
}

/// The last chain at or before a position at which one of the files of a history begins or ends.
pub fn chain_before(files: &[Arc<SealedFile>], ledger: LedgerId, position: u64) -> Chain {
    let ended = files.partition_point(|file| file.next() <= position);
    let last = ended.checked_sub(1).and_then(|index| files.get(index));
    last.map_or_else(|| Chain::new(ledger), |file| file.summary().after.clone())
}

/// Removes what a crash left of files that had not appeared yet.
pub fn remove_unfinished(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if Draft::is_unfinished(&path) {
                fs::remove_file(path)?;
            }
        }
    }
    Ok(())
}

/// Says why a folder has not got this owner.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process owns it.
    #[error("{}: owned by {}", dir.display(), owner(*pid))]
    Owned {
        /// The folder.
        dir: PathBuf,
        /// The owner, where its lock says so.
        pid: Option<u32>,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The lock.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

fn owner(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// The owner's lock on a folder. The system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Becomes the owner, or fails with the process id of the one there is.
    pub fn take(dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK);
        let io = |source| LockError::Io { path: path.clone(), source };
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let read = file.by_ref().take(MAX_PID_BYTES).read_to_string(&mut text);
                let pid = read.ok().and_then(|_| text.trim().parse().ok());
                return Err(LockError::Owned { dir: dir.to_owned(), pid });
            }
            Err(error) => return Err(io(error.into())),
        }
        let pid = format!("{}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all_at(pid.as_bytes(), 0)).map_err(io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_second_owner_is_refused_with_the_first_ones_process_id() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(LOCK), "123456789 of a process long gone").unwrap();
        let first = OwnerLock::take(dir.path()).unwrap();
        let refused = OwnerLock::take(dir.path()).unwrap_err();
        let me = std::process::id();
        assert!(matches!(refused, LockError::Owned { pid: Some(pid), .. } if pid == me));
        drop(first);
        OwnerLock::take(dir.path()).unwrap();
    }
}
