//! What can be asked of the benchmark.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Channel Ledger against its peers and limits: both sides in one run, durability equal.
///
/// Prints rows of a table in Markdown; what is being done is said on standard error.
#[derive(Debug, Parser)]
pub struct Args {
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    pub line: Line,
    /// How often each side is measured; never less than five times.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// The disk to measure on.
    #[arg(long, env = "BENCH_DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Where large ledgers are kept from line to line and run to run; without it they are removed
    /// at the end.
    #[arg(long, env = "BENCH_KEEP")]
    pub keep: Option<PathBuf>,
    /// How many events large ledgers have: measured at this and at a tenth of it (append: at a
    /// hundredth).
    #[arg(long, default_value_t = 1_000_000)]
    pub events: u64,
    /// How many commands the channel year has, about.
    #[arg(long, default_value_t = 50_000)]
    pub commands: u64,
    /// How many partners the channel year has.
    #[arg(long, default_value_t = 200)]
    pub partners: usize,
    /// Which year.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// First checks every answer of the channel year against the naive model (line `year`).
    #[arg(long)]
    pub validate: bool,
    /// The program.
    #[arg(long, env = "CHL", default_value = "../../target/release/chl")]
    pub chl: PathBuf,
    /// The peer's program; without it the peer is left out.
    #[arg(long, env = "PEER")]
    pub peer: Option<PathBuf>,
    /// The peer's database.
    #[arg(long, env = "PEER_URL", default_value = "postgresql://postgres@127.0.0.1:5432/postgres")]
    pub peer_url: String,
}

/// A line of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Line {
    /// Decisions in memory, no log.
    Decide,
    /// The log alone, against bare sled and a raw file.
    Append,
    /// The log alone, against other embedded event stores.
    Peers,
    /// One durable command on an idle machine, against one block of bare sled.
    Latency,
    /// JSON in, durable, answered, folded: sales against cqrs-es on PostgreSQL.
    Path,
    /// The same way for the channel year in all its variety.
    Year,
    /// Folds and SQLite from sealed files, against bare folds, prepared inserts and the peer.
    Rebuild,
    /// Bytes on disk.
    Bytes,
    /// Appends to a large log, against a small one.
    Growth,
    /// What the threads of a large ledger use, against those of a small one.
    Threads,
    /// Opening after a kill, large against small.
    Open,
    /// Memory while a large ledger is written and rebuilt.
    Memory,
    /// Verifying a log against the tree alone, the tree while appending, and proofs.
    Auditors,
    /// Commands from memory into the log on JetStream, against the same blocks published raw; one
    /// server and three.
    NatsAppend,
    /// Commands over the bus, against an echo service.
    NatsBus,
    /// Folds and read models from JetStream, against fetching the same messages.
    NatsRead,
    /// Every line.
    All,
}
