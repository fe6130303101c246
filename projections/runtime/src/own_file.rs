//! Some read models in a file of their own, kept by whoever wants them: in any process, from any log.

use crate::{BuildError, OpenError, Pace, StaleError, View, Views, build::Build};
use chl_log::ReadLog;
use std::{path::PathBuf, sync::Arc};

/// Where some read models are kept apart from the others.
#[derive(Debug, Clone)]
pub struct OwnFile {
    link: PathBuf,
    kept: Vec<View>,
    pace: Pace,
}

impl OwnFile {
    /// Names the link of the file, and the read models; those whose rows they need come with them.
    pub fn new(link: PathBuf, views: &[View], pace: Pace) -> Self {
        Self { link, kept: View::with_needed(views), pace }
    }

    /// Opens the file where it stands, to go on with a log.
    ///
    /// One that is not there is built first, and one of another release, or that keeps other read
    /// models, is built anew beside. One that has folded what is not in the log is refused: whoever
    /// keeps it must say whether it may go.
    pub fn open(
        &self,
        log: Arc<dyn ReadLog>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Views, BuildError> {
        match Views::open_some(&self.link, Arc::clone(&log), &self.kept) {
            Ok(mut views) if views.position() > 0 || log.head().next == 0 => {
                views.pace = Some(self.pace.clone());
                Ok(views)
            }
            Ok(_) => self.build(log, progress),
            Err(OpenError::Stale(
                stale @ (StaleError::Schema { .. } | StaleError::Views { .. }),
            )) => {
                tracing::warn!(file = %self.link.display(), "built anew: {stale}");
                self.build(log, progress)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Builds the file from nothing beside what is there, and puts it in its place.
    pub fn build(
        &self,
        log: Arc<dyn ReadLog>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Views, BuildError> {
        let (kept, pace) = (self.kept.clone(), Some(self.pace.clone()));
        let build = Build { kept, pace, ..Build::beside(&self.link, log)? };
        let mut views = build.put_in_place(progress)?;
        views.pace = build.pace;
        Ok(views)
    }
}
