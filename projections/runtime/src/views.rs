//! The read models of one ledger, kept in one SQLite file as blocks come.

use crate::{
    PlaceError, StaleError,
    ahead::{Reading, Ready, Unready, commits},
    checkpoint::Checkpoint,
    digest::{ViewDigest, digests},
    frozen::{Frozen, WriteFailed},
    layout::Layout,
    meta::{self, Meta},
    now,
    pace::{GivenUp, Pace},
    place,
    tables::{TABLES, Tables},
};
use chl_events::{Block, Commit, CommitError, Date, Instant};
use chl_log::{ReadError, ReadLog};
use chl_projections::{FoldFailed, Posting};
use rusqlite::{Connection, OpenFlags};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// After how many pages (4 KiB each) of its write-ahead log SQLite moves them into the database. To
/// move them means two syncs, which a command that comes meanwhile waits for.
const PAGES_PER_CHECKPOINT: u32 = 8_192;

/// Says why the read models cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// They are not those of the log; a rebuild makes them anew.
    #[error(transparent)]
    Stale(#[from] StaleError),
    /// Their files cannot be read or written.
    #[error("the files of the read models: {0}")]
    Place(#[from] PlaceError),
    /// SQLite failed.
    #[error("the database of the read models: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
}

/// Says why blocks could not be folded.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The block does not follow the last one folded.
    #[error("the read models stand at position {position}; the block begins at {first}")]
    Gap {
        /// Where they stand.
        position: u64,
        /// Where the block begins.
        first: u64,
    },
    /// A commit cannot be read.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A commit cannot be folded.
    #[error(transparent)]
    Fold(#[from] FoldFailed),
    /// Changed rows cannot be written.
    #[error(transparent)]
    Write(#[from] WriteFailed),
    /// SQLite failed.
    #[error("the database of the read models: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// It was told to give up.
    #[error(transparent)]
    GivenUp(#[from] GivenUp),
    /// An earlier call failed; what is in memory is no longer what is stored.
    #[error("the read models failed earlier and must be opened anew")]
    Broken,
}

impl From<Unready> for ApplyError {
    fn from(unready: Unready) -> Self {
        match unready {
            Unready::Commit(error) => error.into(),
            Unready::Fold(error) => error.into(),
        }
    }
}

/// Where to stop: what is asked for as of a moment of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At the log's end.
    Head,
    /// With the commit at a position, itself included.
    Position(u64),
    /// With the last commit recorded at or before an instant.
    RecordedAt(Instant),
}

impl Until {
    pub(crate) fn takes(self, commit: &Commit) -> bool {
        match self {
            Self::Head => true,
            Self::Position(last) => commit.position <= last,
            Self::RecordedAt(last) => commit.recorded_at <= last,
        }
    }
}

/// The read models of one ledger, open to be written: by one process, in one thread.
///
/// Folds run in memory; SQLite follows in transactions of whole blocks, each with the checkpoint,
/// at [`flush`](Self::flush) and whenever enough rows wait. What is not flushed when the process
/// ends is folded again from the log. A read model that fails is frozen, and the others go on.
pub struct Views {
    pub(crate) tables: Tables,
    pub(crate) log: Arc<dyn ReadLog>,
    pub(crate) link: PathBuf,
    /// How far the folds have come.
    pub(crate) checkpoint: Checkpoint,
    /// How far SQLite has come.
    pub(crate) flushed: Checkpoint,
    pub(crate) frozen: Vec<Frozen>,
    pub(crate) effective: Option<Date>,
    pub(crate) journal: Journal,
    with_postings: bool,
    /// How fast it may fold.
    pub(crate) pace: Option<Pace>,
    broken: bool,
}

/// How a file's transactions are kept until they are committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journal {
    /// Others read the file meanwhile.
    Live,
    /// Nobody reads it yet, and a transaction can be rolled back.
    Beside,
    /// Nobody reads it yet, and a transaction that fails leaves it useless: the fastest.
    None,
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Views")
            .field("link", &self.link)
            .field("checkpoint", &self.checkpoint)
            .field("flushed", &self.flushed)
            .finish_non_exhaustive()
    }
}

impl Journal {
    fn set(self, db: &Connection) -> rusqlite::Result<()> {
        let (journal, synchronous) = match self {
            Self::Live => ("WAL", "NORMAL"),
            Self::Beside => ("MEMORY", "OFF"),
            Self::None => ("OFF", "OFF"),
        };
        db.pragma_update(None, "journal_mode", journal)?;
        db.pragma_update(None, "synchronous", synchronous)
    }
}

impl Views {
    /// Opens the read models of a log, or begins empty ones where there are none.
    ///
    /// `path` is a symbolic link to the database, as SQLite takes it; the folder must exist.
    pub fn open(path: &Path, log: Arc<dyn ReadLog>) -> Result<Self, OpenError> {
        let Some(file) = place::current(path)? else {
            let file = place::next(path)?;
            create(&file, &log, Journal::Live)?.close().map_err(|(_, source)| source)?;
            place::switch(path, &file)?;
            return Self::open(path, log);
        };
        place::sweep(path, &file)?;
        Self::open_file(path, &file, log)
    }

    /// Opens a complete file, whether a link names it already or not.
    pub(crate) fn open_file(
        link: &Path,
        file: &Path,
        log: Arc<dyn ReadLog>,
    ) -> Result<Self, OpenError> {
        // A connection is never shared between threads, and needs no lock of its own.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(file, flags)?;
        configure(&db)?;
        Journal::Live.set(&db)?;
        db.pragma_update(None, "wal_autocheckpoint", PAGES_PER_CHECKPOINT)?;
        let meta = meta::read(&db)??;
        if let Some(stale) = meta.furthest().check(log.as_ref())? {
            return Err(stale.into());
        }
        for table in TABLES {
            for index in Layout::new(table).indices() {
                db.execute_batch(&index)?;
            }
        }
        Ok(Self::over(db, log, link, meta, Journal::Live))
    }

