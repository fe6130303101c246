//! What a writer may rely on.

use super::naive_root;
use super::{Bed, Broken, commits, conflicts, contents, cut, grow, holds, require, same};
use crate::{AppendError, Chain, Discontinuity, EventLog};
use chl_events::{Block, Hash, LedgerId, MAX_COMMIT_BYTES};
use std::sync::{Barrier, Mutex, PoisonError};

pub(super) fn empty(bed: &mut dyn Bed) -> Result<(), Broken> {
    let log = bed.open()?;
    same("the ledger", &log.head().ledger, &bed.ledger())?;
    same("the chain", &log.chain(), &Chain::new(bed.ledger()))?;
    holds(log.as_ref(), &[])
}

pub(super) fn groups(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut all = Vec::new();
    for (count, size) in [(1, 1), (2, 1), (64, 7), (1024, 1024), (1, 1), (300, 10)] {
        all.extend(grow(log.as_mut(), count, size)?);
        holds(log.as_ref(), &all)?;
    }
    log.settle()?;
    holds(log.as_ref(), &all)
}

/// Groups packed by a chain: the right one, one sent again, one of another history.
pub(super) fn packed(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut all = commits(0, 300);
    let mut chain = log.chain();
    let first = chain.pack_group(&all)?;
    let second = chain.pack_group(&commits(300, 2))?;
    conflicts(log.append_packed(&second), 0)?;
    same("the head", &log.append_packed(&first)?, &first.after().head())?;
    conflicts(log.append_packed(&first), 300)?;
    let mut other = Chain::new(bed.ledger());
    other.pack(&commits(1, 300))?;
    let forked = log.append_packed(&other.pack_group(&commits(300, 2))?);
    require(
        matches!(forked, Err(AppendError::Refused(Discontinuity::Root { at: 300, .. }))),
        || format!("a group packed on another history gave {forked:?}"),
    )?;
    holds(log.as_ref(), &all)?;
    all.extend(commits(300, 2));
    log.append_packed(&second)?;
    holds(log.as_ref(), &all)
}

pub(super) fn stale(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut old = log.chain();
    let all = grow(log.as_mut(), 5, 2)?;
    let late = old.pack(&commits(0, 3))?;
    conflicts(log.append(0, &late), 5)?;
    holds(log.as_ref(), &all)
}

pub(super) fn future(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut ahead = log.chain();
    ahead.pack(&commits(0, 3))?;
    let early = ahead.pack(&commits(3, 1))?;
    conflicts(log.append(3, &early), 0)?;
    holds(log.as_ref(), &[])
}

/// An acknowledgement was lost and the writer sends the group again: it is not stored twice.
pub(super) fn sent_again(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut chain = log.chain();
    let all = commits(0, 9);
    let blocks = cut(&mut chain, &all, 4)?;
    log.append(0, &blocks)?;
    conflicts(log.append(0, &blocks), 9)?;
    let again = log.append(9, &blocks);
    require(matches!(again, Err(AppendError::Refused(Discontinuity::Position { .. }))), || {
        format!("a duplicate block at the right head gave {again:?}")
    })?;
    holds(log.as_ref(), &all)
}

pub(super) fn no_block(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let all = grow(log.as_mut(), 2, 2)?;
    same("the head", &log.append(2, &[])?, &log.head())?;
    conflicts(log.append(1, &[]), 2)?;
    holds(log.as_ref(), &all)
}

pub(super) fn other_history(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut all = grow(log.as_mut(), 4, 4)?;
    let root = log.head().root;
    let mut other = bed.ledger().0;
    other.reverse();
    let foreign = Block::new(LedgerId(other), 4, root, &[b"x"])?;
    let early = Block::new(bed.ledger(), 3, root, &[b"x"])?;
    let late = Block::new(bed.ledger(), 5, root, &[b"x"])?;
    let forked = Block::new(bed.ledger(), 4, Hash([1; 32]), &[b"x"])?;
    for block in [foreign, early, late, forked] {
        let refused = log.append(4, std::slice::from_ref(&block));
        require(matches!(refused, Err(AppendError::Refused(_))), || {
            format!("{block:?} gave {refused:?}")
        })?;
    }
    // The second block of a group is checked against the first, before anything is stored.
    let mut chain = log.chain();
    let fits = cut(&mut chain, &commits(4, 2), 2)?;
    let gap = Block::new(bed.ledger(), 7, chain.root(), &[b"x"])?;
    let group: Vec<Block> = fits.into_iter().chain([gap]).collect();
    let refused = log.append(4, &group);
    require(matches!(refused, Err(AppendError::Refused(_))), || {
        format!("a group with a gap gave {refused:?}")
    })?;
    holds(log.as_ref(), &all)?;
    all.extend(grow(log.as_mut(), 3, 1)?);
    holds(log.as_ref(), &all)
}

pub(super) fn largest(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let all: Vec<Vec<u8>> = (0..20_u8).map(|n| vec![n; MAX_COMMIT_BYTES]).collect();
    let mut chain = log.chain();
    let blocks = chain.pack(&all)?;
    same("blocks of the largest commit", &blocks.len(), &all.len())?;
    log.append(0, &blocks)?;
    holds(log.as_ref(), &all)?;
    drop(log);
    holds(bed.open()?.as_ref(), &all)
}

/// Many believe in the same head and append at the same moment: one wins.
pub(super) fn concurrent(bed: &mut dyn Bed) -> Result<(), Broken> {
    const WRITERS: u64 = 8;
    let log = Mutex::new(bed.open()?);
    for round in 0..10 {
        let chain = log.lock().unwrap_or_else(PoisonError::into_inner).chain();
        let barrier = Barrier::new(8);
        let results = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|writer| {
                    let (log, barrier, mut mine) = (&log, &barrier, chain.clone());
                    scope.spawn(move || -> Result<bool, Broken> {
                        let blocks = mine.pack(&commits(writer * 1000, 1 + writer))?;
                        barrier.wait();
                        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                        let result = log.append(round_start(&blocks), &blocks);
                        if result.is_ok() {
                            return Ok(true);
                        }
                        let next = log.head().next;
                        conflicts(result, next).map(|()| false)
                    })
                })
                .collect();
            let join = |writer: std::thread::ScopedJoinHandle<'_, _>| {
                writer.join().unwrap_or_else(|_| Err(Broken::new("a writer panicked")))
            };
            writers.into_iter().map(join).collect::<Result<Vec<bool>, Broken>>()
        })?;
        let winners = results.iter().filter(|won| **won).count();
        same(&format!("the winners of round {round}"), &winners, &1)?;
    }
    let log = log.into_inner().unwrap_or_else(PoisonError::into_inner);
    let all = contents(log.as_ref())?;
    same("the root", &log.head().root, &naive_root(&all))
}

fn round_start(blocks: &[Block]) -> u64 {
    blocks.first().map_or(0, Block::first)
}

pub(super) fn restarts(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut all = Vec::new();
    for round in 0..12 {
        let mut log: Box<dyn EventLog> = bed.open()?;
        holds(log.as_ref(), &all)?;
        all.extend(grow(log.as_mut(), 1 + round * 5, 3)?);
        if round % 3 == 0 {
            log.settle()?;
        }
    }
    holds(bed.open()?.as_ref(), &all)
}
