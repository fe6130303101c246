//! This node's own copy of the stream: sealed files, and a witness of how far it was seen.
//!
//! Servers that keep a stream have lost acknowledged messages before. The copy is kept by another
//! program on another disk, so that a stream which lost something, or holds something else, is
//! found out.

use crate::{OpenError, Options, read::Shared};
use chl_events::Block;
use chl_log::{Cause, Chain, Head};
use chl_log_files::{
    OwnerLock, SealedError, SealedFile, SealedFolder, SealedWriter, Witness, WitnessError,
    create_dir, create_dir_with_parents, remove_unfinished, rename_durably, sync_dir,
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

/// How many blocks may wait to be copied before the writer waits for it.
const BLOCKS_WAITING: usize = 256;

/// What a node's folder holds when a ledger is opened.
pub(crate) struct Found {
    dir: PathBuf,
    lock: OwnerLock,
    witness: Option<Witness>,
    folder: SealedFolder,
}

/// A copy as far as it was sealed.
pub(crate) struct SealedCopy {
    pub(crate) files: Vec<Arc<SealedFile>>,
    pub(crate) chain: Chain,
    /// How many blocks are in it.
    pub(crate) blocks: u64,
    /// The sequence of the last one's message; there may be messages that are no blocks of the log.
    pub(crate) sequence: u64,
}

impl SealedCopy {
    pub(crate) fn empty(chain: Chain) -> Self {
        Self { files: Vec::new(), chain, blocks: 0, sequence: 0 }
    }
}

impl Found {
    /// Becomes the owner of a node's folder, makes it where it is missing, and removes what a
    /// crash left unfinished.
    pub(crate) fn look(dir: &Path) -> Result<Self, OpenError> {
        let io = OpenError::io(dir);
        let folder = SealedFolder::new(&dir.join("sealed"));
        create_dir_with_parents(dir).map_err(&io)?;
        let lock = OwnerLock::take(dir)?;
        create_dir(folder.dir()).map_err(&io)?;
        remove_unfinished(dir).and_then(|()| remove_unfinished(folder.dir())).map_err(&io)?;
        // A file may have got its name just before a kill: before anything is believed for its
        // sake, the name is made durable.
        sync_dir(folder.dir()).and_then(|()| sync_dir(dir)).map_err(&io)?;
        let witness = match Witness::open(&dir.join("witness")) {
            Ok(witness) => Some(witness),
            Err(WitnessError::Missing { .. }) if folder.files().map_err(&io)?.is_empty() => None,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { dir: dir.to_owned(), lock, witness, folder })
    }

    /// How far this node has seen the stream come.
    pub(crate) fn seen(&self) -> Option<Head> {
        self.witness.as_ref().map(|witness| witness.last().head)
    }

    /// Opens what is sealed of a ledger.
    pub(crate) fn open(&self, chain: Chain) -> Result<SealedCopy, OpenError> {
        let (files, chain) = self.folder.open(chain.ledger())?;
        let blocks = files.iter().map(|file| file.summary().blocks).sum();
        Ok(SealedCopy { files, chain, blocks, sequence: blocks })
    }

    /// Begins to copy what follows; the witness begins with the copy where there is none yet.
    pub(crate) fn keep(
        self,
        options: &Options,
        shared: &Arc<Shared>,
        sealed: &SealedCopy,
    ) -> Result<Copy, OpenError> {
        let witness = match self.witness {
            Some(witness) => witness,
            None => Witness::create(&self.dir.join("witness"), sealed.chain.head(), 0)?,
        };
        let witness = Arc::new(Mutex::new(witness));
        let (failed, believed) = (Arc::new(Mutex::new(None)), Arc::default());
        let keeper = Keeper {
            folder: self.folder,
            seal_bytes: options.seal_bytes,
            shared: Arc::clone(shared),
            witness: Arc::clone(&witness),
            chain: sealed.chain.clone(),
            writing: None,
            believed: Arc::clone(&believed),
        };
        let (blocks, queue) = sync_channel(BLOCKS_WAITING);
        let board = Arc::clone(&failed);
        let thread = std::thread::Builder::new().name("log-copy".to_owned());
        let thread = thread.spawn(move || keeper.run(&queue, &board));
        let thread = Some(thread.map_err(OpenError::io(&self.dir))?);
        let settled = sealed.chain.next();
        Ok(Copy {
            witness,
            blocks: Some(blocks),
            failed,
            believed,
            thread,
            settled,
            _lock: self.lock,
        })
    }
}

/// The copy under way, as the log's owner sees it.
pub(crate) struct Copy {
    witness: Arc<Mutex<Witness>>,
    blocks: Option<SyncSender<Numbered>>,
    failed: Arc<Mutex<Option<Cause>>>,
    believed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// The position up to which the witness is durable.
    settled: u64,
    _lock: OwnerLock,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Copy {
    /// The stream is what this node has seen, and goes on with it: its end may replace the tail.
    pub(crate) fn believe(&self) {
        self.believed.store(true, Ordering::Release);
    }

    /// What has failed, if anything has.
    pub(crate) fn failed(&self) -> Option<Cause> {
        held(&self.failed).clone()
    }

    /// Takes blocks of the messages from `sequence` on, and where the log ends with them.
    pub(crate) fn take(
        &mut self,
        sequence: u64,
        blocks: &[Block],
        head: Head,
    ) -> Result<(), Cause> {
        let mut witness = held(&self.witness);
        if witness.last().head.next < head.next {
            witness.record(head).map_err(|error| Arc::new(error) as Cause)?;
        }
        drop(witness);
        let Some(sender) = &self.blocks else {
            return Ok(());
        };
        for (sequence, block) in (sequence..).zip(blocks) {
            if sender.send(Numbered { block: block.clone(), sequence }).is_err() {
                return Err(Arc::new(io::Error::other("the copy's thread has ended")));
            }
        }
        Ok(())
    }

    /// Makes the witness durable up to a position.
    pub(crate) fn settle(&mut self, next: u64) -> Result<(), Cause> {
        if self.settled < next {
            held(&self.witness).sync().map_err(|error| Arc::new(error) as Cause)?;
            self.settled = next;
        }
        Ok(())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        self.blocks = None;
        if let Some(thread) = self.thread.take() {
            // What it had not sealed is read from the stream again; a panic has nobody to tell.
            let _ended = thread.join();
        }
    }
}

/// A block and the sequence of its message.
struct Numbered {
    block: Block,
    sequence: u64,
}

/// The thread that copies.
struct Keeper {
    folder: SealedFolder,
    seal_bytes: u64,
    shared: Arc<Shared>,
    witness: Arc<Mutex<Witness>>,
    /// The chain behind what is sealed.
    chain: Chain,
    writing: Option<(SealedWriter, u64)>,
    /// Whether the stream was found to be the one this node has seen.
    believed: Arc<AtomicBool>,
}

/// Says why the copy failed. The stream stays whole; the log takes nothing more until reopened.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error("this node's copy: {0}")]
    Sealed(#[from] SealedError),
    #[error("this node's witness: {0}")]
    Witness(#[from] WitnessError),
    #[error("the tail of this node's copy: {0}")]
    Tail(#[from] io::Error),
}

impl Keeper {
    fn run(mut self, queue: &Receiver<Numbered>, failed: &Mutex<Option<Cause>>) {
        for block in queue {
            // After a failure nothing is tried any more; the log's owner learns of it.
            if held(failed).is_some() {
                continue;
            }
            if let Err(error) = self.copy(&block) {
                *held(failed) = Some(Arc::new(error));
            }
        }
        if self.believed.load(Ordering::Acquire)
            && held(failed).is_none()
            && let Err(error) = self.leave()
        {
            tracing::warn!(%error, "the end of this node's copy is in the stream alone");
        }
    }

    /// Leaves what is not sealed yet as the tail: should the servers be lost, it is all there is.
    fn leave(&mut self) -> Result<(), KeepError> {
        let Some((writer, _)) = self.writing.take() else { return Ok(()) };
        let path = self.folder.path(self.chain.next());
        writer.finish(None)?;
        // A crash in between leaves a short sealed file, which is as good.
        rename_durably(&path, &self.folder.tail())?;
        Ok(())
    }

    fn copy(&mut self, Numbered { block, sequence }: &Numbered) -> Result<(), KeepError> {
        let (mut writer, bytes) = match self.writing.take() {
            Some(writing) => writing,
            None => {
                let path = self.folder.path(self.chain.next());
                (SealedWriter::create(&path, self.chain.clone())?, 0)
            }
        };
        writer.push(block)?;
        let bytes = bytes + block.bytes().len() as u64;
        if bytes < self.seal_bytes {
            self.writing = Some((writer, bytes));
            return Ok(());
        }
        let path = self.folder.path(self.chain.next());
        let summary = writer.finish(None)?;
        held(&self.witness).sync()?;
        self.chain = summary.after;
        self.shared.sealed(Arc::new(SealedFile::open(&path)?), sequence + 1);
        Ok(())
    }
}
