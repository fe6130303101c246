//! Commands from memory into the log on JetStream, against the same blocks published raw.

use super::stage::Stage;
use crate::{
    Setup,
    ledger::{Ledger, opening, operator},
    measure::{Warmup, compare, figure, rate, side},
    sales::{PARTNERS, beginning, sale, today},
};
use anyhow::{Context, Result, ensure};
use chl_bus::{Answer, Prepared, prepare};
use chl_events::Block;
use chl_log::EventLog;
use chl_nats_servers::Shape;
use std::{cell::RefCell, collections::VecDeque, sync::mpsc::Receiver, time::Instant};

/// How many commands a round has.
const COMMANDS: u64 = 60_000;
/// How many are handed over together, and how many such pieces are unanswered at most.
const PIECE: usize = 256;
const PIECES: usize = 16;

/// Sales that are ready to be decided.
fn sales() -> Result<Vec<Vec<Prepared>>> {
    let connection = operator()?;
    let (_, today) = today()?;
    let read = |index| {
        let line = sale("s", index, PARTNERS, &today);
        prepare(line.as_bytes(), &connection).map_err(|answer| anyhow::anyhow!("{answer:?}"))
    };
    let all = (0..COMMANDS).map(read).collect::<Result<Vec<_>>>()?;
    Ok(all.chunks(PIECE).map(<[_]>::to_vec).collect())
}

/// Decides them over a log on JetStream; the blocks they came to are left behind.
fn decided(stage: &Stage, left: &RefCell<Vec<Block>>) -> Result<Vec<f64>> {
    let options = stage.options();
    let (connection, opened) = (stage.connection.clone(), options.clone());
    let log = Box::new(move || {
        Ok(Box::new(chl_log_nats::NatsLog::open(&connection, &opened)?) as Box<dyn EventLog>)
    });
    let ledger = Ledger::over(log, &opening()?)?;
    ledger.accept(&beginning(PARTNERS)?)?;
    let (client, pieces, from) = (ledger.client()?, sales()?, ledger.log().head().next);
    let mut waiting: VecDeque<Receiver<Vec<Answer>>> = VecDeque::new();
    let mut accepted = 0;
    let mut answer = |waiting: &mut VecDeque<Receiver<Vec<Answer>>>| -> Result<()> {
        let answers = waiting.pop_front().context("something is waited for")?.recv()?;
        accepted += answers.iter().filter(|answer| answer.is_accepted()).count() as u64;
        Ok(())
    };
    let start = Instant::now();
    for piece in pieces {
        if waiting.len() == PIECES {
            answer(&mut waiting)?;
        }
        waiting.push_back(client.send(piece)?);
    }
    while !waiting.is_empty() {
        answer(&mut waiting)?;
    }
    let took = start.elapsed();
    ensure!(accepted == COMMANDS, "{accepted} of {COMMANDS} were accepted");
    *left.borrow_mut() = ledger.log().read(from)?.collect::<Result<_, _>>()?;
    ledger.close()?;
    Ok(vec![rate(COMMANDS, took)])
}

/// The same blocks through the log alone.
fn appended(stage: &Stage, blocks: &[Block]) -> Result<Vec<f64>> {
    let mut log = stage.open(&stage.options())?;
    let commits: Vec<Vec<u8>> =
        blocks.iter().flat_map(|block| block.commits().map(<[u8]>::to_vec)).collect();
    let pieces: Vec<&[Vec<u8>]> = commits.chunks(PIECE * PIECES / 2).collect();
    let start = Instant::now();
    let mut chain = log.chain();
    for piece in pieces {
        log.append_packed(&chain.pack_group(piece)?)?;
    }
    Ok(vec![rate(COMMANDS, start.elapsed())])
}

fn published(stage: &Stage, blocks: &[Block]) -> Result<Vec<f64>> {
    let name = stage.name();
    let took = stage.publish(&name, blocks)?;
    stage.remove(&name)?;
    Ok(vec![rate(COMMANDS, took)])
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    for (servers, shape) in [("one server", Shape::One), ("three servers", Shape::Three)] {
        let Some(stage) = Stage::set(shape)? else { return Ok(()) };
        let left = RefCell::new(Vec::new());
        // The blocks that the other sides send are those of a run before.
        decided(&stage, &left)?;
        let line =
            format!("sales from memory into JetStream, {servers}, synced (bar: ≥ 0.8 of raw)");
        let figures = [figure(line, "commands/s", 0)];
        let mut sides = [
            side("chl: decided, in the log, answered", || decided(&stage, &left)),
            side("raw: the same blocks, fenced, 16 on their way", || {
                published(&stage, &left.borrow())
            }),
            side("chl's log alone: the same commits packed and appended", || {
                appended(&stage, &left.borrow())
            }),
        ];
        compare(&figures, setup.args.rounds, Warmup::No, &mut sides)?;
    }
    Ok(())
}
