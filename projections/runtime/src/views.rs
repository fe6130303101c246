//! The read models of one ledger, kept in one SQLite file as blocks come.

use crate::{
    PlaceError, StaleError, View,
    ahead::{Reading, Ready, Unready, commits},
    checkpoint::Checkpoint,
    digest::{ViewDigest, digests},
    file::{self, Journal},
    frozen::{Frozen, WriteFailed},
    meta::{self, Meta},
    pace::{GivenUp, Pace},
    place,
    tables::Tables,
};
use chl_events::{Block, Commit, CommitError, Date, Instant};
use chl_log::{ReadError, ReadLog};
use chl_projections::{FoldFailed, Posting};
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

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
    /// The read models the file keeps.
    pub(crate) kept: Vec<View>,
    pub(crate) frozen: Vec<Frozen>,
    pub(crate) effective: Option<Date>,
    pub(crate) journal: Journal,
    with_postings: bool,
    /// How fast it may fold.
    pub(crate) pace: Option<Pace>,
    broken: bool,
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

impl Views {
    /// Opens the read models of a log, or begins empty ones where there are none.
    ///
    /// `path` is a symbolic link to the database, as SQLite takes it; the folder must exist.
    pub fn open(path: &Path, log: Arc<dyn ReadLog>) -> Result<Self, OpenError> {
        Self::open_some(path, log, View::ALL)
    }

    /// The same of a file that keeps only some of them.
    pub(crate) fn open_some(
        path: &Path,
        log: Arc<dyn ReadLog>,
        wanted: &[View],
    ) -> Result<Self, OpenError> {
        let Some(file) = place::current(path)? else {
            let file = place::next(path)?;
            let db = file::create(&file, &log, Journal::Live, wanted)?;
            db.close().map_err(|(_, source)| source)?;
            place::switch(path, &file)?;
            return Self::open_some(path, log, wanted);
        };
        place::sweep(path, &file)?;
        let views = Self::open_file(path, &file, log)?;
        if views.kept != wanted {
            let (found, wanted) = (View::names(&views.kept), View::names(wanted));
            return Err(StaleError::Views { found, wanted }.into());
        }
        Ok(views)
    }

    /// Opens a complete file, whether a link names it already or not.
    pub(crate) fn open_file(
        link: &Path,
        file: &Path,
        log: Arc<dyn ReadLog>,
    ) -> Result<Self, OpenError> {
        let db = file::open(file)?;
        let meta = meta::read(&db)??;
        if let Some(stale) = meta.furthest().check(log.as_ref())? {
            return Err(stale.into());
        }
        file::index(&db, &meta.kept())?;
        Ok(Self::over(db, log, link, meta, Journal::Live))
    }

    /// Takes a new file over that nobody reads yet, empty or a copy of a snapshot.
    pub(crate) fn begun(
        db: Connection,
        log: Arc<dyn ReadLog>,
        link: &Path,
        effective: Option<Date>,
        journal: Journal,
    ) -> Result<Self, OpenError> {
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
        let kept = meta.kept();
        let left_out = View::ALL.iter().filter(|view| !kept.contains(view));
        left_out.for_each(|view| tables.freeze(view.name()));
        let frozen = meta.frozen();
        frozen.iter().for_each(|frozen| tables.freeze(frozen.view));
        Self {
            tables,
            log,
            link: link.to_owned(),
            checkpoint,
            flushed: checkpoint,
            with_postings: kept.contains(&View::Postings),
            kept,
            frozen,
            effective: None,
            journal,
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
        Ok(digests(&self.tables.db, &self.kept)?)
    }
}
