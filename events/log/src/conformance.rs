//! The suite that every log passes, whatever keeps its bytes.
//!
//! A log's own tests give it a [`Bed`] per case: a place where the log can be opened, dropped and
//! opened again. A broken rule is an error that names the rule, so that a simulation can print it
//! beside its seed.

mod appends;
mod faults;
mod reads;
mod rivals;
mod tree;

pub use faults::survives_faults;
pub use rivals::run_rivals;
pub use tree::naive_root;

use crate::{AppendError, Chain, EventLog};
use chl_events::{Block, LedgerId};
use std::{error::Error, fmt};

/// A place where one log lives, for one case of the suite.
pub trait Bed {
    /// The ledger that lives there.
    fn ledger(&self) -> LedgerId;

    /// Opens the log, for the first time or again. The one opened before has been dropped.
    fn open(&mut self) -> Result<Box<dyn EventLog>, Broken>;
}

/// A rule of the port that a log does not keep, or a failure on the way.
pub struct Broken(String);

impl Broken {
    /// Says what is wrong.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

impl<E: Error> From<E> for Broken {
    fn from(error: E) -> Self {
        Self::new(error)
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A case: what it is called, and what it does on a bed of its own.
type Case = (&'static str, fn(&mut dyn Bed) -> Result<(), Broken>);

const CASES: [Case; 18] = [
    ("an empty log", appends::empty),
    ("groups of every size", appends::groups),
    ("packed groups", appends::packed),
    ("a stale head", appends::stale),
    ("a future head", appends::future),
    ("a group sent again", appends::sent_again),
    ("a group of no block", appends::no_block),
    ("blocks of another history", appends::other_history),
    ("the largest commit", appends::largest),
    ("concurrent appends", appends::concurrent),
    ("reading from every position", reads::every_position),
    ("a chain at every position", reads::chain_at_every_position),
    ("reading beyond the head", reads::beyond),
    ("single commits", reads::single),
    ("reading while appending", reads::beside_the_writer),
    ("a subscription", reads::subscription),
    ("a subscription across a restart", reads::across_a_restart),
    ("a restart after every group", appends::restarts),
];

/// Runs every case of the suite, each on a bed of its own.
pub fn run<B: Bed>(mut bed: impl FnMut() -> Result<B, Broken>) -> Result<(), Broken> {
    for (name, case) in CASES {
        case(&mut bed()?).map_err(|broken| Broken(format!("{name}: {broken}")))?;
    }
    Ok(())
}

/// Requires a rule to hold.
fn require(holds: bool, rule: impl FnOnce() -> String) -> Result<(), Broken> {
    if holds { Ok(()) } else { Err(Broken(rule())) }
}

/// Requires two things to be equal.
fn same<T: PartialEq + fmt::Debug>(what: &str, got: &T, wanted: &T) -> Result<(), Broken> {
    require(got == wanted, || format!("{what}: {got:?} instead of {wanted:?}"))
}

/// Commits that differ from each other; their lengths vary.
fn commits(from: u64, count: u64) -> Vec<Vec<u8>> {
    let commit = |position: u64| {
        let mut bytes = position.to_be_bytes().to_vec();
        bytes.resize(8 + usize::try_from(position % 97).unwrap_or(0), 0x5a);
        bytes
    };
    (from..from + count).map(commit).collect()
}

/// Cuts commits into blocks of a few each, so that a group has several.
fn cut(chain: &mut Chain, commits: &[Vec<u8>], size: usize) -> Result<Vec<Block>, Broken> {
    let mut blocks = Vec::new();
    for piece in commits.chunks(size.max(1)) {
        blocks.extend(chain.pack(piece)?);
    }
    Ok(blocks)
}

/// Appends `count` further commits as one group of blocks of `size`.
fn grow(log: &mut dyn EventLog, count: u64, size: usize) -> Result<Vec<Vec<u8>>, Broken> {
    let mut chain = log.chain();
    let expected = chain.next();
    let group = commits(expected, count);
    let blocks = cut(&mut chain, &group, size)?;
    let head = log.append(expected, &blocks)?;
    same("the head after an append", &head, &chain.head())?;
    Ok(group)
}

/// Everything a log holds, commit by commit.
fn contents(log: &dyn EventLog) -> Result<Vec<Vec<u8>>, Broken> {
    let mut all = Vec::new();
    for block in log.read(0)? {
        all.extend(block?.commits().map(<[u8]>::to_vec));
    }
    Ok(all)
}

/// Requires a log to hold exactly these commits, in order, with the root of the definition.
fn holds(log: &dyn EventLog, wanted: &[Vec<u8>]) -> Result<(), Broken> {
    same("the commits", &contents(log)?, &wanted.to_vec())?;
    same("the number of commits", &log.head().next, &(wanted.len() as u64))?;
    same("the root", &log.head().root, &naive_root(wanted))
}

/// Requires an append to have been refused because the head is elsewhere.
fn conflicts(result: Result<crate::Head, AppendError>, next: u64) -> Result<(), Broken> {
    match result {
        Err(AppendError::Conflict { head, .. }) => {
            same("the head in a conflict", &head.next, &next)
        }
        Err(
            error @ (AppendError::Refused(_)
            | AppendError::Unavailable(_)
            | AppendError::Poisoned(_)),
        ) => Err(Broken::new(error)),
        Ok(head) => Err(Broken(format!("an append to the wrong head was taken: {head}"))),
    }
}
