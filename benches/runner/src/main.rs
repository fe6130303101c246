//! Channel Ledger against its peers and limits: both sides in one run, durability equal.

mod aggregates;
mod append;
mod args;
mod auditors;
mod bytes;
mod decide;
#[expect(dead_code, reason = "the program uses the rest")]
#[path = "../../../bin/chl/demo/mod.rs"]
mod demo;
mod growth;
mod large;
mod latency;
mod ledger;
mod machine;
mod measure;
mod memory;
#[expect(dead_code, reason = "the tests of the whole system use the rest")]
#[path = "../../../tests/model/mod.rs"]
mod model;
mod nats;
mod open;
mod path;
mod peers;
mod rebuild;
mod sales;
mod session;
mod validate;
mod year;

use anyhow::Result;
use args::{Args, Line};
use clap::Parser;
use std::path::PathBuf;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What every line is given.
pub struct Setup {
    /// What was asked.
    pub args: Args,
    /// A folder on the disk to measure on, removed at the end.
    pub dir: PathBuf,
    /// Where large ledgers are kept.
    pub keep: PathBuf,
}

impl Setup {
    /// The lines of the channel year that was asked for.
    fn year(&self) -> Vec<String> {
        year::lines(self.args.seed, self.args.partners, self.args.commands)
    }
}

/// The lines in the order of the table; those that make large ledgers larger at the end.
const LINES: &[(Line, fn(&Setup) -> Result<()>)] = &[
    (Line::Decide, decide::run),
    (Line::Append, append::run),
    (Line::Peers, peers::run),
    (Line::Latency, latency::run),
    (Line::Path, path::run),
    (Line::Year, path::year),
    (Line::Memory, memory::run),
    (Line::Rebuild, rebuild::run),
    (Line::Bytes, bytes::run),
    (Line::Growth, growth::run),
    (Line::Open, open::run),
    (Line::Auditors, auditors::run),
    (Line::NatsAppend, nats::append),
    (Line::NatsBus, nats::bus),
    (Line::NatsRead, nats::read),
    (Line::Threads, growth::threads),
];

fn main() -> Result<()> {
    let args = Args::parse();
    let scratch = tempfile::tempdir_in(&args.dir)?;
    let dir = scratch.path().to_owned();
    let keep = args.keep.clone().unwrap_or_else(|| dir.join("large"));
    std::fs::create_dir_all(&keep)?;
    let setup = Setup { args, dir, keep };
    measure::head();
    for (line, run) in LINES {
        if setup.args.line == Line::All || setup.args.line == *line {
            run(&setup)?;
        }
    }
    Ok(())
}
