//! The log alone: our appends against the same blocks into bare sled and into a raw file.

use crate::{
    Setup,
    ledger::LEDGER,
    measure::{Warmup, compare, figure, rate, side},
};
use anyhow::Result;
use chl_events::Block;
use chl_log::{Chain, EventLog};
use chl_log_sled::{Options, SledLog};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    time::Instant,
};

/// The bytes of a commit.
pub const BYTES: usize = 171;
/// So many commits in a group, and so many in a round.
pub const GROUPS: [(usize, usize); 3] = [(1, 400), (64, 40_000), (1024, 400_000)];

/// Commits of a realistic size that all differ.
pub fn commits(count: usize) -> Vec<Vec<u8>> {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 56) as u8
    };
    (0..count).map(|_| (0..BYTES).map(|_| next()).collect()).collect()
}

fn groups(commits: &[Vec<u8>], size: usize) -> Result<Vec<Vec<Block>>> {
    let mut chain = Chain::new(LEDGER);
    commits.chunks(size).map(|group| Ok(chain.pack(group)?)).collect()
}

/// Our log, which packs, hashes, chains and seals within the timed part.
pub fn ours(dir: &Path, commits: &[Vec<u8>], size: usize) -> Result<Vec<f64>> {
    let dir = tempfile::tempdir_in(dir)?;
    let mut log = SledLog::open(dir.path(), Options::create(LEDGER))?;
    let start = Instant::now();
    let mut chain = log.chain();
    for group in commits.chunks(size) {
        log.append_packed(&chain.pack_group(group)?)?;
    }
    Ok(vec![rate(commits.len() as u64, start.elapsed())])
}

/// sled as the log has it, and nothing around it.
pub struct BareSled {
    db: sled::Db,
    file: File,
    _dir: tempfile::TempDir,
}

impl BareSled {
    /// An empty one in a folder of its own.
    pub fn open(dir: &Path) -> Result<Self> {
        let dir = tempfile::tempdir_in(dir)?;
        let config = sled::Config::new().path(dir.path()).segment_size(16 << 20);
        let db = config.flush_every_ms(None).mode(sled::Mode::HighThroughput).open()?;
        let file = OpenOptions::new().read(true).write(true).open(dir.path().join("db"))?;
        Ok(Self { db, file, _dir: dir })
    }

    /// Makes blocks durable.
    pub fn write(&self, blocks: &[Block]) -> Result<()> {
        for block in blocks {
            self.db.insert(block.first().to_be_bytes(), block.bytes())?;
        }
        self.db.flush()?;
        Ok(self.file.sync_data()?)
    }
}

fn bare_sled(dir: &Path, groups: &[Vec<Block>], units: usize) -> Result<Vec<f64>> {
    let sled = BareSled::open(dir)?;
    let start = Instant::now();
    for group in groups {
        sled.write(group)?;
    }
    Ok(vec![rate(units as u64, start.elapsed())])
}

fn raw_file(dir: &Path, groups: &[Vec<Block>], units: usize) -> Result<Vec<f64>> {
    let dir = tempfile::tempdir_in(dir)?;
    let mut file = File::create(dir.path().join("raw"))?;
    let start = Instant::now();
    for group in groups {
        for block in group {
            file.write_all(block.bytes())?;
        }
        file.sync_data()?;
    }
    Ok(vec![rate(units as u64, start.elapsed())])
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let dir = setup.dir.as_path();
    for ((size, count), bar) in GROUPS.into_iter().zip(["0.9", "0.9", "0.8"]) {
        let commits = commits(count);
        let groups = groups(&commits, size)?;
        let figures = [figure(
            format!("append, groups of {size} (bar: ≥ {bar} of bare sled)"),
            "commits/s",
            0,
        )];
        let mut sides = [
            side("chl log on sled", || ours(dir, &commits, size)),
            side("bare sled: insert, flush, fdatasync", || bare_sled(dir, &groups, count)),
            side("raw file: write, fdatasync", || raw_file(dir, &groups, count)),
        ];
        compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)?;
    }
    Ok(())
}
