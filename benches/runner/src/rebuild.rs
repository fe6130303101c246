//! Rebuilding read models: folds alone against a bare fold, SQLite against prepared inserts of the
//! same rows, and both against the peer.

use crate::{
    Setup,
    bytes::sealed,
    large, machine,
    measure::{Warmup, compare, figure, rate, say, side},
    path::peer,
};
use anyhow::{Context, Result};
use chl_events::{Block, Commit, Event, Side as Entry, ledger::LedgerEvent};
use chl_log::{EventLog, ReadLog};
use chl_log_files::SealedFile;
use chl_log_sled::{Options, SledLog};
use chl_projections::{MemoryStore, fold};
use chl_runtime::Views;
use hashbrown::HashMap;
use rusqlite::{Connection, types::Value};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// All read models in memory, from the sealed files.
fn folds(files: &[PathBuf], log: &dyn ReadLog) -> Result<Vec<f64>> {
    let start = Instant::now();
    let (mut store, mut events) = (MemoryStore::default(), 0);
    for path in files {
        for block in Arc::new(SealedFile::open(path)?).all_blocks() {
            events += folded(&block?, log, &mut store)?;
        }
    }
    Ok(vec![rate(events, start.elapsed())])
}

/// Folds a block into all read models; says how many events it has.
pub fn folded(block: &Block, log: &dyn ReadLog, store: &mut MemoryStore) -> Result<u64> {
    let mut events = 0;
    for bytes in block.commits() {
        let commit = Commit::decode(bytes)?;
        events += commit.events.len() as u64;
        name_reversed(&commit, log, store)?;
        fold(&commit, None, store)?;
    }
    Ok(events)
}

/// A reversal names an earlier commit, which a fold must have at hand.
fn name_reversed(commit: &Commit, log: &dyn ReadLog, store: &mut MemoryStore) -> Result<()> {
    for recorded in &commit.events {
        if let Event::Ledger(LedgerEvent::EntryReversed(reversal)) = &recorded.event {
            let bytes =
                log.commit_at(reversal.position)?.context("the log has what is reversed")?;
            store.commits.push(Commit::decode(&bytes)?);
        }
    }
    Ok(())
}

/// The least that can be called a rebuild: decode, and sum debits and credits by account.
fn bare_fold(blocks: &[Block]) -> Result<Vec<f64>> {
    let start = Instant::now();
    let (mut sums, mut events) = (HashMap::new(), 0);
    for block in blocks {
        for bytes in block.commits() {
            let commit = Commit::decode(bytes)?;
            events += commit.events.len() as u64;
            for line in commit.events.into_iter().flat_map(|recorded| recorded.lines) {
                let key = (line.fund, line.partner, line.lot, line.account, line.amount.currency());
                let minor = line.amount.minor();
                *sums.entry(key).or_insert(0_i128) +=
                    if line.side == Entry::Debit { minor } else { -minor };
            }
        }
    }
    let took = start.elapsed();
    anyhow::ensure!(sums.values().sum::<i128>() == 0, "debits are not credits");
    Ok(vec![rate(events, took)])
}

/// The rows of every table, and the statements that make them.
struct Tables {
    create: Vec<String>,
    indices: Vec<String>,
    /// With the number of columns.
    rows: Vec<(String, usize, Vec<Vec<Value>>)>,
}

impl Tables {
    fn read(path: &Path) -> Result<Self> {
        let db = Connection::open(path)?;
        let texts = |sql: &str| -> Result<Vec<String>> {
            let mut statement = db.prepare(sql)?;
            let texts = statement.query_map([], |row| row.get(0))?;
            Ok(texts.collect::<Result<_, _>>()?)
        };
        let of = |kind: &str| {
            texts(&format!("SELECT sql FROM sqlite_schema WHERE type='{kind}' AND sql NOT NULL"))
        };
        let mut rows = Vec::new();
        for name in texts("SELECT name FROM sqlite_schema WHERE type='table'")? {
            let mut statement = db.prepare(&format!("SELECT * FROM {name}"))?;
            let columns = statement.column_count();
            let read = statement.query_map([], |row| {
                (0..columns).map(|column| row.get(column)).collect::<rusqlite::Result<Vec<Value>>>()
            })?;
            rows.push((name, columns, read.collect::<Result<_, _>>()?));
        }
        Ok(Self { create: of("table")?, indices: of("index")?, rows })
    }

