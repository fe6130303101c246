//! The file that `chl follow` keeps: one process at a time, from one log at a time.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{unapplied, unbuilt},
    place::{Place, absolute},
    talk,
    writes::Stop,
};
use chl_log::ReadLog;
use chl_runtime::{BuildError, OpenError, OwnFile, Pace, StaleError, View, Views};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The file, which no other process keeps meanwhile.
pub(super) struct Kept {
    path: PathBuf,
    file: OwnFile,
    /// Whether it is to be built anew before anything else.
    anew: bool,
    /// Whether it was said up to where it goes.
    told: bool,
    /// Whether some of its read models stand still.
    frozen: bool,
    _lock: File,
}

impl Kept {
    /// Becomes the one that keeps a file, which need not be there yet.
    pub(super) fn claim(place: &Place, path: &Path, views: &[View], stop: &Stop) -> Outcome<Self> {
        let path = absolute(path)?;
        require_own(place, &path)?;
        let lock = lock(&path)?;
        let stop = stop.clone();
        let pace = Pace::new(None, move || stop.within(Duration::ZERO));
        let file = OwnFile::new(path.clone(), views, pace);
        Ok(Self { path, file, anew: false, told: false, frozen: false, _lock: lock })
    }

    /// The same, built anew from the first log it is opened with, whatever is there.
    pub(super) fn anew(self, anew: bool) -> Self {
        Self { anew, ..self }
    }

    /// Opens the file where it stands, to go on with a log; what must be built, is.
    pub(super) fn open(&mut self, log: Arc<dyn ReadLog>) -> Outcome<Views> {
        self.opened(log).map_err(|error| self.unopened(error))
    }

    /// Brings the file up to a history that is not all there is; it may have come further already.
    pub(super) fn pass(&mut self, history: Arc<dyn ReadLog>) -> Outcome {
        match self.opened(history) {
            Ok(mut views) => views.catch_up(&mut |_, _| {}).map_err(unapplied),
            Err(BuildError::Open(OpenError::Stale(StaleError::Beyond { .. }))) => Ok(()),
            Err(error) => Err(self.unopened(error)),
        }
    }

    fn opened(&mut self, log: Arc<dyn ReadLog>) -> Result<Views, BuildError> {
        let bar = talk::progress("folding the log", Some(log.head().next));
        let mut reached = |position, _| bar.set_position(position);
        let views = if self.anew {
            self.file.build(log, &mut reached)
        } else {
            self.file.open(log, &mut reached)
        };
        bar.finish_and_clear();
        self.anew &= views.is_err();
        views
    }

    /// Brings the file up to the log's head of this moment.
    pub(super) fn catch_up(&mut self, views: &mut Views, log: &dyn ReadLog) -> Outcome {
        if views.flushed_position() < log.head().next {
            views.catch_up(&mut |_, _| {}).map_err(unapplied)?;
        }
        self.frozen = !views.frozen().is_empty();
        if !self.told {
            self.told = true;
            self.tell(views);
        }
        Ok(())
    }

    fn tell(&self, views: &Views) {
        let (path, position) = (self.path.display(), views.position());
        talk::say(&format!("{path} holds {position} commits"));
        for one in views.frozen() {
            talk::say(&format!("{one}; `chl follow --rebuild` makes it anew"));
        }
    }

    /// How a call ends well whose file is up to date: not well where read models stand still.
    pub(super) fn exit(&self) -> Exit {
        if self.frozen { Exit::Verification } else { Exit::Success }
    }

    fn unopened(&self, error: BuildError) -> Failure {
        let path = self.path.display();
        let BuildError::Open(OpenError::Stale(stale)) = error else {
            return unbuilt(error);
        };
        let (exit, what) = match &stale {
            StaleError::Ledger { .. }
            | StaleError::Beyond { .. }
            | StaleError::History { .. }
            | StaleError::Unreadable => (
                Exit::Verification,
                format!("{path} is not of this ledger's history; --rebuild makes it anew"),
            ),
            // These are built anew without asking.
            StaleError::Schema { .. } | StaleError::Views { .. } => {
                (Exit::Internal, path.to_string())
            }
        };
        Failure::Told { exit, error: anyhow::Error::new(stale).context(what) }
    }
}

/// Refuses a path that leads to what is not this call's to write.
fn require_own(place: &Place, path: &Path) -> Outcome {
    let shown = path.display();
    let folder = path.parent().and_then(|folder| fs::canonicalize(folder).ok());
    let Some(folder) = folder.filter(|_| path.file_name().is_some()) else {
        return Err(Failure::usage(format_args!("--into {shown}: there is no such folder")));
    };
    if fs::canonicalize(place.dir()).is_ok_and(|own| folder.starts_with(own)) {
        return Err(Failure::usage(format_args!(
            "--into {shown}: the ledger's folder is its own; name a file elsewhere"
        )));
    }
    if !path.is_symlink() && !path.exists() || leads_to_a_build(path) {
        return Ok(());
    }
    Err(Failure::usage(format_args!(
        "--into {shown}: this is no file of read models; name another, or move it away"
    )))
}

/// Whether a path is a link to a build of it beside, as a file of read models is.
fn leads_to_a_build(path: &Path) -> bool {
    let target = fs::read_link(path).ok();
    let beside = target.as_ref().filter(|target| target.file_name() == Some(target.as_os_str()));
    beside.is_some_and(|target| target.file_stem() == path.file_name())
}

/// Takes the lock beside a file; the system gives it back when the process ends, however it ends.
fn lock(path: &Path) -> Outcome<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let failed = format!("--into {}", path.display());
    let open = OpenOptions::new().write(true).create(true).truncate(false).open(&name);
    let lock = open.or_exit(Exit::Usage, &failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Failure::new(
            Exit::Unavailable,
            format_args!("{failed}: another process keeps this file"),
        )),
        Err(TryLockError::Error(error)) => Err(error).or_exit(Exit::Internal, failed),
    }
}
