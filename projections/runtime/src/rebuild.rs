//! Read models built anew beside those that are kept, which go on meanwhile: then compared at one
//! position, and put in their place by one rename.

use crate::{
    BuildError, Pace, Reader, ReaderError, Until, ViewDigest, Views, build::Build, digest::digest,
    frozen::Frozen, place,
};
use chl_log::ReadLog;
use std::{path::Path, sync::Arc};

/// A read model before and after a rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// As it was kept up to date; none where it was frozen and cannot even be read.
    pub kept: Option<ViewDigest>,
    /// As it was built anew.
    pub rebuilt: ViewDigest,
    /// Why it was not kept up to date, where it was frozen: then there is nothing to compare.
    pub thawed: Option<Frozen>,
}

impl Compared {
    /// Whether both have the same rows; none where what was kept was frozen.
    pub fn is_equal(&self) -> Option<bool> {
        self.thawed.is_none().then_some(self.kept == Some(self.rebuilt))
    }
}

/// What a rebuild found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// The position both stand at.
    pub position: u64,
    /// View by view.
    pub views: Vec<Compared>,
    /// Those that fail anew.
    pub frozen: Vec<Frozen>,
}

impl Rebuilt {
    /// Whether all views that can be compared are equal.
    pub fn is_equal(&self) -> bool {
        self.views.iter().all(|view| view.is_equal() != Some(false))
    }
}

/// The read models that are kept, held at one position while they go on for others.
#[derive(Debug)]
pub struct Held {
    reader: Reader,
    position: u64,
    frozen: Vec<Frozen>,
}

impl Held {
    /// Holds what a path names, as it stands in SQLite.
    pub fn open(path: &Path) -> Result<Self, ReaderError> {
        let reader = Reader::open(path)?;
        reader.db.execute_batch("BEGIN")?;
        let (position, frozen) = (reader.position()?, reader.frozen(crate::View::ALL)?);
        Ok(Self { reader, position, frozen })
    }
}

/// Read models being built anew; what is given up is removed.
pub struct Rebuild {
    build: Build,
    views: Option<Views>,
    switched: bool,
}

impl std::fmt::Debug for Rebuild {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rebuild").field("file", &self.build.file).finish_non_exhaustive()
    }
}

impl Rebuild {
    /// Folds the log up to its head of this moment, no faster than a pace. Those that are kept are
    /// not touched.
    pub fn begin(
        link: &Path,
        log: Arc<dyn ReadLog>,
        pace: Option<Pace>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, BuildError> {
        let build = Build { pace, ..Build::beside(link, log)? };
        let mut rebuild = Self { build, views: None, switched: false };
        rebuild.views = Some(rebuild.build.fold(progress)?);
        Ok(rebuild)
    }

    /// Folds up to where those that are kept are held, and compares.
    pub fn compare(
        &mut self,
        held: &Held,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Rebuilt, BuildError> {
        let views = self.views.as_mut().ok_or(crate::ApplyError::Broken)?;
        if let Some(last) = held.position.checked_sub(1) {
            views.fold_until(Until::Position(last), progress)?;
        }
        let rebuilt = views.digests()?.into_iter().zip(&views.kept);
        let compared = rebuilt.map(|(rebuilt, view)| {
            let table = view.table();
            let thawed = held.frozen.iter().find(|frozen| frozen.view == table.name).cloned();
            let kept = match digest(&held.reader.db, table) {
                Ok(kept) => Some(kept),
                Err(_) if thawed.is_some() => None,
                Err(error) => return Err(BuildError::Sqlite(error)),
            };
            Ok(Compared { kept, rebuilt, thawed })
        });
        let compared = compared.collect::<Result<_, _>>()?;
        Ok(Rebuilt { position: views.position(), views: compared, frozen: views.frozen.clone() })
    }

    /// Completes the new file, and brings it up to the log's head of this moment.
    pub fn complete(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<(), BuildError> {
        self.views.take().ok_or(crate::ApplyError::Broken)?.finish()?;
        let Build { link, file, log, pace, .. } = &self.build;
        let mut views = Views::open_file(link, file, Arc::clone(log))?;
        views.pace.clone_from(pace);
        views.catch_up(progress)?;
        views.pace = None;
        self.views = Some(views);
        Ok(())
    }

    /// Puts the new ones, once they are complete, in the place of those that are kept.
    ///
    /// Readers that are open keep what they see; who opens afterwards sees the new ones.
    pub fn switch(mut self, kept: &mut Views) -> Result<(), BuildError> {
        let mut views = self.views.take().ok_or(crate::ApplyError::Broken)?;
        views.catch_up(&mut |_, _| {})?;
        place::switch(&self.build.link, &self.build.file)?;
        self.switched = true;
        *kept = views;
        Ok(())
    }
}

impl Views {
    /// Builds the read models anew, compares, and switches, all in one go: for who serves nobody
    /// meanwhile.
    pub fn rebuild(&mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Rebuilt, BuildError> {
        let mut rebuild = Rebuild::begin(&self.link, Arc::clone(&self.log), None, progress)?;
        self.catch_up(progress)?;
        let rebuilt = rebuild.compare(&Held::open(&self.link)?, progress)?;
        rebuild.complete(progress)?;
        rebuild.switch(self)?;
        Ok(rebuilt)
    }
}

impl Drop for Rebuild {
    fn drop(&mut self) {
        self.views = None;
        if !self.switched
            && let Err(error) = place::remove(&self.build.file)
        {
            tracing::warn!(%error, "a rebuild that was given up left its file");
        }
    }
}
