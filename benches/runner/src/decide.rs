//! Decisions in memory: the channel year through the aggregates alone, and through the bus's own
//! way of deciding, with nothing on a disk. Of the bus the processor time of the thread that decides
//! counts; the log, in memory too, is another thread's.

use crate::{
    Setup,
    aggregates::Year,
    ledger::Ledger,
    machine::used_by,
    measure::{Warmup, compare, figure, micros, side},
    year,
};
use anyhow::{Result, bail, ensure};
use chl_bus::{Answer, Opening, Prepared};
use chl_events::Commit;

/// The thread that decides.
const WRITER: &str = "chl-writer";
/// So many commands are sent at a time.
const PIECE: usize = 512;

/// The year through the bus, and what it left.
fn told(opening: &Opening, prepared: &[Prepared]) -> Result<(Vec<f64>, Vec<Commit>)> {
    let ledger = Ledger::in_memory(opening)?;
    let (client, mut accepted) = (ledger.client()?, 0);
    let pieces: Vec<Vec<Prepared>> = prepared.chunks(PIECE).map(<[_]>::to_vec).collect();
    let before = used_by(WRITER)?;
    for piece in pieces {
        let answers = client.submit_all(piece)?;
        if let Some(failed) = answers.iter().find(|one| matches!(one, Answer::Failed { .. })) {
            bail!("not decided: {failed:?}");
        }
        accepted += answers.iter().filter(|answer| answer.is_accepted()).count();
    }
    let used = used_by(WRITER)?.since(before);
    let sent = prepared.len();
    ensure!(accepted * 2 > sent, "only {accepted} of {sent} commands were accepted");
    Ok((vec![micros(used.cpu) / sent as f64], year::commits(&ledger)?))
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let lines = setup.year();
    let opening = year::opening(&lines)?;
    let prepared = year::prepared(&lines, &year::connection()?);
    let year = Year::of(told(&opening, &prepared)?.1)?;
    let figures = [figure("decide, no log (bar: under 2)", "µs/command", 2)];
    let mut sides = [
        side("chl: due, decision, evolution, policies", || {
            Ok(vec![micros(year.timed()?) / year.len() as f64])
        }),
        side("chl, the bus's thread: keys, sealing, states, encoding too", || {
            Ok(told(&opening, &prepared)?.0)
        }),
    ];
    compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)
}
