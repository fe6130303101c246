//! One durable command at a time: a command through the bus, and one block of bare sled.

use crate::{
    Setup,
    append::BareSled,
    ledger::{Ledger, opening, operator},
    measure::{Warmup, compare, figure, percentile, side},
    sales::{PARTNERS, beginning, sale, today},
};
use anyhow::{Result, bail};
use chl_bus::prepare;
use chl_events::Block;
use std::time::{Duration, Instant};

/// How many commands are timed in a round.
const COMMANDS: u64 = 500;
/// The machine is idle between two of them.
const PAUSE: Duration = Duration::from_millis(2);

/// Times one thing after the other, each on an idle machine or at once behind the one before.
fn each(pause: Duration, mut one: impl FnMut(u64) -> Result<()>) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for index in 0..COMMANDS {
        std::thread::sleep(pause);
        let start = Instant::now();
        one(index)?;
        took.push(start.elapsed());
    }
    took.sort();
    Ok(vec![percentile(&took, 50), percentile(&took, 99)])
}

fn ours(setup: &Setup, pause: Duration) -> Result<Vec<f64>> {
    let dir = tempfile::tempdir_in(&setup.dir)?;
    let ledger = Ledger::open(dir.path(), &opening()?)?;
    ledger.accept(&beginning(PARTNERS)?)?;
    let (client, connection, (_, today)) = (ledger.client()?, operator()?, today()?);
    let lines: Vec<String> =
        (0..COMMANDS).map(|index| sale("s", index, PARTNERS, &today)).collect();
    let took = each(pause, |index| {
        let read = prepare(lines[index as usize].as_bytes(), &connection);
        let command = read.map_err(|answer| anyhow::anyhow!("{answer:?}"))?;
        match client.submit_all(vec![command])?.first() {
            Some(answer) if answer.is_accepted() => Ok(()),
            other => bail!("not accepted: {other:?}"),
        }
    })?;
    ledger.close()?;
    Ok(took)
}

/// Blocks of one sale each, as the ledger makes them.
fn blocks(setup: &Setup) -> Result<Vec<Block>> {
    let dir = tempfile::tempdir_in(&setup.dir)?;
    let ledger = Ledger::open(dir.path(), &opening()?)?;
    ledger.accept(&beginning(PARTNERS)?)?;
    let (_, today) = today()?;
    let from = ledger.log().head().next;
    for index in 0..COMMANDS {
        ledger.accept(&[sale("s", index, PARTNERS, &today)])?;
    }
    let blocks = ledger.log().read(from)?.collect::<Result<_, _>>()?;
    ledger.close()?;
    Ok(blocks)
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let blocks = blocks(setup)?;
    let theirs = |pause| {
        let sled = BareSled::open(&setup.dir)?;
        each(pause, |index| sled.write(&blocks[index as usize..=index as usize]))
    };
    for (what, pause) in [("idle machine", PAUSE), ("at once behind the last", Duration::ZERO)] {
        let bar = if pause.is_zero() { "" } else { " (bar: ≤ 1.5)" };
        let figures = ["p50", "p99"]
            .map(|percent| figure(format!("one durable command, {what}, {percent}{bar}"), "µs", 0));
        let mut sides = [
            side("chl: read, decided, durable, answered", || ours(setup, pause)),
            side("bare sled: one block, flush, fdatasync", || theirs(pause)),
        ];
        compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)?;
    }
    Ok(())
}
