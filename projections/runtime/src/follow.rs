//! Follows a writer: a thread of its own folds the blocks it is handed, in order.

use crate::{ApplyError, Views};
use chl_events::Block;
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// How many groups of blocks may wait: what bounds the lag of SQLite behind the writer.
const WAITING_GROUPS: usize = 64;

/// Says that the read models no longer follow; the log has what they missed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the read models no longer follow: {0}")]
pub struct FollowError(String);

/// Keeps read models up to date beside a writer.
///
/// While groups wait they are folded in long transactions; when none waits, what is folded is
/// flushed at once, so that readers see it.
#[derive(Debug)]
pub struct Follower {
    groups: Option<SyncSender<Vec<Block>>>,
    reached: Arc<Reached>,
    thread: Option<JoinHandle<Views>>,
}

#[derive(Debug, Default)]
struct Reached {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What SQLite shows.
    flushed: u64,
    failed: Option<FollowError>,
    over: bool,
}

impl Reached {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.moved.notify_all();
    }
}

/// Tells waiters that the thread has ended, however it does.
struct Ends(Arc<Reached>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.tell(|state| state.over = true);
    }
}

impl Follower {
    /// Takes the read models into a thread of their own. They should be caught up before.
    pub fn start(views: Views) -> Result<Self, std::io::Error> {
        let (groups, waiting) = sync_channel(WAITING_GROUPS);
        let reached = Arc::new(Reached::default());
        reached.tell(|state| state.flushed = views.flushed_position());
        let ends = Ends(Arc::clone(&reached));
        let thread = thread::Builder::new()
            .name("views".into())
            .spawn(move || follow(views, &waiting, &ends))?;
        Ok(Self { groups: Some(groups), reached, thread: Some(thread) })
    }

    /// Hands over durable blocks; waits while too many groups do.
    pub fn hand(&self, blocks: Vec<Block>) -> Result<(), FollowError> {
        let ended = || FollowError("their thread has ended".into());
        if let Some(failed) = self.reached.state().failed.clone() {
            return Err(failed);
        }
        let groups = self.groups.as_ref().ok_or_else(ended)?;
        groups.send(blocks).map_err(|_| self.reached.state().failed.clone().unwrap_or_else(ended))
    }

    /// The position SQLite shows to others.
    pub fn flushed_position(&self) -> u64 {
        self.reached.state().flushed
    }

    /// Waits until SQLite shows a position: as many commits are folded and flushed.
    pub fn wait_for(&self, position: u64) -> Result<(), FollowError> {
        let mut state = self.reached.state();
        loop {
            if let Some(failed) = &state.failed {
                return Err(failed.clone());
            }
            if state.flushed >= position {
                return Ok(());
            }
            if state.over {
                return Err(FollowError("their thread has ended".into()));
            }
            state = self.reached.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Folds what waits, flushes, and gives the read models back.
    pub fn stop(mut self) -> Result<Views, FollowError> {
        self.groups = None;
        let views = self.thread.take().and_then(|thread| thread.join().ok());
        if let Some(failed) = self.reached.state().failed.clone() {
            return Err(failed);
        }
        views.ok_or_else(|| FollowError("their thread panicked".into()))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.groups = None;
        if let Some(thread) = self.thread.take() {
            // What it failed of is told by the next open: the checkpoint stands behind the log.
            drop(thread.join());
        }
    }
}

fn follow(mut views: Views, waiting: &Receiver<Vec<Block>>, ends: &Ends) -> Views {
    while let Ok(blocks) = waiting.recv() {
        let done = fold_all(&mut views, blocks, waiting, ends);
        let flushed = views.flushed_position();
        let failed = done.err().map(|error| FollowError(error.to_string()));
        let broken = failed.is_some();
        ends.0.tell(|state| {
            state.flushed = flushed;
            state.failed = failed;
        });
        if broken {
            break;
        }
    }
    views
}

/// Folds a group and those that wait behind it, and flushes when none does.
fn fold_all(
    views: &mut Views,
    first: Vec<Block>,
    waiting: &Receiver<Vec<Block>>,
    ends: &Ends,
) -> Result<(), ApplyError> {
    views.apply(&first)?;
    let mut told = views.flushed_position();
    loop {
        match waiting.try_recv() {
            Ok(blocks) => views.apply(&blocks)?,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => return views.flush(),
        }
        // Under load a transaction ends when it is long enough, and nobody waits for a pause.
        let flushed = views.flushed_position();
        if flushed != told {
            ends.0.tell(|state| state.flushed = flushed);
            told = flushed;
        }
    }
}
