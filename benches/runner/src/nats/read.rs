//! A history on JetStream: fetched raw, read, folded, and made into read models.

use super::stage::Stage;
use crate::{
    Setup, large,
    measure::{Warmup, compare, figure, rate, say, side},
    rebuild::folded,
};
use anyhow::{Result, ensure};
use chl_events::Block;
use chl_log::{EventLog, ReadLog};
use chl_log_sled::{Options, SledLog};
use chl_nats_servers::Shape;
use chl_projections::MemoryStore;
use chl_runtime::Views;
use std::{sync::Arc, time::Instant};

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let Some(stage) = Stage::set(Shape::One)? else { return Ok(()) };
    let large = large::ledger(setup, setup.args.events)?;
    let embedded = SledLog::open(&large.dir.join("log"), Options::default())?;
    let blocks: Vec<Block> = embedded.reader().read(0)?.collect::<Result<_, _>>()?;
    let mut options = stage.options();
    options.create = Some(embedded.head().ledger);
    let mut log = stage.open(&options)?;
    for piece in blocks.chunks(64) {
        log.append(log.head().next, piece)?;
    }
    let (messages, reader) = (blocks.len(), log.reader());
    let mut events = 0;
    let mut store = MemoryStore::default();
    for block in &blocks {
        events += folded(block, reader.as_ref(), &mut store)?;
    }
    drop(store);
    say(format!("{events} events in {messages} messages"));
    let raw = || Ok(vec![rate(events, stage.fetch(&options.stream, messages)?)]);
    let read = || {
        let start = Instant::now();
        let mut count = 0;
        for block in reader.read(0)? {
            count += usize::from(block.is_ok());
        }
        ensure!(count == messages, "{count} of {messages} blocks");
        Ok(vec![rate(events, start.elapsed())])
    };
    let fold = || {
        let start = Instant::now();
        let mut store = MemoryStore::default();
        for block in reader.read(0)? {
            folded(&block?, reader.as_ref(), &mut store)?;
        }
        Ok(vec![rate(events, start.elapsed())])
    };
    let from_memory = || {
        let start = Instant::now();
        let mut store = MemoryStore::default();
        for block in &blocks {
            folded(block, reader.as_ref(), &mut store)?;
        }
        Ok(vec![rate(events, start.elapsed())])
    };
    let fetched = "raw: the same messages fetched";
    let line = "read from JetStream (bar: ≥ 0.9 of a raw fetch)";
    let mut sides = [side("chl: each block checked", read), side(fetched, raw)];
    compare(&[figure(line, "events/s", 0)], setup.args.rounds, Warmup::Yes, &mut sides)?;
    let line = "fold from JetStream (bar: ≥ 0.9 of a raw fetch)";
    let mut sides = [
        side("chl: every read model, one thread", fold),
        side(fetched, raw),
        side("chl: the same from memory", from_memory),
    ];
    compare(&[figure(line, "events/s", 0)], setup.args.rounds, Warmup::Yes, &mut sides)?;
    views(setup, events, &reader, &embedded.reader())
}

/// Into SQLite: from JetStream, and from the files of an embedded ledger.
fn views(
    setup: &Setup,
    events: u64,
    streamed: &Arc<dyn ReadLog>,
    embedded: &Arc<dyn ReadLog>,
) -> Result<()> {
    let dir = tempfile::tempdir_in(&setup.dir)?;
    let build = |log: &Arc<dyn ReadLog>| {
        let start = Instant::now();
        drop(Views::build(&dir.path().join("views.sqlite"), Arc::clone(log), &mut |_, _| {})?);
        Ok(vec![rate(events, start.elapsed())])
    };
    let mut sides = [
        side("chl: from JetStream", || build(streamed)),
        side("chl: from its own files", || build(embedded)),
    ];
    let line = format!("replay of {events} events into all read models, SQLite");
    compare(&[figure(line, "events/s", 0)], setup.args.rounds, Warmup::No, &mut sides)
}
