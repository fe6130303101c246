//! A head: blocks in sled, keyed by their first position.

use crate::{
    HeadError,
    guard::guarded,
    layout::{Layout, Phase},
    options::{Options, Step},
};
use chl_events::Block;
use chl_log::Chain;
use chl_log_files::{rename_durably, sync_dir};
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Leaves of 16 blocks stay below a quarter of it, beyond which sled would write blobs.
const SEGMENT_BYTES: usize = 16 * 1024 * 1024;

/// How long sled may take to let its file go; a machine under load takes milliseconds.
const LET_GO: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(1);

/// One sled database with its blocks.
pub(crate) struct Head {
    dir: PathBuf,
    number: u64,
    db: sled::Db,
    /// A second handle of sled's file, to sync what sled only writes.
    file: File,
    bytes: AtomicU64,
    /// The blocks that are durable, for readers: a head is small.
    held: RwLock<Vec<Block>>,
}

fn config(dir: &Path) -> sled::Config {
    // The flusher thread stays off: the writer flushes and syncs each group itself. Space within
    // a head is not worth a rewrite, since the whole head goes away once it is sealed.
    sled::Config::new()
        .path(dir)
        .segment_size(SEGMENT_BYTES)
        .flush_every_ms(None)
        .mode(sled::Mode::HighThroughput)
}

impl Head {
    /// Makes an empty head; its folder gets its name only when everything in it is durable.
    pub(crate) fn make(layout: &Layout, number: u64, options: &Options) -> Result<Self, HeadError> {
        let unnamed = layout.head(Phase::New, number);
        let named = layout.head(Phase::Head, number);
        let sled = |source| HeadError::Sled { path: unnamed.clone(), source };
        let io = HeadError::io(&unnamed);
        guarded(&unnamed, || {
            let db = config(&unnamed).open().map_err(sled)?;
            db.flush().map_err(sled)?;
            drop(db);
            Ok(())
        })?;
        sync_all_within(&unnamed).map_err(&io)?;
        options.did(Step::HeadMade);
        rename_durably(&unnamed, &named).map_err(&io)?;
        let head = Self::open(&named, number)?;
        sync_all_within(&named).map_err(HeadError::io(&named))?;
        options.did(Step::HeadReady);
        Ok(head)
    }

    /// Opens a head that is there.
    pub(crate) fn open(dir: &Path, number: u64) -> Result<Self, HeadError> {
        let io = HeadError::io(dir);
        for name in ["conf", "db"] {
            let path = dir.join(name);
            if !path.is_file() {
                return Err(HeadError::Missing { path });
            }
        }
        let blobs = dir.join("blobs");
        if blobs.is_dir() && fs::read_dir(&blobs).map_err(&io)?.next().is_some() {
            return Err(HeadError::Blobs { path: blobs });
        }
        Self::open_unchecked(dir, number)
    }

    /// Opens a head for the sake of what can still be read of it.
    pub(crate) fn open_unchecked(dir: &Path, number: u64) -> Result<Self, HeadError> {
        let io = HeadError::io(dir);
        wait_until_let_go(&dir.join("db"))?;
        let db = guarded(dir, || {
            let sled = |source| HeadError::Sled { path: dir.to_owned(), source };
            config(dir).open().map_err(sled)
        })?;
        let open = OpenOptions::new().read(true).write(true).open(dir.join("db"));
        let file = open.map_err(&io)?;
        // What the last owner wrote and did not live to sync is read as durable from now on; and
        // sled makes files while it opens.
        file.sync_data().and_then(|()| sync_dir(dir)).map_err(&io)?;
        Ok(Self {
            dir: dir.to_owned(),
            number,
            db,
            file,
            bytes: AtomicU64::new(0),
            held: RwLock::default(),
        })
    }

    /// Closes sled, whose last writes are guarded like all others.
    pub(crate) fn close(self) -> Result<(), HeadError> {
        let Self { dir, db, file, .. } = self;
        drop(file);
        guarded(&dir, || {
            drop(db);
            Ok(())
        })?;
        wait_until_let_go(&dir.join("db"))
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// How many bytes its blocks have.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn sled(&self) -> impl Fn(sled::Error) -> HeadError + '_ {
        |source| HeadError::Sled { path: self.dir.clone(), source }
    }

