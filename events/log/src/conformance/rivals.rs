//! What writers may rely on that have opened the same log at the same time, each in a process of
//! its own: one wins, and the others learn where the log ends.

use super::{
    Bed, Broken, commits, conflicts, contents, cut, grow, holds, naive_root, require, same,
};
use crate::{AppendError, Chain, EventLog};
use std::sync::Barrier;

/// Runs the cases of logs that keep several writers apart by themselves; each case opens its
/// bed's log several times at once.
pub fn run_rivals<B: Bed>(mut bed: impl FnMut() -> Result<B, Broken>) -> Result<(), Broken> {
    type Case = (&'static str, fn(&mut dyn Bed) -> Result<(), Broken>);
    let cases: [Case; 4] = [
        ("rivals with a barrier", barrier),
        ("a writer that was overtaken", overtaken),
        ("an acknowledged group sent again by another writer", sent_by_another),
        ("a long group against a rival in its middle", torn),
    ];
    for (name, case) in cases {
        case(&mut bed()?).map_err(|broken| Broken::new(format!("{name}: {broken}")))?;
    }
    Ok(())
}

/// All believe in the same head and append at the same moment, round after round: one wins.
fn barrier(bed: &mut dyn Bed) -> Result<(), Broken> {
    const RIVALS: usize = 4;
    const ROUNDS: usize = 12;
    let logs = (0..RIVALS).map(|_| bed.open()).collect::<Result<Vec<_>, _>>()?;
    let barrier = Barrier::new(RIVALS);
    let won = std::thread::scope(|scope| {
        let compete = |(rival, mut log): (usize, Box<dyn EventLog>)| {
            let barrier = &barrier;
            scope.spawn(move || {
                // Every rival takes part in every round, whatever became of it: the rest wait.
                (0..ROUNDS)
                    .map(|round| {
                        let chain = log.chain();
                        barrier.wait();
                        let seed = (rival * ROUNDS + round) as u64;
                        let won = attempt(log.as_mut(), chain, seed);
                        barrier.wait();
                        won
                    })
                    .collect::<Result<Vec<_>, Broken>>()
            })
        };
        let competing: Vec<_> = logs.into_iter().enumerate().map(compete).collect();
        let join = |rival: std::thread::ScopedJoinHandle<'_, _>| {
            rival.join().unwrap_or_else(|_| Err(Broken::new("a rival panicked")))
        };
        competing.into_iter().map(join).collect::<Result<Vec<_>, Broken>>()
    })?;
    for round in 0..ROUNDS {
        let winners = won.iter().filter(|rival| rival.get(round) == Some(&true));
        same(&format!("the winners of round {round}"), &winners.count(), &1)?;
    }
    let log = bed.open()?;
    let all = contents(log.as_ref())?;
    same("the root", &log.head().root, &naive_root(&all))
}

/// Appends a group of its own behind a chain; says whether it won.
fn attempt(log: &mut dyn EventLog, mut chain: Chain, seed: u64) -> Result<bool, Broken> {
    let expected = chain.next();
    let blocks = cut(&mut chain, &commits(1000 * (1 + seed), 1 + seed % 3), 1)?;
    match log.append(expected, &blocks) {
        Ok(head) => same("the head after an append", &head, &chain.head()).map(|()| true),
        Err(AppendError::Conflict { expected: said, head }) => {
            same("the position of a conflict", &said, &expected)?;
            require(head.next > expected, || format!("a conflict with a head at {head}"))?;
            same("the head behind a conflict", &log.head(), &head).map(|()| false)
        }
        Err(other) => Err(Broken::new(other)),
    }
}

/// A writer that has not learnt of another's appends cannot append, learns, and then can.
fn overtaken(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut first = bed.open()?;
    let mut all = grow(first.as_mut(), 5, 2)?;
    let mut second = bed.open()?;
    let mut chain = first.chain();
    all.extend(grow(second.as_mut(), 40, 1)?);
    let blocks = cut(&mut chain, &commits(900, 3), 1)?;
    conflicts(first.append(5, &blocks), 45)?;
    holds(first.as_ref(), &all)?;
    all.extend(grow(first.as_mut(), 2, 2)?);
    holds(first.as_ref(), &all)?;
    let mut third = bed.open()?;
    all.extend(grow(third.as_mut(), 1, 1)?);
    holds(third.as_ref(), &all)
}

/// The writer died before it was told that its group is stored, and another one sends the very
/// same blocks: they are stored once.
fn sent_by_another(bed: &mut dyn Bed) -> Result<(), Broken> {
    let mut first = bed.open()?;
    let mut second = bed.open()?;
    let all = commits(0, 9);
    let blocks = cut(&mut first.chain(), &all, 2)?;
    first.append(0, &blocks)?;
    match second.append(0, &blocks) {
        Ok(head) => same("the head", &head, &first.head())?,
        refused => conflicts(refused, 9)?,
    }
    holds(second.as_ref(), &all)?;
    holds(bed.open()?.as_ref(), &all)
}

/// Two writers send long groups at once: the loser's blocks are not among the winner's.
fn torn(bed: &mut dyn Bed) -> Result<(), Broken> {
    for round in 0..6 {
        let mut logs = [bed.open()?, bed.open()?];
        let start = Barrier::new(logs.len());
        let results = std::thread::scope(|scope| {
            let mut running = Vec::new();
            for (rival, log) in (0..).zip(&mut logs) {
                let start = &start;
                running.push(scope.spawn(move || -> Result<bool, Broken> {
                    let mut chain = log.chain();
                    let expected = chain.next();
                    let own = commits(10_000 * (1 + rival) + 100 * round, 60);
                    let blocks = cut(&mut chain, &own, 1)?;
                    start.wait();
                    match log.append(expected, &blocks) {
                        Ok(head) => same("the head", &head, &chain.head()).map(|()| true),
                        Err(AppendError::Conflict { .. }) => Ok(false),
                        Err(other) => Err(Broken::new(other)),
                    }
                }));
            }
            let join = |rival: std::thread::ScopedJoinHandle<'_, _>| {
                rival.join().unwrap_or_else(|_| Err(Broken::new("a rival panicked")))
            };
            running.into_iter().map(join).collect::<Result<Vec<bool>, Broken>>()
        })?;
        let winners = results.iter().filter(|won| **won).count();
        same(&format!("the winners of round {round}"), &winners, &1)?;
        same("the commits", &bed.open()?.head().next, &(60 * (round + 1)))?;
    }
    let log = bed.open()?;
    same("the root", &log.head().root, &naive_root(&contents(log.as_ref())?))
}
