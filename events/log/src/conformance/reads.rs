//! What readers may rely on.

use super::{Bed, Broken, grow, holds, naive_root, require, same};
use crate::{Chain, EventLog, ReadError, ReadLog, Subscription, Verified};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Long enough for any healthy log; only a broken one waits this long.
const PATIENCE: Duration = Duration::from_secs(20);
/// Short enough to be waited for in vain.
const GLANCE: Duration = Duration::from_millis(20);

pub(super) fn every_position(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut all = Vec::new();
    for (count, size) in [(1, 1), (5, 2), (30, 30), (9, 4)] {
        all.extend(grow(log.as_mut(), count, size)?);
    }
    let blocks = log.read(0)?.collect::<Result<Vec<_>, _>>()?;
    for from in 0..log.head().next {
        let begins = blocks.iter().position(|block| block.next() > from);
        let wanted: Vec<_> = blocks.iter().skip(begins.unwrap_or(blocks.len())).cloned().collect();
        let got = log.read(from)?.collect::<Result<Vec<_>, _>>()?;
        same(&format!("the blocks from {from}"), &got, &wanted)?;
    }
    same("blocks at the head", &log.read(log.head().next)?.count(), &0)?;
    let mut checked = Verified::new(log.read(0)?, Chain::new(bed.ledger()));
    checked.by_ref().collect::<Result<Vec<_>, _>>()?;
    same("the chain that was read", checked.reached(), &log.chain())
}

pub(super) fn chain_at_every_position(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut all = grow(log.as_mut(), 30, 30)?;
    all.extend(grow(log.as_mut(), 9, 4)?);
    let reader = log.reader();
    for (position, count) in (0..=39).zip(0..) {
        let before = all.get(..count).unwrap_or_default();
        let chain = reader.chain_at(position)?;
        same("the position of a chain", &chain.next(), &position)?;
        same(&format!("the root at {position}"), &chain.root(), &naive_root(before))?;
    }
    require(reader.chain_at(40).is_err(), || "a chain beyond the head".to_owned())
}

pub(super) fn beyond(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    grow(log.as_mut(), 3, 1)?;
    match log.read(4) {
        Err(ReadError::Beyond { from: 4, next: 3 }) => Ok(()),
        Err(other) => Err(Broken::new(other)),
        Ok(_) => Err(Broken::new("reading beyond the head was allowed")),
    }
}

pub(super) fn single(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut all = grow(log.as_mut(), 40, 7)?;
    all.extend(grow(log.as_mut(), 2, 1)?);
    let reader = log.reader();
    for (position, commit) in (0..).zip(&all) {
        let got = reader.commit_at(position)?;
        same(&format!("the commit at {position}"), &got.as_ref(), &Some(commit))?;
    }
    same("a commit at the head", &reader.commit_at(42)?, &None)
}

/// Readers see only whole prefixes, and what they have seen stays.
pub(super) fn beside_the_writer(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let done = AtomicBool::new(false);
    let ledger = bed.ledger();
    let readers = [log.reader(), log.reader()];
    let all = std::thread::scope(|scope| {
        let watching = readers.map(|reader| {
            let done = &done;
            scope.spawn(move || -> Result<(), Broken> {
                let mut last = Chain::new(ledger);
                while !done.load(Ordering::Acquire) {
                    let head = reader.head();
                    let mut read = Verified::new(reader.read(last.next())?, last.clone());
                    read.by_ref().collect::<Result<Vec<_>, _>>()?;
                    last = read.reached().clone();
                    require(last.next() >= head.next, || {
                        format!("read to {} of a head at {}", last.next(), head.next)
                    })?;
                }
                Ok(())
            })
        });
        let mut all = Vec::new();
        let mut written = Ok(());
        for round in 0..60 {
            match grow(log.as_mut(), 1 + round % 20, 4) {
                Ok(group) => all.extend(group),
                Err(broken) => written = Err(broken),
            }
        }
        done.store(true, Ordering::Release);
        for reader in watching {
            reader.join().unwrap_or_else(|_| Err(Broken::new("a reader panicked")))?;
        }
        written.map(|()| all)
    })?;
    holds(log.as_ref(), &all)
}

/// Reads on until a position is reached.
fn follow(subscription: &mut Subscription, to: u64) -> Result<Vec<Vec<u8>>, Broken> {
    let mut got = Vec::new();
    while subscription.position() < to {
        let block = subscription.next(PATIENCE)?;
        let block = block.ok_or_else(|| Broken::new("a subscription stalled"))?;
        got.extend(block.commits().map(<[u8]>::to_vec));
    }
    Ok(got)
}

pub(super) fn subscription(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut wanted = grow(log.as_mut(), 10, 3)?;
    let mut subscription = log.subscribe(0);
    same("what is stored", &follow(&mut subscription, 10)?, &wanted)?;
    require(subscription.next(GLANCE)?.is_none(), || "a block out of nothing".to_owned())?;
    let (got, later) = std::thread::scope(|scope| {
        let follower = scope.spawn(|| follow(&mut subscription, 40));
        let mut later = Vec::new();
        for _ in 0..6 {
            later.extend(grow(log.as_mut(), 5, 2)?);
        }
        let got = follower.join().unwrap_or_else(|_| Err(Broken::new("a follower panicked")));
        Ok::<_, Broken>((got?, later))
    })?;
    same("what is committed", &got, &later)?;
    wanted.extend(later);
    holds(log.as_ref(), &wanted)
}

pub(super) fn across_a_restart(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut log = bed.open()?;
    let mut wanted = grow(log.as_mut(), 10, 3)?;
    let mut first = log.subscribe(0);
    let mut got = follow(&mut first, 10)?;
    let position = first.position();
    drop(first);
    drop(log);
    let mut log: Box<dyn EventLog> = bed.open()?;
    let reader: std::sync::Arc<dyn ReadLog> = log.reader();
    let mut second = Subscription::new(reader, position);
    wanted.extend(grow(log.as_mut(), 7, 2)?);
    got.extend(follow(&mut second, 17)?);
    same("what was read across the restart", &got, &wanted)
}
