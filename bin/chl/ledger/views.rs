//! The read models of an opened ledger: brought up to the log whenever somebody asks.

use crate::{
    exit::{Exit, OwnExit},
    failure::{Failure, Outcome, Step},
    talk,
};
use chl_events::{Block, Date};
use chl_log::ReadLog;
use chl_runtime::{
    ApplyError, AsOf, BuildError, Frozen, Held, OpenError, Pace, Past, Reader, Rebuild, Rebuilt,
    Stand, Until, View, Views,
};
use std::{
    fmt, fs,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Behind so many commits a bar is worth drawing.
const LONG_WAY: u64 = 20_000;

/// How often somebody who waits looks whether they are open.
const GLANCE: Duration = Duration::from_millis(2);

/// How far read models have come that are being opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    reached: u64,
    end: u64,
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { reached, end } = self;
        write!(f, "the read models are being built: {reached} of {end} commits are in them")
    }
}

/// The read models, one writer at a time.
pub(crate) struct KeptViews {
    path: PathBuf,
    log: Arc<dyn ReadLog>,
    views: Mutex<Option<Views>>,
    /// Whether somebody is opening them, which takes long where they must be built.
    opening: AtomicBool,
    /// How many commits are in them so far, while somebody is.
    reached: AtomicU64,
    /// Held by whoever builds them anew: one at a time.
    rebuilding: Mutex<()>,
    past: Past,
}

impl KeptViews {
    /// Names them; they are opened when they are first needed.
    pub(crate) fn new(path: PathBuf, snapshots: PathBuf, log: Arc<dyn ReadLog>) -> Self {
        let past = Past::new(path.clone(), snapshots);
        Self {
            path,
            log,
            views: Mutex::new(None),
            opening: AtomicBool::new(false),
            reached: AtomicU64::new(0),
            rebuilding: Mutex::new(()),
            past,
        }
    }

    /// Brings them up to the log's head of this moment and opens them to be read.
    pub(crate) fn fresh(&self) -> Outcome<Reader> {
        self.catch_up()?;
        let unread = "the read models cannot be read; `chl rebuild` makes them anew";
        Reader::open(&self.path).or_exit(Exit::Internal, unread)
    }

    /// The same, and the file that is read.
    pub(crate) fn fresh_in(&self) -> Outcome<(Reader, Option<PathBuf>)> {
        // Named first: what is named here and read is never older than the name.
        let file = fs::read_link(&self.path).ok();
        Ok((self.fresh()?, file))
    }

    /// Opens them aside where they are not open, and waits so long for it; says how far it has come
    /// where that is not done by then. What fails is told to whoever asks them next.
    pub(crate) fn open_within(self: &Arc<Self>, time: Duration) -> Option<Opening> {
        if self.is_open() {
            return None;
        }
        let began = Instant::now();
        let aside = Arc::clone(self);
        let nobody = !self.opening.load(Ordering::Acquire);
        let opening = nobody.then(|| thread::spawn(move || drop(aside.catch_up())));
        let is_done = || match &opening {
            Some(own) => own.is_finished(),
            None => !self.opening.load(Ordering::Acquire),
        };
        while !is_done() {
            if began.elapsed() >= time {
                let (reached, end) = (self.reached.load(Ordering::Acquire), self.log.head().next);
                return Some(Opening { reached, end });
            }
            thread::sleep(GLANCE);
        }
        None
    }

