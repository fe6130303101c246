//! The log alone: our appends against bare sled, a raw file, and an embedded event store.

use crate::measure::{Work, compare, side};
use anyhow::{Context, Result};
use chl_events::{Block, LedgerId};
use chl_log::{Chain, EventLog};
use chl_log_sled::{Options, SledLog};
use std::{io::Write, path::Path, time::Instant};

const LEDGER: LedgerId = LedgerId([7; 16]);
const BYTES: usize = 171;

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

fn ours(dir: &Path, commits: &[Vec<u8>], size: usize) -> Result<Work> {
    let dir = tempfile::tempdir_in(dir)?;
    let mut log = SledLog::open(dir.path(), Options::create(LEDGER))?;
    let start = Instant::now();
    let mut chain = log.chain();
    for group in commits.chunks(size) {
        log.append_packed(&chain.pack_group(group)?)?;
    }
    Ok(Work { units: commits.len() as u64, took: start.elapsed() })
}

fn bare_sled(dir: &Path, groups: &[Vec<Block>], units: usize) -> Result<Work> {
    let dir = tempfile::tempdir_in(dir)?;
    let config = sled::Config::new().path(dir.path()).segment_size(16 << 20);
    let db = config.flush_every_ms(None).mode(sled::Mode::HighThroughput).open()?;
    let file = std::fs::OpenOptions::new().read(true).write(true).open(dir.path().join("db"))?;
    let start = Instant::now();
    for group in groups {
        for block in group {
            db.insert(block.first().to_be_bytes(), block.bytes())?;
        }
        db.flush()?;
        file.sync_data()?;
    }
    Ok(Work { units: units as u64, took: start.elapsed() })
}

fn raw_file(dir: &Path, groups: &[Vec<Block>], units: usize) -> Result<Work> {
    let dir = tempfile::tempdir_in(dir)?;
    let mut file = std::fs::File::create(dir.path().join("raw"))?;
    let start = Instant::now();
    for group in groups {
        for block in group {
            file.write_all(block.bytes())?;
        }
        file.sync_data()?;
    }
    Ok(Work { units: units as u64, took: start.elapsed() })
}

/// Guarded appends: each event must be the first of its tag.
fn tephra(dir: &Path, commits: &[Vec<u8>], size: usize) -> Result<Work> {
    use tephra::{
        AppendCondition, Event, EventType, Query, QueryItem, SegmentConfig, SegmentSet, Tag, Tags,
        WriteCoordinator, WriterConfig,
    };
    let dir = tempfile::tempdir_in(dir)?;
    let set = SegmentSet::open(dir.path(), SegmentConfig::new(1 << 28))?;
    let (coordinator, handle) = WriteCoordinator::start(set, WriterConfig::default())?;
    let kind = EventType::new("Commit")?;
    let start = Instant::now();
    for (at, group) in commits.chunks(size).enumerate() {
        let tag = |index: usize| Ok::<_, anyhow::Error>(Tags::new([Tag::new(format!("c:{at}-{index}"))?])?);
        let mut events = Vec::with_capacity(size);
        let mut items = Vec::with_capacity(size);
        for (index, commit) in group.iter().enumerate() {
            events.push(Event::new(&kind, &tag(index)?, commit)?);
            items.push(QueryItem::with_tags(tag(index)?));
        }
        let guard = items.into_iter().next().context("a group is not empty")?;
        handle.append(events, Some(AppendCondition::new(Query::item(guard))))?;
    }
    let took = start.elapsed();
    coordinator.shutdown();
    Ok(Work { units: commits.len() as u64, took })
}

pub fn run(dir: &Path, rounds: usize) -> Result<()> {
    for (size, count) in [(1, 400), (64, 40_000), (1024, 400_000)] {
        let commits = commits(count);
        let groups = groups(&commits, size)?;
        compare(
            &format!("append, groups of {size}"),
            "commits/s",
            rounds,
            &mut [
                side("chl log on sled", || ours(dir, &commits, size)),
                side("bare sled: insert, flush, fdatasync", || bare_sled(dir, &groups, count)),
                side("raw file: write, fdatasync", || raw_file(dir, &groups, count)),
                side("tephra, guarded", || tephra(dir, &commits, size)),
            ],
        )?;
    }
    Ok(())
}