    /// Writes blocks and returns when they are durable: flushed by sled, and synced by hand, since
    /// sled's own flush does not wait for the disk.
    pub(crate) fn write(&self, blocks: &[Block]) -> Result<(), HeadError> {
        guarded(&self.dir, || {
            for block in blocks {
                self.db.insert(block.first().to_be_bytes(), block.bytes()).map_err(self.sled())?;
            }
            self.db.flush().map_err(self.sled())?;
            Ok(())
        })?;
        self.file.sync_data().map_err(HeadError::io(&self.dir))?;
        let bytes: usize = blocks.iter().map(|block| block.bytes().len()).sum();
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.extend_from_slice(blocks);
        Ok(())
    }

    /// The blocks from the one that holds `from`, up to those that begin at `to`, at most `most`.
    ///
    /// They come from memory, so that readers and sled's writer never meet.
    pub(crate) fn scan(&self, from: u64, to: u64, most: usize) -> Vec<Block> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        let begin = held.partition_point(|block| block.next() <= from);
        let wanted = held.iter().skip(begin).take_while(|block| block.first() < to);
        wanted.take(most).cloned().collect()
    }

    /// Every block that is durable.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn block(&self, key: &[u8], value: &[u8]) -> Result<Block, HeadError> {
        let wrong = HeadError::Key { path: self.dir.clone(), position: 0 };
        let position = u64::from_be_bytes(key.try_into().map_err(|_| wrong)?);
        let damaged = |source| HeadError::Block { path: self.dir.clone(), position, source };
        let block = Block::from_bytes(value).map_err(damaged)?;
        if block.first() == position {
            return Ok(block);
        }
        Err(HeadError::Key { path: self.dir.clone(), position })
    }

    /// Walks every block from the lowest key on, handing them over in order.
    pub(crate) fn walk(
        &self,
        mut each: impl FnMut(&Block) -> Result<(), HeadError>,
    ) -> Result<(), HeadError> {
        guarded(&self.dir, || {
            for entry in self.db.iter() {
                let (key, value) = entry.map_err(self.sled())?;
                each(&self.block(&key, &value)?)?;
            }
            Ok(())
        })
    }

    /// The position of the first block; none when it is empty.
    pub(crate) fn first(&self) -> Result<Option<u64>, HeadError> {
        let found = guarded(&self.dir, || self.db.first().map_err(self.sled()))?;
        let Some((key, value)) = found else {
            return Ok(None);
        };
        self.block(&key, &value).map(|block| Some(block.first()))
    }

    /// Checks every block and root and returns the chain behind the last one.
    pub(crate) fn verify(&self, before: Chain) -> Result<Chain, HeadError> {
        let mut chain = before;
        let mut bytes = 0;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        held.clear();
        self.walk(|block| {
            bytes += block.bytes().len() as u64;
            held.push(block.clone());
            let broken = |source| HeadError::Broken { path: self.dir.clone(), source };
            chain.accept(block).map_err(broken)
        })?;
        self.bytes.store(bytes, Ordering::Relaxed);
        Ok(chain)
    }

    /// Closes sled and gives up the folder; its blocks are sealed.
    pub(crate) fn retire(self, layout: &Layout, options: &Options) -> Result<(), HeadError> {
        let (dir, number) = (self.dir.clone(), self.number);
        self.close()?;
        let gone = layout.head(Phase::Gone, number);
        rename_durably(&dir, &gone).map_err(HeadError::io(&dir))?;
        options.did(Step::HeadGone);
        fs::remove_dir_all(&gone).map_err(HeadError::io(&gone))?;
        sync_dir(layout.dir()).map_err(HeadError::io(layout.dir()))?;
        options.did(Step::HeadRemoved);
        Ok(())
    }
}

/// Waits until sled's lock on its file is free.
///
/// sled's threads may hold a database for a moment after it is dropped, and sled does not wait
/// for the lock when it opens. The ledger's own lock keeps other processes away.
fn wait_until_let_go(path: &Path) -> Result<(), HeadError> {
    let io = HeadError::io(path);
    let file = File::open(path).map_err(&io)?;
    let since = Instant::now();
    loop {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) if since.elapsed() < LET_GO => std::thread::sleep(GLANCE),
            Err(error) => return Err(io(error.into())),
        }
    }
}

/// Syncs the files of a folder, its folders, and itself.
fn sync_all_within(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_all_within(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    sync_dir(dir)
}
