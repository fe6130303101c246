//! Catching up: from what the file of states stands for to the end of the log, and what is owed
//! there.
//!
//! A chain that is longer than a block can be cut by a crash: its cause is in the log, some of what
//! policies do about it is not. Whoever opens the log settles that before anything else.

use crate::{
    chain::{Kept, Stop},
    desk::Desk,
    history::HistoryError,
    keys::{KeysError, command_key},
    states::StatesError,
    vault::VaultError,
};
use chl_aggregates::forgotten_keys;
use chl_events::{Commit, CommitError, LedgerId, Role};
use chl_log::{ReadError, ReadLog};
use std::sync::Arc;

/// Says why states could not be brought up to the log.
#[derive(Debug, thiserror::Error)]
pub enum CatchUpError {
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// A stored commit does not decode.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// A stored commit could not be found again.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Keys could not be kept.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The file of states failed.
    #[error(transparent)]
    States(#[from] StatesError),
    /// Keys of forgotten persons could not be destroyed.
    #[error("a forgotten person's key could not be destroyed: {0}")]
    Vault(#[from] VaultError),
    /// A commit contradicts the states before it.
    #[error("the log contradicts itself: {0}")]
    Contradiction(String),
}

impl From<Stop> for CatchUpError {
    fn from(stop: Stop) -> Self {
        Self::Contradiction(match stop {
            Stop::Rejected(refused) => refused.to_string(),
            Stop::Failed(failure) => failure.to_string(),
        })
    }
}

/// From where on what has to be read again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReadFrom {
    /// The first commit that is not in the states.
    pub(crate) states: u64,
    /// The first commit whose key may be missing.
    pub(crate) keys: u64,
}

/// What is owed: decided and part of the states, but not yet in the log.
pub(crate) struct Owed {
    /// Where the chain begins that it ends: from there on states are replayed when it is lost.
    pub(crate) from: u64,
    /// Its commits; none when the last chain is whole.
    pub(crate) commits: Vec<Arc<Commit>>,
}

/// Takes the log's tail into states and keys; returns what is owed at its end.
pub(crate) fn catch_up(
    desk: &mut Desk,
    reader: &dyn ReadLog,
    from: ReadFrom,
) -> Result<Owed, CatchUpError> {
    let Tail { last, .. } = take_chains(desk, reader, from)?;
    note_last(desk, reader)?;
    let commits = match last.split_first() {
        Some((cause, settled)) => owed(desk, cause, settled)?,
        None => Vec::new(),
    };
    destroy_again(desk)?;
    let from = last.first().map_or(from.states, |cause| cause.position);
    Ok(Owed { from, commits })
}

/// Takes the log's tail into states and keys as far as its chains are whole, and returns from where
/// on the rest is to be read: the last chain may still grow.
pub(crate) fn follow(
    desk: &mut Desk,
    reader: &dyn ReadLog,
    from: ReadFrom,
) -> Result<ReadFrom, CatchUpError> {
    let Tail { last, end } = take_chains(desk, reader, from)?;
    let states = last.first().map_or(end, |cause| cause.position);
    Ok(ReadFrom { states, keys: end })
}

/// What was read behind the last whole chain, and where reading ended.
struct Tail {
    last: Vec<Arc<Commit>>,
    end: u64,
}

fn take_chains(
    desk: &mut Desk,
    reader: &dyn ReadLog,
    from: ReadFrom,
) -> Result<Tail, CatchUpError> {
    let ledger = reader.head().ledger;
    let begin = from.states.min(from.keys);
    let mut tail = Tail { last: Vec::new(), end: begin };
    for block in reader.read(begin)? {
        let block = block?;
        for (position, bytes) in (block.first()..).zip(block.commits()) {
            if position < begin {
                continue;
            }
            tail.end = position.saturating_add(1);
            let commit = Arc::new(Commit::decode(bytes)?);
            if position >= from.keys && is_outside(&commit) {
                desk.keys.push(command_key(&commit.origin), position);
                desk.keys.durable(tail.end)?;
            }
            if position < from.states {
                continue;
            }
            desk.watch.recorded(commit.recorded_at);
            if commit.origin.role != Role::Policy {
                take(desk, &tail.last)?;
                write_down(desk, ledger, position)?;
                tail.last.clear();
            }
            tail.last.push(commit);
        }
    }
    Ok(tail)
}

/// Whether a commit came from outside: with a key of its own to be found again by.
pub(crate) fn is_outside(commit: &Commit) -> bool {
    !matches!(commit.origin.role, Role::Policy | Role::Clock) && commit.origin.source != "/ledger"
}

fn note_last(desk: &mut Desk, reader: &dyn ReadLog) -> Result<(), CatchUpError> {
    let Some(position) = reader.head().next.checked_sub(1) else { return Ok(()) };
    if let Some(commit) = desk.history.commit(position)? {
        desk.watch.recorded(commit.recorded_at);
    }
    Ok(())
}

/// Takes a whole chain that is in the log into the states.
fn take(desk: &mut Desk, commits: &[Arc<Commit>]) -> Result<(), CatchUpError> {
    let mut chain = desk.chain();
    for commit in commits {
        chain.replay(commit)?;
    }
    let kept = chain.keep();
    merge(desk, kept);
    desk.states.keep_oldest();
    Ok(())
}

fn merge(desk: &mut Desk, mut kept: Kept) -> Vec<Arc<Commit>> {
    desk.states.merge(&mut kept.changes);
    desk.scratch = kept.changes;
    kept.commits
}

/// Takes the last chain into the states, and does what is missing of it.
fn owed(
    desk: &mut Desk,
    cause: &Arc<Commit>,
    settled: &[Arc<Commit>],
) -> Result<Vec<Arc<Commit>>, CatchUpError> {
    let mut chain = desk.chain();
    chain.replay(cause)?;
    chain.settle_behind(settled.iter().cloned());
    chain.policies(Arc::clone(cause))?;
    let foreign = chain.take_rest()?;
    let kept = chain.keep();
    if foreign > 0 && !kept.commits.is_empty() {
        let at = cause.position;
        let message = format!("what follows the commit at {at} was made by other policies");
        return Err(CatchUpError::Contradiction(message));
    }
    Ok(merge(desk, kept))
}

/// Destroys every key that the log says is: one may have come back with a vault from an older copy,
/// or never have gone, when the program ended in between.
fn destroy_again(desk: &mut Desk) -> Result<(), CatchUpError> {
    let chain = desk.chain();
    let keys = forgotten_keys(chain.facts()).map_err(Stop::from);
    desk.scratch = chain.keep().changes;
    Ok(desk.vault.forget(&keys?)?)
}

/// Writes changed rows down when they have become many, at the end of a chain.
fn write_down(desk: &mut Desk, ledger: LedgerId, position: u64) -> Result<(), CatchUpError> {
    if desk.states.is_full() {
        desk.states.flush_now(ledger, position)?;
    }
    Ok(())
}
