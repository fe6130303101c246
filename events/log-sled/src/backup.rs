//! Copies of a ledger's history, checked while they are made.

use crate::{
    HeadError, OpenError, Options, head::Head, layout::Layout, open::open_sealed,
    plan::remove_if_there,
};
use chl_events::{Block, Hash};
use chl_log::{Chain, Head as LogHead, ReadError, ReadLog};
use chl_log_files::{
    Draft, SealedError, SealedWriter, Witness, WitnessError, create_dir, create_dir_with_parents,
    rename_durably, sync_dir,
};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// A file of a backup ends behind the block that brings it to this size.
const FILE_BYTES: usize = 16 * 1024 * 1024;

/// Says why a ledger was not backed up or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The ledger could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of the copy could not be written or read.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// The copy's files do not fit each other.
    #[error(transparent)]
    Copy(#[from] OpenError),
    /// The copy's witness could not be written or read.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The head of the restored ledger could not be made.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The copy's witness and its files disagree: it was not finished, or is damaged.
    #[error("the backup's files end at position {files}, its witness says {witness}")]
    Unfinished {
        /// Where its files end.
        files: u64,
        /// What its witness says.
        witness: u64,
    },
    /// The folder holds a backup of another history of this ledger.
    #[error("the backup in {} is of another history: at position {at} its root is {there}, the \
             ledger's is {here}", dir.display())]
    Diverged {
        /// The folder.
        dir: PathBuf,
        /// Where both end.
        at: u64,
        /// The ledger's root.
        here: Hash,
        /// The backup's root.
        there: Hash,
    },
    /// There is something in the folder already.
    #[error("{}: there is something here already", dir.display())]
    Occupied {
        /// The folder.
        dir: PathBuf,
    },
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl BackupError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Copies a log's blocks, as they stand at this moment, into sealed files in a folder; checks
/// every block and root on the way, and returns where the copy ends.
///
/// A folder that holds an earlier backup of the same history is brought up to date. The witness
/// is written last: without one that fits, the copy is not finished.
pub fn backup(log: &dyn ReadLog, dest: &Path) -> Result<LogHead, BackupError> {
    let layout = Layout::new(dest);
    create_dir_with_parents(dest).map_err(BackupError::io(dest))?;
    create_dir(&layout.sealed_dir()).map_err(BackupError::io(dest))?;
    layout.sweep().map_err(BackupError::io(dest))?;
    let now = log.head();
    let (_, mut chain) = open_sealed(&layout, now.ledger)?;
    if chain.next() == now.next && chain.root() != now.root {
        // A longer history shows by its next block, which does not continue the backup's.
        let (at, here, there) = (now.next, now.root, chain.root());
        return Err(BackupError::Diverged { dir: dest.to_owned(), at, here, there });
    }
    let mut blocks = log.read(chain.next())?.peekable();
    while blocks.peek().is_some() {
        chain = copy_file(&layout, &mut blocks, chain)?;
    }
    let head = chain.head();
    sync_dir(&layout.sealed_dir()).map_err(BackupError::io(dest))?;
    Witness::create(&layout.witness(), head, 0)?;
    Ok(head)
}

/// Copies blocks that continue `chain` into one file, and returns the chain behind them.
fn copy_file(
    layout: &Layout,
    blocks: &mut impl Iterator<Item = Result<Block, ReadError>>,
    chain: Chain,
) -> Result<Chain, BackupError> {
    let mut writer = SealedWriter::create(&layout.sealed(chain.next()), chain)?;
    let mut bytes = 0;
    while bytes < FILE_BYTES {
        let Some(block) = blocks.next().transpose()? else {
            break;
        };
        bytes += block.bytes().len();
        writer.push(&block)?;
    }
    Ok(writer.finish(None)?.after)
}

/// Makes a ledger in a folder from a backup, after checking every block and root of it; the
/// folder must not be there, or be empty. It appears whole or not at all.
pub fn restore(backup: &Path, dir: &Path) -> Result<LogHead, BackupError> {
    let io = BackupError::io(dir);
    let occupied = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Err(io(error)),
    };
    if occupied {
        return Err(BackupError::Occupied { dir: dir.to_owned() });
    }
    let from = Layout::new(backup);
    let witness = Witness::open(&from.witness())?.last().head;
    let (files, chain) = open_sealed(&from, witness.ledger)?;
    if chain.head() != witness {
        let (files, witness) = (chain.next(), witness.next);
        return Err(BackupError::Unfinished { files, witness });
    }
    let mut scratch = dir.as_os_str().to_owned();
    scratch.push(".restoring");
    let scratch = PathBuf::from(scratch);
    remove_if_there(&scratch).map_err(&io)?;
    create_dir_with_parents(&scratch).map_err(&io)?;
    let to = Layout::new(&scratch);
    create_dir(&to.sealed_dir()).map_err(&io)?;
    for file in files {
        file.verify()?;
        let mut draft = Draft::create(&to.sealed(file.first())).map_err(&io)?;
        let mut source = File::open(file.path()).map_err(BackupError::io(file.path()))?;
        io::copy(&mut source, &mut draft).map_err(&io)?;
        draft.publish().map_err(&io)?;
    }
    Head::make(&to, 1, &Options::default())?.close()?;
    Witness::create(&to.witness(), witness, 0)?;
    rename_durably(&scratch, dir).map_err(io)?;
    Ok(witness)
}
