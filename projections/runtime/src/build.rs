//! Building read models anew: beside the old and then in their place, or for a moment of the past.

use crate::{
    ApplyError, OpenError, PlaceError, Reader, ReaderError, Until, ViewDigest, Views,
    digest::digests, place,
};
use chl_events::Date;
use chl_log::ReadLog;
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

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

/// A read model before and after a rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compared {
    /// As it was kept up to date.
    pub kept: ViewDigest,
    /// As it was built anew.
    pub rebuilt: ViewDigest,
}

impl Compared {
    /// Whether both have the same rows.
    pub fn is_equal(&self) -> bool {
        self.kept == self.rebuilt
    }
}

/// What a rebuild found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The position both stand at.
    pub position: u64,
    /// View by view.
    pub views: Vec<Compared>,
}

impl Rebuilt {
    /// Whether all views are equal.
    pub fn is_equal(&self) -> bool {
        self.views.iter().all(Compared::is_equal)
    }
}

impl Views {
    /// Builds the read models anew beside these, compares both at one position, and switches.
    ///
    /// Readers that are open keep what they see; who opens afterwards sees the new ones.
    pub fn rebuild(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Rebuilt, BuildError> {
        self.flush()?;
        let position = self.position();
        let kept = self.digests()?;
        let until = position.checked_sub(1).map(Until::Position);
        let file = place::next(&self.link)?;
        let mut beside = Self::begin(&self.link, &file, Arc::clone(&self.log), None)?;
        if let Some(until) = until {
            beside.fold_until(until, progress)?;
        }
        let rebuilt = beside.digests()?;
        beside.finish()?;
        place::switch(&self.link, &file)?;
        *self = Self::open(&self.link, Arc::clone(&self.log))?;
        let views = kept.into_iter().zip(rebuilt);
        let views = views.map(|(kept, rebuilt)| Compared { kept, rebuilt }).collect();
        Ok(Rebuilt { position, views })
    }

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
        let file = place::next(path)?;
        let mut beside = Self::begin(path, &file, Arc::clone(&log), None)?;
        beside.fold_until(Until::Head, progress)?;
        beside.finish()?;
        place::switch(path, &file)?;
        Ok(Self::open(path, log)?)
    }

    /// Adds the indices, makes the file one that others can read while it is written, closes it.
    fn finish(self) -> Result<(), BuildError> {
        let db = self.tables.db;
        // Sorting for an index spills into a file instead of filling the memory, and the sorted
        // pieces are merged by a thread beside.
        db.pragma_update(None, "temp_store", "FILE")?;
        db.pragma_update(None, "threads", 1)?;
        for table in crate::tables::TABLES {
            for index in crate::layout::Layout::new(table).indices() {
                db.execute_batch(&index)?;
            }
        }
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.close().map_err(|(_, source)| source)?;
        Ok(())
    }
}

/// The read models as they stood at a moment, in a temporary database of the same schema.
#[derive(Debug)]
pub struct AsOf {
    /// To query them.
    pub reader: Reader,
    /// The digest of each.
    pub digests: Vec<ViewDigest>,
    _folder: TempDir,
}

/// Folds a log as far as asked, and only what was effective by a day where one is given.
pub fn as_of(
    log: Arc<dyn ReadLog>,
    until: Until,
    effective: Option<Date>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AsOf, BuildError> {
    let folder = tempfile::Builder::new().prefix("chl-as-of-").tempdir()?;
    let link = folder.path().join("views.sqlite");
    let file = place::next(&link)?;
    let mut views = Views::begin(&link, &file, log, effective)?;
    views.fold_until(until, progress)?;
    let digests = digests(&views.tables.db)?;
    views.finish()?;
    place::switch(&link, &file)?;
    let reader = Reader::open(&link)?;
    Ok(AsOf { reader, digests, _folder: folder })
}
