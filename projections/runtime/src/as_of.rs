//! The read models as they stood at a moment.
//!
//! A moment is a position of the log, found by its instant if need be. Rows are folded from the
//! newest snapshot before it; posting lines are never changed, and stand in the file that is kept.

use crate::{
    ApplyError, BuildError, Reader, Until, View, Views, build::Build, file::Journal,
    snapshots::Snapshots,
};
use chl_events::{Commit, Date};
use chl_log::{ReadError, ReadLog};
use std::{fs, io, num::NonZeroU64, path::PathBuf, sync::Arc};
use tempfile::TempDir;

/// Snapshots may take so many times the bytes of the file that is kept.
const TIMES_THE_FILE: u64 = 2;

/// The read models as they stood at a moment, in a temporary database of the same schema.
#[derive(Debug)]
pub struct AsOf {
    /// To query them.
    pub reader: Reader,
    /// How many commits were folded for it.
    pub folded: u64,
    _folder: TempDir,
}

/// Folds a log as far as asked, and only what was effective by a day where one is given.
pub fn as_of(
    log: Arc<dyn ReadLog>,
    until: Until,
    effective: Option<Date>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AsOf, BuildError> {
    let folding = Folding::begin(log, until, effective)?;
    folding.fold(None, progress)
}

/// Folds a log like [`as_of`], and of all read models only some and those that they need.
pub fn some_as_of(
    views: &[View],
    log: Arc<dyn ReadLog>,
    until: Until,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AsOf, BuildError> {
    let mut folding = Folding::begin(log, until, None)?;
    folding.build.kept = View::with_needed(views);
    folding.fold(None, progress)
}

/// What answers about the past need not fold again: the file that is kept, and snapshots.
#[derive(Debug)]
pub struct Past {
    kept: PathBuf,
    snapshots: Snapshots,
}

impl Past {
    /// Names the link of the file that is kept, and the folder of the snapshots.
    pub fn new(kept: PathBuf, snapshots: PathBuf) -> Self {
        Self { kept, snapshots: Snapshots::new(snapshots) }
    }

    /// The same, with snapshots that lie no nearer than so many commits.
    #[must_use]
    pub fn no_nearer_than(mut self, commits: NonZeroU64) -> Self {
        self.snapshots.least_apart = commits;
        self
    }

    /// Answers like [`as_of`], and sooner. Snapshots that are wanted on the way are kept.
    pub fn as_of(
        &self,
        log: Arc<dyn ReadLog>,
        until: Until,
        effective: Option<Date>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<AsOf, BuildError> {
        let folding = Folding::begin(log, until, effective)?;
        folding.fold(Some(self), progress)
    }

    /// Removes the snapshots.
    pub fn forget(&self) -> io::Result<()> {
        self.snapshots.clear()
    }

    /// How many bytes snapshots may take.
    fn most_bytes(&self) -> u64 {
        let kept = fs::metadata(&self.kept).map(|file| file.len());
        kept.unwrap_or_default().saturating_mul(TIMES_THE_FILE)
    }

    /// Keeps the next snapshot that is wanted; says whether one was.
    ///
    /// What is folded for it is bounded: snapshots lie only so far apart.
    pub fn extend(&self, log: &Arc<dyn ReadLog>) -> Result<bool, BuildError> {
        let due = || self.snapshots.next_due(0, log.head().next, self.most_bytes());
        let Some(wanted) = due() else { return Ok(false) };
        let until = Until::Position(wanted.saturating_sub(1));
        self.as_of(Arc::clone(log), until, None, &mut |_, _| {})?;
        Ok(due() != Some(wanted))
    }

    /// Whether the file that is kept has every posting line before a position.
    fn has_postings(&self, end: u64) -> bool {
        let stands = Reader::open(&self.kept).and_then(|reader| reader.stands());
        stands.is_ok_and(|stands| {
            let mut postings = stands.iter().filter(|stand| stand.view == View::Postings);
            postings.all(|stand| stand.checkpoint.position >= end)
        })
    }
}

/// What is folded into a temporary database.
struct Folding {
    folder: TempDir,
    build: Build,
    /// Behind the last commit that counts.
    end: u64,
}

impl Folding {
    fn begin(
        log: Arc<dyn ReadLog>,
        until: Until,
        effective: Option<Date>,
    ) -> Result<Self, BuildError> {
        let folder = tempfile::Builder::new().prefix("chl-as-of-").tempdir()?;
        let end = end_of(log.as_ref(), until).map_err(ApplyError::Log)?;
        let link = folder.path().join("views.sqlite");
        let build = Build { effective, ..Build::beside(&link, log)? };
        Ok(Self { folder, build, end })
    }

    fn fold(
        self,
        past: Option<&Past>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<AsOf, BuildError> {
        let past = past.filter(|past| past.has_postings(self.end));
        let (views, from) = match self.fold_with(past, Journal::None, progress) {
            Err(BuildError::Apply(error)) if error.is_of_view() => {
                self.build.remove()?;
                self.fold_with(None, Journal::Beside, progress)?
            }
            other => other?,
        };
        if past.is_some() {
            views.tables.db.execute_batch("DROP TABLE postings")?;
        }
        views.tables.db.close().map_err(|(_, source)| source)?;
        let mut reader = Reader::open(&self.build.file)?;
        if let Some(past) = past {
            reader.borrow_postings(&past.kept, self.end, self.build.effective)?;
        }
        Ok(AsOf { reader, folded: self.end.saturating_sub(from), _folder: self.folder })
    }

    /// Folds, and says from where on.
    fn fold_with(
        &self,
        past: Option<&Past>,
        journal: Journal,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Views, u64), BuildError> {
        let Build { file, log, effective, .. } = &self.build;
        let copied = past.and_then(|past| {
            past.snapshots.copy_newest(
                log.as_ref(),
                |at| {
                    let counts = effective.is_none_or(|day| at.effective_until <= Some(day));
                    at.position <= self.end && counts
                },
                file,
            )
        });
        let mut views = match copied {
            Some(_) => self.build.go_on(journal)?,
            None => self.build.begin(journal)?,
        };
        let from = views.position();
        if let Some(past) = past {
            views.leave_out_postings();
            self.save_on_the_way(past, &mut views, progress)?;
        }
        self.up_to(self.end, &mut views, progress)?;
        Ok((views, from))
    }

    /// Folds up to each position where a snapshot is wanted, and keeps it.
    fn save_on_the_way(
        &self,
        past: &Past,
        views: &mut Views,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), BuildError> {
        if self.build.effective.is_some() {
            return Ok(());
        }
        let (log_end, most_bytes) = (self.build.log.head().next, past.most_bytes());
        let due = |at| past.snapshots.next_due(at, log_end, most_bytes);
        while let Some(due) = due(views.position()).filter(|due| *due <= self.end) {
            self.up_to(due, views, progress)?;
            if let Err(error) = past.snapshots.save(&self.build.file, due, log_end, most_bytes) {
                tracing::warn!(%error, "a snapshot of the read models could not be kept");
                break;
            }
        }
        Ok(())
    }

    fn up_to(
        &self,
        end: u64,
        views: &mut Views,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), ApplyError> {
        match end.checked_sub(1) {
            Some(last) if end > views.position() => {
                views.fold_until(Until::Position(last), progress)
            }
            _ => Ok(()),
        }
    }
}

/// The position behind the last commit that counts. Commits are recorded in the order of time.
fn end_of(log: &dyn ReadLog, until: Until) -> Result<u64, ReadError> {
    let end = log.head().next;
    match until {
        Until::Head => Ok(end),
        Until::Position(last) => Ok(last.saturating_add(1).min(end)),
        Until::RecordedAt(_) => {
            let (mut low, mut high) = (0, end);
            while low < high {
                let middle = low + (high - low) / 2;
                let bytes = log.commit_at(middle)?;
                let commit = bytes.and_then(|bytes| Commit::decode(&bytes).ok());
                if commit.is_some_and(|commit| until.takes(&commit)) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            Ok(low)
        }
    }
}
