//! Building read models from nothing, in a new file that nobody reads before it is complete.

use crate::{
    ApplyError, OpenError, PlaceError, ReaderError, Until, View, Views,
    file::{self, Journal},
    pace::Pace,
    place,
};
use chl_events::Date;
use chl_log::ReadLog;
use rusqlite::Connection;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Says why read models could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The new ones cannot be begun or opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log cannot be folded.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// The files cannot be put in place.
    #[error("the files of the read models: {0}")]
    Place(#[from] PlaceError),
    /// The new ones cannot be read.
    #[error(transparent)]
    Read(#[from] ReaderError),
    /// SQLite failed.
    #[error("the database of the read models: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// There is no place for a temporary database.
    #[error("no folder for a temporary database: {0}")]
    Folder(#[from] std::io::Error),
}

/// What is built: where, from which log, and how much of it.
#[derive(Clone)]
pub(crate) struct Build {
    pub(crate) link: PathBuf,
    /// The new file.
    pub(crate) file: PathBuf,
    pub(crate) log: Arc<dyn ReadLog>,
    /// The read models the file keeps.
    pub(crate) kept: Vec<View>,
    pub(crate) effective: Option<Date>,
    pub(crate) pace: Option<Pace>,
}

impl Build {
    /// All of a log, beside what a link names now.
    pub(crate) fn beside(link: &Path, log: Arc<dyn ReadLog>) -> Result<Self, PlaceError> {
        Ok(Self {
            link: link.to_owned(),
            file: place::next(link)?,
            log,
            kept: View::ALL.to_vec(),
            effective: None,
            pace: None,
        })
    }

    /// Folds the log. Where a read model fails, all of it is folded again, slower and with a
    /// journal, so that it can be frozen and the others go on.
    pub(crate) fn fold(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<Views, BuildError> {
        match self.fold_with(Journal::None, progress) {
            Err(BuildError::Apply(error)) if error.is_of_view() => {
                self.remove()?;
                self.fold_with(Journal::Beside, progress)
            }
            other => other,
        }
    }

    /// Folds the log, puts the new file in the place of what is there, and opens it. A build that
    /// fails is removed.
    pub(crate) fn put_in_place(
        &self,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Views, BuildError> {
        if let Err(error) = self.fold(progress).and_then(Views::finish) {
            self.remove()?;
            return Err(error);
        }
        place::switch(&self.link, &self.file)?;
        Ok(Views::open_file(&self.link, &self.file, Arc::clone(&self.log))?)
    }

    /// Begins with empty read models; a failure leaves the file useless.
    pub(crate) fn begin(&self, journal: Journal) -> Result<Views, OpenError> {
        let db = file::create(&self.file, &self.log, journal, &self.kept)?;
        self.begun(db, journal)
    }

    /// Goes on with a copy of a snapshot that lies in the file; a failure leaves it useless.
    pub(crate) fn go_on(&self, journal: Journal) -> Result<Views, OpenError> {
        self.begun(file::begun(&self.file, journal)?, journal)
    }

    fn begun(&self, db: Connection, journal: Journal) -> Result<Views, OpenError> {
        Views::begun(db, Arc::clone(&self.log), &self.link, self.effective, journal)
    }

    /// Removes what was begun.
    pub(crate) fn remove(&self) -> Result<(), PlaceError> {
        place::remove(&self.file)
    }

    fn fold_with(
        &self,
        journal: Journal,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Views, BuildError> {
        let mut views = self.begin(journal)?;
        views.pace.clone_from(&self.pace);
        views.fold_until(Until::Head, progress)?;
        Ok(views)
    }
}

impl Views {
    /// Opens the read models of a log; stale or unreadable ones are built anew.
    pub fn open_or_build(
        path: &Path,
        log: Arc<dyn ReadLog>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, BuildError> {
        let mut views = match Self::open(path, Arc::clone(&log)) {
            Ok(views) if views.position() > 0 || log.head().next == 0 => views,
            Ok(_) | Err(OpenError::Stale(_) | OpenError::Sqlite(_)) => {
                Self::build(path, log, progress)?
            }
            Err(other) => return Err(other.into()),
        };
        views.catch_up(progress)?;
        Ok(views)
    }

    /// Builds the read models of a log from nothing and puts them in place of what is there.
    pub fn build(
        path: &Path,
        log: Arc<dyn ReadLog>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, BuildError> {
        Build::beside(path, log)?.put_in_place(progress)
    }

    /// Adds the indices, makes the file one that others can read while it is written, closes it.
    pub(crate) fn finish(self) -> Result<(), BuildError> {
        let (db, kept) = (self.tables.db, self.kept);
        // Sorting for an index spills into a file instead of filling the memory, and the sorted
        // pieces are merged by a thread beside.
        db.pragma_update(None, "temp_store", "FILE")?;
        db.pragma_update(None, "threads", 1)?;
        file::index(&db, &kept)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.close().map_err(|(_, source)| source)?;
        Ok(())
    }
}