    /// Begins empty read models in a new file that nobody reads yet; a failure leaves it useless.
    pub(crate) fn begin(
        link: &Path,
        file: &Path,
        log: Arc<dyn ReadLog>,
        effective: Option<Date>,
        journal: Journal,
    ) -> Result<Self, OpenError> {
        let db = create(file, &log, journal)?;
        let meta = meta::read(&db)??;
        Ok(Self { effective, ..Self::over(db, log, link, meta, journal) })
    }

    /// Goes on with a copy of a snapshot that nobody reads yet; a failure leaves it useless.
    pub(crate) fn resume(
        link: &Path,
        file: &Path,
        log: Arc<dyn ReadLog>,
        effective: Option<Date>,
        journal: Journal,
    ) -> Result<Self, OpenError> {
        let db = Connection::open(file)?;
        configure(&db)?;
        journal.set(&db)?;
        let meta = meta::read(&db)??;
        Ok(Self { effective, ..Self::over(db, log, link, meta, journal) })
    }

    /// Keeps no posting lines from now on: they are read elsewhere.
    pub(crate) fn leave_out_postings(&mut self) {
        self.tables.freeze(Posting::TABLE.name);
        self.with_postings = false;
    }

    fn over(
        db: Connection,
        log: Arc<dyn ReadLog>,
        link: &Path,
        meta: Meta,
        journal: Journal,
    ) -> Self {
        let checkpoint = meta.furthest();
        let mut tables = Tables::new(db, Arc::clone(&log), checkpoint.position == 0);
        let frozen = meta.frozen();
        frozen.iter().for_each(|frozen| tables.freeze(frozen.view));
        Self {
            tables,
            log,
            link: link.to_owned(),
            checkpoint,
            flushed: checkpoint,
            frozen,
            effective: None,
            journal,
            with_postings: true,
            pace: None,
            broken: false,
        }
    }

    /// The position that is folded next: as many commits are.
    pub fn position(&self) -> u64 {
        self.checkpoint.position
    }

    /// The position SQLite shows to others.
    pub fn flushed_position(&self) -> u64 {
        self.flushed.position
    }

    /// How far the folds have come.
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// The link that names their file.
    pub fn path(&self) -> &Path {
        &self.link
    }

    /// The read models that failed, and stand still until they are built anew.
    pub fn frozen(&self) -> &[Frozen] {
        &self.frozen
    }

    /// Folds blocks; those already folded are passed over, so that a caller may repeat some.
    pub fn apply(&mut self, blocks: &[Block]) -> Result<(), ApplyError> {
        for block in blocks {
            let commits = commits(block, self.checkpoint.position);
            let commits = commits.map(|commit| Ok((commit?, 0)));
            self.guarded(|views| views.fold_block(block, commits, None, Until::Head).map(drop))?;
        }
        Ok(())
    }

    /// Writes what waits in memory into SQLite, with the checkpoint, in one transaction.
    pub fn flush(&mut self) -> Result<(), ApplyError> {
        self.guarded(Self::flush_rows)
    }

    /// Folds what the log has beyond the read models, and flushes.
    ///
    /// `progress` hears the position reached and where the log ends.
    pub fn catch_up(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<(), ApplyError> {
        self.fold_until(Until::Head, progress)
    }

    pub(crate) fn fold_until(
        &mut self,
        until: Until,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), ApplyError> {
        let end = self.log.head().next;
        std::thread::scope(|scope| {
            let reading = Reading {
                log: Arc::clone(&self.log),
                from: self.checkpoint.position,
                effective: self.effective,
                with_postings: self.with_postings,
            };
            for ready in reading.start(scope)? {
                let Ready { block, commits, postings } = ready?;
                if let Some(pace) = &mut self.pace {
                    let events = commits.iter().flatten().map(|(commit, _)| commit.events.len());
                    pace.pass(u64::try_from(events.sum::<usize>()).unwrap_or(u64::MAX))?;
                }
                let mut more = true;
                self.guarded(|views| {
                    more = views.fold_block(&block, commits.into_iter(), Some(postings), until)?;
                    Ok(())
                })?;
                progress(self.checkpoint.position, end);
                if !more {
                    break;
                }
            }
            self.flush()
        })
    }

    /// Runs a step; after a failure nothing more is taken, since rows may be half changed.
    fn guarded(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<(), ApplyError>,
    ) -> Result<(), ApplyError> {
        if self.broken {
            return Err(ApplyError::Broken);
        }
        let done = step(self);
        self.broken = done.is_err();
        done
    }

    /// The digest of each view's canonical dump, as of the last flush.
    pub fn digests(&mut self) -> Result<Vec<ViewDigest>, ApplyError> {
        self.flush()?;
        Ok(digests(&self.tables.db)?)
    }
}

/// Makes the tables in a new file.
fn create(file: &Path, log: &Arc<dyn ReadLog>, journal: Journal) -> Result<Connection, OpenError> {
    let db = Connection::open(file)?;
    configure(&db)?;
    journal.set(&db)?;
    db.execute_batch("BEGIN IMMEDIATE")?;
    for table in TABLES {
        db.execute_batch(&Layout::new(table).create())?;
    }
    meta::create(&db, &Checkpoint::start(log.head().ledger))?;
    now::create(&db)?;
    db.execute_batch("COMMIT")?;
    Ok(db)
}

fn configure(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(64);
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // Pages, in KiB when negative: enough for the inner pages of tables with millions of rows.
    db.pragma_update(None, "cache_size", -32_768)
}