    /// Writes them into a new file as plainly as can be: one transaction, prepared inserts, and
    /// indices at the end, with as much durability as a rebuild has.
    fn write(&self, path: &Path) -> Result<()> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "OFF")?;
        db.pragma_update(None, "synchronous", "OFF")?;
        db.pragma_update(None, "cache_size", -32_768)?;
        db.execute_batch("BEGIN IMMEDIATE")?;
        for sql in &self.create {
            db.execute_batch(sql)?;
        }
        for (name, columns, rows) in &self.rows {
            let places = vec!["?"; *columns].join(",");
            let mut insert = db.prepare(&format!("INSERT INTO {name} VALUES ({places})"))?;
            for row in rows {
                insert.execute(rusqlite::params_from_iter(row))?;
            }
        }
        db.execute_batch("COMMIT")?;
        for sql in &self.indices {
            db.execute_batch(sql)?;
        }
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.close().map_err(|(_, error)| error)?;
        Ok(std::fs::File::open(path)?.sync_all()?)
    }
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let large = large::ledger(setup, setup.args.events)?;
    let log = SledLog::open(&large.dir.join("log"), Options::default())?;
    folds_line(setup, &large.dir, log.reader().as_ref())?;
    sqlite_line(setup, log.reader())?;
    drop(log);
    Ok(())
}

fn folds_line(setup: &Setup, ledger: &Path, log: &dyn ReadLog) -> Result<()> {
    let files = sealed(ledger)?;
    anyhow::ensure!(!files.is_empty(), "nothing is sealed yet: ask for more --events");
    let mut blocks = Vec::new();
    for path in &files {
        blocks
            .extend(Arc::new(SealedFile::open(path)?).all_blocks().collect::<Result<Vec<_>, _>>()?);
    }
    let cold = || {
        machine::evict(&ledger.join("log/sealed"))?;
        folds(&files, log)
    };
    let figures = [figure("rebuild, folds alone (bar: ≥ 0.5 of the bare fold)", "events/s", 0)];
    let mut sides = [
        side("chl: sealed files, page cache dropped; every read model, one thread", cold),
        side("bare: decode and balances, the same bytes in memory", || bare_fold(&blocks)),
        side("chl: the same files, warm", || folds(&files, log)),
    ];
    compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)
}

fn sqlite_line(setup: &Setup, log: Arc<dyn ReadLog>) -> Result<()> {
    let dir = tempfile::tempdir_in(&setup.dir)?;
    let link = dir.path().join("views.sqlite");
    let mut events = 0;
    for block in log.read(0)? {
        for bytes in block?.commits() {
            events += Commit::decode(bytes)?.events.len() as u64;
        }
    }
    drop(Views::build(&link, Arc::clone(&log), &mut |_, _| {})?);
    let tables = Tables::read(&link)?;
    let rows: usize = tables.rows.iter().map(|(.., rows)| rows.len()).sum();
    say(format!("{events} events make {rows} rows"));
    let build = || {
        let start = Instant::now();
        drop(Views::build(&link, Arc::clone(&log), &mut |_, _| {})?);
        Ok(vec![rate(events, start.elapsed())])
    };
    let insert = || {
        let path = dir.path().join("plain.sqlite");
        let start = Instant::now();
        tables.write(&path)?;
        let took = start.elapsed();
        std::fs::remove_file(path)?;
        Ok(vec![rate(events, took)])
    };
    let mut sides = vec![
        side("chl: decode, fold, SQLite", build),
        side("prepared inserts of the same rows", insert),
    ];
    let mut bars = "bar: ≥ 0.5 of inserts".to_owned();
    if setup.args.peer.is_some() {
        peer(setup, &["1500", "32"])?;
        sides.push(side("cqrs-es rebuilding its view in PostgreSQL", || {
            Ok(vec![peer(setup, &["rebuild"])?])
        }));
        bars.push_str(", ≥ 50 of the peer");
    }
    let figures = [figure(format!("rebuild into SQLite ({bars})"), "events/s", 0)];
    compare(&figures, setup.args.rounds, Warmup::No, &mut sides)
}
