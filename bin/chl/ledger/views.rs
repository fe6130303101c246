//! The read models of an opened ledger: brought up to the log whenever somebody asks.

use crate::{
    exit::{Exit, OwnExit},
    failure::{Failure, Outcome, Step},
    talk,
};
use chl_events::Block;
use chl_log::ReadLog;
use chl_runtime::{ApplyError, BuildError, OpenError, Reader, Rebuilt, Views};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Behind so many commits a bar is worth drawing.
const LONG_WAY: u64 = 20_000;

/// The read models, one writer at a time.
pub(crate) struct KeptViews {
    path: PathBuf,
    log: Arc<dyn ReadLog>,
    views: Mutex<Option<Views>>,
}

impl KeptViews {
    /// Names them; they are opened when they are first needed.
    pub(crate) fn new(path: PathBuf, log: Arc<dyn ReadLog>) -> Self {
        Self { path, log, views: Mutex::new(None) }
    }

    /// Brings them up to the log's head of this moment and opens them to be read.
    pub(crate) fn fresh(&self) -> Outcome<Reader> {
        self.catch_up()?;
        let unread = "the read models cannot be read; `chl rebuild` makes them anew";
        Reader::open(&self.path).or_exit(Exit::Internal, unread)
    }

    /// Brings them, and SQLite, up to the log's head of this moment.
    pub(crate) fn catch_up(&self) -> Outcome {
        self.with(|views| {
            let end = self.log.head().next;
            if views.flushed_position() < end {
                views.catch_up(&mut |_, _| {}).map_err(unapplied)?;
            }
            Ok(())
        })
    }

    /// Folds blocks that have just become durable. What is folded already is passed over, and what
    /// is missing between is read from the log.
    pub(crate) fn follow(&self, blocks: &[Block]) -> Outcome {
        self.with(|views| match views.apply(blocks) {
            Err(ApplyError::Gap { .. }) => views.catch_up(&mut |_, _| {}).map_err(unapplied),
            other => other.map_err(unapplied),
        })
    }

    /// Shows others in SQLite what is folded.
    pub(crate) fn flush(&self) -> Outcome {
        self.with(|views| views.flush().map_err(unapplied))
    }

    /// The position others see in SQLite at this moment; none before they have been built.
    pub(crate) fn shown_position(&self) -> Option<u64> {
        Reader::open(&self.path).and_then(|reader| reader.position()).ok()
    }

    /// Builds them anew beside the old, compares, and switches.
    pub(crate) fn rebuild(&self) -> Outcome<Rebuilt> {
        self.with(|views| {
            views.catch_up(&mut |_, _| {}).map_err(unapplied)?;
            let bar = talk::progress("rebuilding the read models", Some(views.position()));
            let rebuilt = views.rebuild(&mut |reached, _| bar.set_position(reached));
            bar.finish_and_clear();
            rebuilt.map_err(unbuilt)
        })
    }

    /// Runs a step on the open views; a failure closes them, so that the next step opens them anew.
    fn with<T>(&self, step: impl FnOnce(&mut Views) -> Outcome<T>) -> Outcome<T> {
        let mut held = self.views.lock().unwrap_or_else(PoisonError::into_inner);
        let views = self.opened(&mut held)?;
        let done = step(views);
        if done.is_err() {
            *held = None;
        }
        done
    }

    fn opened<'a>(&self, held: &'a mut MutexGuard<'_, Option<Views>>) -> Outcome<&'a mut Views> {
        if held.is_none() {
            let end = self.log.head().next;
            let bar = (end > LONG_WAY).then(|| talk::progress("folding the log", Some(end)));
            let mut reached = |position, _| {
                if let Some(bar) = &bar {
                    bar.set_position(position);
                }
            };
            let log = Arc::clone(&self.log);
            let views = Views::open_or_build(&self.path, log, &mut reached).map_err(unbuilt)?;
            if let Some(bar) = &bar {
                bar.finish_and_clear();
            }
            **held = Some(views);
        }
        held.as_mut().ok_or_else(|| Failure::new(Exit::Internal, "the read models are not open"))
    }
}

/// What a failed fold means to the user.
fn unapplied(error: ApplyError) -> Failure {
    let exit = match &error {
        ApplyError::Log(error) => error.exit(),
        ApplyError::Commit(_) | ApplyError::Fold(_) => Exit::Verification,
        ApplyError::Gap { .. } | ApplyError::Sqlite(_) | ApplyError::Broken => Exit::Internal,
    };
    Failure::Told { exit, error: anyhow::Error::new(error).context("the log cannot be folded") }
}

/// What a failed build means to the user.
pub(crate) fn unbuilt(error: BuildError) -> Failure {
    if let BuildError::Apply(error) = error {
        return unapplied(error);
    }
    if let BuildError::Open(OpenError::Log(error)) = error {
        return unapplied(ApplyError::Log(error));
    }
    let what = "the read models cannot be built";
    Failure::Told { exit: Exit::Internal, error: anyhow::Error::new(error).context(what) }
}
