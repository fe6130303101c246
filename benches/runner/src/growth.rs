//! Appending to a large log against a small one: processor time and bytes written by command.
//!
//! What has the bar is what every command costs for ever: log, witness and keys. Measured on the log
//! and the index of keys themselves, over whole cycles of sealing, since a cut through one would
//! count for more than the difference. States, views and merging follow apart, thread by thread,
//! with the whole ledger at work.

use crate::{
    Setup,
    append::commits,
    large::{self, Large, PARTNERS},
    ledger::{LEDGER, Ledger, opening, operator},
    machine::{Used, Watch, used},
    measure::{Figure, Warmup, compare, figure, micros, say, side},
    sales::{sale, today},
};
use anyhow::{Result, bail};
use chl_bus::{KeyKind, prepare};
use chl_log::EventLog;
use chl_log_files::{KeyEntry, KeyIndex};
use chl_log_sled::{Options, SledLog, Step};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// The small log has a hundredth of the large one's events.
const TIMES: u64 = 100;
/// So many commands are made durable together.
const GROUP: usize = 256;
/// So many while a log is grown, which is not measured.
const GROWING: usize = 4096;
/// Over so many cycles of sealing is measured.
const CYCLES: u64 = 4;
/// A command brings two keys: its own, and that of a row it makes.
const KINDS: [KeyKind; 2] = [KeyKind::Command, KeyKind::Row];
/// So many sales are sent through the whole ledger.
const SALES: u64 = 100_000;

/// A log and its keys.
struct Grown {
    log: SledLog,
    keys: KeyIndex,
    pool: Vec<Vec<u8>>,
    /// How many heads were sealed and removed, and after how many of them keys were written down.
    removed: Arc<AtomicU64>,
    noticed: u64,
    merging: Used,
    _dir: tempfile::TempDir,
}

impl Grown {
    fn new(setup: &Setup, events: u64) -> Result<Self> {
        let dir = tempfile::tempdir_in(&setup.dir)?;
        let removed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&removed);
        let observer: chl_log_sled::Observer = Arc::new(move |step| {
            if step == Step::HeadRemoved {
                counted.fetch_add(1, Ordering::AcqRel);
            }
        });
        let options = Options { observer: Some(observer), ..Options::create(LEDGER) };
        let mut grown = Self {
            log: SledLog::open(&dir.path().join("log"), options)?,
            keys: KeyIndex::open(&dir.path().join("keys"), LEDGER)?,
            pool: commits(GROWING),
            removed,
            noticed: 0,
            merging: Used::default(),
            _dir: dir,
        };
        while grown.log.head().next < events {
            grown.group(GROWING)?;
        }
        Ok(grown)
    }

    /// Appends a group, whose keys must all be new; writes keys down once a head is sealed.
    fn group(&mut self, size: usize) -> Result<()> {
        let first = self.log.head().next;
        let key = |index: usize| format!("/bench\0{:x}-{}", index % 16, first + index as u64);
        let keys = || KINDS.into_iter().flat_map(|kind| (0..size).map(move |at| (kind, at)));
        for (kind, index) in keys() {
            if self.keys.get(kind as u8, key(index).as_bytes())?.is_some() {
                bail!("a new key is there already");
            }
        }
        let packed = self.log.chain().pack_group(&self.pool[..size])?;
        let head = self.log.append_packed(&packed)?;
        for (kind, index) in keys() {
            let entry = KeyEntry { position: first + index as u64, value: Vec::new() };
            self.keys.put(kind as u8, key(index).as_bytes(), entry)?;
        }
        let removed = self.removed.load(Ordering::Acquire);
        if removed > self.noticed {
            self.noticed = removed;
            self.keys.advance(head.next);
            self.keys.seal(head.next)?;
            let before = used()?;
            self.keys.merge()?;
            self.merging.add(used()?.since(before));
        }
        Ok(())
    }

    /// Appends until so many more heads are sealed.
    fn cycles(&mut self, count: u64) -> Result<()> {
        let until = self.noticed + count;
        while self.noticed < until {
            self.group(GROUP)?;
        }
        Ok(())
    }

    /// What a command costs, over whole cycles.
    fn measured(&mut self) -> Result<Vec<f64>> {
        self.cycles(1)?;
        self.merging = Used::default();
        let (first, before) = (self.log.head().next, used()?);
        self.cycles(CYCLES)?;
        let all = used()?.since(before);
        let commands = (self.log.head().next - first) as f64;
        let own = all.since(self.merging);
        Ok([own, self.merging].iter().flat_map(|used| by_command(*used, commands)).collect())
    }
}

