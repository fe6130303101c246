//! Opening after a kill: a large ledger against one of a tenth its size.

use crate::{
    Setup,
    large::{self, Large, PARTNERS},
    ledger::{Ledger, opening},
    machine,
    measure::{Warmup, compare, figure, side},
    sales::{sale, today},
    session::Session,
};
use anyhow::Result;
use std::{
    ops::Range,
    sync::atomic::{AtomicU64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// What is answered before the kill, and what is on its way when it comes.
const ANSWERED: u64 = 20_000;
const UNANSWERED: u64 = 500;
/// Between one kill and the next a third of a head is written: what has to be verified is anything
/// from nothing to a whole head, so that only three openings together can be compared.
const OPENINGS: u32 = 3;
const WINDOW: usize = 256;

/// The mean opening with a warm page cache, and without one.
fn opened(setup: &Setup, large: &Large, runs: &AtomicU64) -> Result<Vec<f64>> {
    let mean = |cold| {
        let took = (0..OPENINGS).map(|_| once(setup, large, runs, cold));
        Ok(took.sum::<Result<f64>>()? / f64::from(OPENINGS))
    };
    [false, true].into_iter().map(mean).collect()
}

/// Kills the program under load and times the next opening until its first answer.
fn once(setup: &Setup, large: &Large, runs: &AtomicU64, cold: bool) -> Result<f64> {
    let (_, today) = today()?;
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let run = format!("o{began}-{}", runs.fetch_add(1, Ordering::Relaxed));
    let sales = |range: Range<u64>| {
        range.map(|index| sale(&run, index, PARTNERS, &today)).collect::<Vec<_>>()
    };
    let mut session = Session::start(&setup.args.chl, &large.data)?;
    session.exchange(sales(0..ANSWERED), WINDOW)?;
    session.kill_under(sales(ANSWERED..ANSWERED + UNANSWERED))?;
    if cold {
        machine::evict(&large.dir)?;
    }
    let start = Instant::now();
    let ledger = Ledger::open(&large.dir, &opening()?)?;
    ledger.accept(&sales(ANSWERED + UNANSWERED..ANSWERED + UNANSWERED + 1))?;
    let took = start.elapsed().as_secs_f64();
    ledger.close()?;
    Ok(took)
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let (many, few) = (setup.args.events, setup.args.events / 10);
    let (large, small) = (large::ledger(setup, many)?, large::ledger(setup, few)?);
    let figures = ["page cache warm", "page cache dropped"].map(|how| {
        figure(format!("open after a kill, until the first answer, {how} (bar: ≤ 1.2)"), "s", 3)
    });
    let runs = AtomicU64::new(0);
    let mut sides = [
        side(format!("{many} events"), || opened(setup, &large, &runs)),
        side(format!("{few} events"), || opened(setup, &small, &runs)),
    ];
    compare(&figures, setup.args.rounds, Warmup::No, &mut sides)
}