    fn is_open(&self) -> bool {
        match self.views.try_lock() {
            Ok(views) => views.is_some(),
            // Whoever holds them opens them or works with them.
            Err(TryLockError::WouldBlock) => !self.opening.load(Ordering::Acquire),
            Err(TryLockError::Poisoned(_)) => false,
        }
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
    ///
    /// While they are being opened, which may take long, nobody waits for them: whoever opens them
    /// reads what came meanwhile from the log.
    pub(crate) fn follow(&self, blocks: &[Block]) -> Outcome {
        if self.opening.load(Ordering::Acquire) {
            return Ok(());
        }
        self.with(|views| match views.apply(blocks) {
            Err(ApplyError::Gap { .. }) => views.catch_up(&mut |_, _| {}).map_err(unapplied),
            other => other.map_err(unapplied),
        })
    }

    /// Shows others in SQLite what is folded.
    pub(crate) fn flush(&self) -> Outcome {
        if self.opening.load(Ordering::Acquire) {
            return Ok(());
        }
        self.with(|views| views.flush().map_err(unapplied))
    }

    /// Brings SQLite up to everything that was answered before: whoever asks some read models next
    /// finds it in them. Returns those of them that are frozen, where it may be missing.
    pub(crate) fn show_all(&self, views: &[View]) -> Outcome<Vec<Frozen>> {
        self.catch_up()?;
        self.with(|kept| {
            let named = |frozen: &&Frozen| views.iter().any(|view| view.name() == frozen.view);
            Ok(kept.frozen().iter().filter(named).cloned().collect())
        })
    }

    /// Opens them as they stood: the commits that count, of these what was effective by a day.
    pub(crate) fn as_of(&self, until: Until, effective: Option<Date>) -> Outcome<AsOf> {
        self.catch_up()?;
        let bar = talk::progress("folding the log", Some(self.log.head().next));
        let mut reached = |position, _| bar.set_position(position);
        let past = self.past.as_of(Arc::clone(&self.log), until, effective, &mut reached);
        bar.finish_and_clear();
        past.map_err(unbuilt)
    }

    /// Keeps the next snapshot of the past that is wanted; says whether one was.
    pub(super) fn extend_past(&self) -> Outcome<bool> {
        if self.stands().is_empty() {
            return Ok(false);
        }
        self.past.extend(&self.log).map_err(unbuilt)
    }

    /// How each of them stands in SQLite at this moment; none before they have been built.
    pub(crate) fn stands(&self) -> Vec<Stand> {
        let stands = Reader::open(&self.path).and_then(|reader| reader.stands());
        stands.unwrap_or_default()
    }

    /// Builds them anew beside the old, compares, and switches; the old go on meanwhile.
    pub(crate) fn rebuild(&self, pace: Pace) -> Outcome<Rebuilt> {
        let _one_at_a_time = self.rebuilding.lock().unwrap_or_else(PoisonError::into_inner);
        self.catch_up()?;
        let end = self.log.head().next;
        let bar = talk::progress("rebuilding the read models", Some(end));
        let mut reached = |reached, _| bar.set_position(reached);
        let log = Arc::clone(&self.log);
        let rebuild = Rebuild::begin(&self.path, log, Some(pace), &mut reached);
        let mut rebuild = rebuild.map_err(unbuilt)?;
        let held = self.with(|views| {
            views.catch_up(&mut |_, _| {}).map_err(unapplied)?;
            Held::open(&self.path).map_err(|error| unbuilt(error.into()))
        })?;
        let rebuilt = rebuild.compare(&held, &mut reached).map_err(unbuilt)?;
        drop(held);
        rebuild.complete(&mut reached).map_err(unbuilt)?;
        self.with(|views| rebuild.switch(views).map_err(unbuilt))?;
        bar.finish_and_clear();
        if !rebuilt.is_equal() {
            // Whatever made them differ may stand in the snapshots, too.
            self.past.forget().or_exit(Exit::Internal, "the snapshots of the past")?;
        }
        Ok(rebuilt)
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
            self.opening.store(true, Ordering::Release);
            let views = self.open();
            self.opening.store(false, Ordering::Release);
            let mut views = views?;
            // What became durable meanwhile was not waited for.
            views.catch_up(&mut |_, _| {}).map_err(unapplied)?;
            **held = Some(views);
        }
        held.as_mut().ok_or_else(|| Failure::new(Exit::Internal, "the read models are not open"))
    }

    /// Opens them; stale ones, or those of another release, are built anew beside the old first.
    fn open(&self) -> Outcome<Views> {
        let end = self.log.head().next;
        let bar = (end > LONG_WAY).then(|| talk::progress("folding the log", Some(end)));
        let mut told = false;
        let mut reached = |position, _| {
            self.reached.store(position, Ordering::Release);
            let Some(bar) = &bar else { return };
            bar.set_position(position);
            if bar.is_hidden() && !told && position.saturating_add(LONG_WAY) < end {
                talk::say(&Opening { reached: position, end }.to_string());
                told = true;
            }
        };
        let log = Arc::clone(&self.log);
        let views = Views::open_or_build(&self.path, log, &mut reached).map_err(unbuilt);
        if let Some(bar) = &bar {
            bar.finish_and_clear();
        }
        views
    }
}

/// What a failed fold means to the user.
pub(crate) fn unapplied(error: ApplyError) -> Failure {
    let exit = match &error {
        ApplyError::Log(error) => error.exit(),
        ApplyError::Commit(_) | ApplyError::Fold(_) => Exit::Verification,
        ApplyError::Gap { .. }
        | ApplyError::Write(_)
        | ApplyError::Sqlite(_)
        | ApplyError::Broken => Exit::Internal,
        ApplyError::GivenUp(_) => Exit::Unavailable,
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
