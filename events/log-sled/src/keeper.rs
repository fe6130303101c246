//! The upkeep beside the writer: makes the next head, and seals the one before.

use crate::{
    HeadError,
    head::Head,
    layout::Layout,
    options::{Options, Step},
    read::Shared,
};
use chl_log::{Cause, Chain};
use chl_log_files::{SealedError, SealedFile, SealedWriter, Witness, WitnessError};
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
};

/// Says why the upkeep failed. The log stays whole, and takes nothing more until it is reopened.
#[derive(Debug, thiserror::Error)]
enum KeepError {
    #[error("the next head could not be made: {0}")]
    Make(#[source] HeadError),
    #[error("a head could not be sealed: {0}")]
    Seal(#[from] SealedError),
    #[error(transparent)]
    Witness(#[from] WitnessError),
    #[error("a sealed head could not be removed: {0}")]
    Retire(#[source] HeadError),
}

/// A full head and the stretch of history in it.
pub(crate) struct Sealing {
    pub(crate) head: Arc<Head>,
    pub(crate) before: Chain,
    pub(crate) after: Chain,
}

enum Job {
    Make(u64),
    Seal(Sealing),
}

#[derive(Default)]
struct State {
    spare: Option<Head>,
    pending: usize,
    failed: Option<Cause>,
}

/// What the keeper's thread works with.
pub(crate) struct Upkeep {
    pub(crate) layout: Layout,
    pub(crate) options: Options,
    pub(crate) shared: Arc<Shared>,
    pub(crate) witness: Arc<Mutex<Witness>>,
}

/// The thread of the upkeep, as the writer sees it.
pub(crate) struct Keeper {
    jobs: Option<Sender<Job>>,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
    /// The number of the last head that was asked for.
    asked: u64,
}

#[derive(Default)]
struct Board {
    state: Mutex<State>,
    changed: Condvar,
}

impl Board {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    /// Starts the thread; `newest` is the number of the head that is written to.
    pub(crate) fn start(upkeep: Upkeep, newest: u64) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let board = Arc::new(Board::default());
        let theirs = Arc::clone(&board);
        let thread = std::thread::Builder::new().name("log-keeper".to_owned());
        let thread = thread.spawn(move || keep(&upkeep, &queue, &theirs))?;
        Ok(Self { jobs: Some(jobs), board, thread: Some(thread), asked: newest })
    }

    fn send(&self, job: Job) {
        let Some(jobs) = &self.jobs else {
            return;
        };
        self.board.state().pending += 1;
        if jobs.send(job).is_err() {
            let mut state = self.board.state();
            let gone: Cause = Arc::new(io::Error::other("the keeper's thread has ended"));
            state.failed.get_or_insert(gone);
            self.board.changed.notify_all();
        }
    }

    /// Asks once for the head behind `number`.
    pub(crate) fn prepare(&mut self, number: u64) {
        if self.asked <= number {
            self.asked = number + 1;
            self.send(Job::Make(self.asked));
        }
    }

    pub(crate) fn seal(&self, sealing: Sealing) {
        self.send(Job::Seal(sealing));
    }

    /// What has failed, if anything has.
    pub(crate) fn failed(&self) -> Option<Cause> {
        self.board.state().failed.clone()
    }

    /// Takes the next head once it is made and nothing is being sealed; waits for it if told to.
    pub(crate) fn take_spare(&self, wait: bool) -> Result<Option<Head>, Cause> {
        let mut state = self.board.state();
        loop {
            if let Some(cause) = &state.failed {
                return Err(Arc::clone(cause));
            }
            if state.pending == 0 || !wait {
                let ready = state.pending == 0;
                return Ok(if ready { state.spare.take() } else { None });
            }
            state = self.board.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until nothing is under way.
    #[cfg(test)]
    pub(crate) fn wait_until_idle(&self) {
        let mut state = self.board.state();
        while state.pending > 0 && state.failed.is_none() {
            state = self.board.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Finishes what is under way and ends the thread.
    pub(crate) fn stop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The thread catches what sled throws; a panic of its own has nobody left to tell.
            let _ended = thread.join();
        }
        self.board.state().spare = None;
    }
}

fn keep(upkeep: &Upkeep, queue: &Receiver<Job>, board: &Board) {
    for job in queue {
        // After a failure nothing is tried any more: what is there stays as it is.
        let result = if board.state().failed.is_some() { Ok(None) } else { upkeep.work(job) };
        let mut state = board.state();
        state.pending -= 1;
        match result {
            Ok(Some(head)) => state.spare = Some(head),
            Ok(None) => {}
            Err(error) => state.failed = Some(Arc::new(error)),
        }
        board.changed.notify_all();
    }
}

impl Upkeep {
    fn work(&self, job: Job) -> Result<Option<Head>, KeepError> {
        match job {
            Job::Make(number) => {
                let made = Head::make(&self.layout, number, &self.options);
                made.map(Some).map_err(KeepError::Make)
            }
            Job::Seal(sealing) => self.seal(sealing).map(|()| None),
        }
    }

    /// Copies a head's blocks into a sealed file, lets the witness know, and only then gives the
    /// head up.
    fn seal(&self, sealing: Sealing) -> Result<(), KeepError> {
        let Sealing { head, before, after } = sealing;
        let path = self.layout.sealed(before.next());
        let mut writer = SealedWriter::create(&path, before)?;
        // The head has its blocks in memory as they were verified or appended: reading sled back
        // and hashing again would take the writer's disk and processor from it.
        writer.push_chained(&head.blocks(), after.clone())?;
        let keys = self.options.keys.as_ref().and_then(|keys| keys(after.next()));
        self.options.did(Step::SealWritten);
        writer.finish(keys)?;
        self.options.did(Step::SealPublished);
        self.advance_witness(&after)?;
        self.options.did(Step::WitnessAdvanced);
        let file = Arc::new(SealedFile::open(&path)?);
        let mut parts = self.shared.parts_mut();
        parts.sealed.push(file);
        parts.heads.retain(|part| !Arc::ptr_eq(&part.head, &head));
        drop(parts);
        // Readers hold a head only while they hold the lock on the parts, so this was the last.
        match Arc::try_unwrap(head) {
            Ok(head) => head.retire(&self.layout, &self.options).map_err(KeepError::Retire),
            Err(_) => Ok(()),
        }
    }

    fn advance_witness(&self, after: &Chain) -> Result<(), WitnessError> {
        let mut witness = self.witness.lock().unwrap_or_else(PoisonError::into_inner);
        if witness.last().head.next < after.next() {
            witness.record(after.head())?;
        }
        witness.sync()
    }
}