fn by_command(used: Used, commands: f64) -> [f64; 2] {
    [micros(used.cpu) / commands, used.written as f64 / commands]
}

fn figures(line: &str) -> [Figure; 2] {
    [
        figure(format!("{line}: processor"), "µs/command", 2),
        figure(format!("{line}: written"), "bytes/command", 0),
    ]
}

/// The threads of a ledger, by how their names begin, and what they do.
const THREADS: [(&[&str], &str); 6] = [
    (&["chl-writer"], "decisions, keys"),
    (&["chl-committer", "sled-io"], "log and witness"),
    (&["log-keeper"], "sealing"),
    (&["keys"], "merging keys"),
    (&["chl-flusher"], "states"),
    (&["views"], "read models"),
];

/// Sends sales through a whole ledger, from its opening to its close, and says what each of its
/// threads used by command.
fn whole(large: &Large, runs: &AtomicU64) -> Result<Vec<f64>> {
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
    let run = format!("g{began}-{}", runs.fetch_add(1, Ordering::Relaxed));
    let (_, today) = today()?;
    let connection = operator()?;
    let ledger = Ledger::open(&large.dir, &opening()?)?;
    let client = ledger.client()?;
    let watch = Watch::start()?;
    for first in (0..SALES).step_by(GROUP) {
        let sales = (first..(first + GROUP as u64).min(SALES)).map(|index| {
            let line = sale(&run, index, PARTNERS, &today);
            prepare(line.as_bytes(), &connection).map_err(|answer| anyhow::anyhow!("{answer:?}"))
        });
        let answers = client.submit_all(sales.collect::<Result<_>>()?)?;
        if let Some(refused) = answers.iter().find(|answer| !answer.is_accepted()) {
            bail!("not accepted: {refused:?}");
        }
    }
    ledger.close()?;
    let used = watch.stop()?;
    let of = |names: &[&str]| {
        let mine = |name: &str| names.iter().any(|begins| name.starts_with(begins));
        let mut sum = Used::default();
        for (_, used) in used.iter().filter(|(name, _)| mine(name)) {
            sum.add(*used);
        }
        sum
    };
    Ok(THREADS.iter().flat_map(|(names, _)| by_command(of(names), SALES as f64)).collect())
}

/// The line of log, witness and keys.
pub fn run(setup: &Setup) -> Result<()> {
    let (many, few) = (setup.args.events, setup.args.events / TIMES);
    say(format!("growing a log to {many} commits"));
    let mut grown = Grown::new(setup, many)?;
    let bar = "append: log, witness, keys (bar: ≤ 1.1)";
    let all: Vec<Figure> =
        [figures(bar), figures("append: merging keys")].into_iter().flatten().collect();
    let mut sides = [
        side(format!("at {many} events"), || grown.measured()),
        side(format!("at {few} events"), || Grown::new(setup, few)?.measured()),
    ];
    compare(&all, setup.args.rounds, Warmup::No, &mut sides)
}

/// The line of everything else, thread by thread.
pub fn threads(setup: &Setup) -> Result<()> {
    let many = setup.args.events;
    let (large, small) = (large::ledger(setup, many)?, large::ledger(setup, many / 10)?);
    let all: Vec<Figure> = THREADS
        .iter()
        .flat_map(|(_, what)| figures(&format!("whole ledger, thread by thread: {what}")))
        .collect();
    let runs = AtomicU64::new(0);
    let mut sides = [
        side(format!("at {many} events"), || whole(&large, &runs)),
        side(format!("at {} events", many / 10), || whole(&small, &runs)),
    ];
    compare(&all, setup.args.rounds, Warmup::No, &mut sides)
}
