//! Bytes on disk, against the bytes of the commits themselves.

use crate::{Setup, large, machine::bytes_on_disk, measure::once};
use anyhow::{Context, Result};
use chl_events::Block;
use chl_log::EventLog;
use chl_log_files::{SEALED_EXTENSION, SealedFile};
use chl_log_sled::{Options, SledLog};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The sealed files of a ledger, in order.
pub fn sealed(ledger: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(ledger.join("log/sealed"))?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|found| found == SEALED_EXTENSION));
    paths.sort();
    Ok(paths)
}

fn payload(blocks: impl Iterator<Item = Result<Block>>) -> Result<u64> {
    let mut bytes = 0;
    for block in blocks {
        bytes += block?.commits().map(|commit| commit.len() as u64).sum::<u64>();
    }
    Ok(bytes)
}

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let large = large::ledger(setup, setup.args.events)?;
    let line = format!("bytes on disk ÷ payload, {} events", setup.args.events);
    let (mut bytes, mut of, mut next) = (0, 0, 0);
    for path in sealed(&large.dir)? {
        bytes += fs::metadata(&path)?.len();
        let file = Arc::new(SealedFile::open(&path)?);
        of += payload(file.all_blocks().map(|block| Ok(block?)))?;
        next = file.next();
    }
    let times = |bytes: u64, of: u64| bytes as f64 / of as f64;
    once(&format!("{line} (bar: ≤ 1.05)"), "sealed files", times(bytes, of), "×", 3);
    let log = SledLog::open(&large.dir.join("log"), Options::default())?;
    let of_head = payload(log.reader().read(next)?.map(|block| Ok(block?)))?;
    drop(log);
    let heads = fs::read_dir(large.dir.join("log"))?.map(|entry| Ok(entry?.path()));
    let heads = heads.collect::<Result<Vec<PathBuf>>>()?;
    let is_head = |path: &&PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("head-"))
    };
    let in_heads = heads.iter().filter(is_head).map(|path| bytes_on_disk(path));
    let in_heads: u64 = in_heads.sum::<Result<u64>>()?;
    once(&line, "head in sled", times(in_heads, of_head), "×", 2);
    let all = of.checked_add(of_head).context("the sum is a number")?;
    for (what, path) in [
        ("keys", "keys"),
        ("log, head included", "log"),
        ("everything: states, views, keys, log", ""),
    ] {
        once(&line, what, times(bytes_on_disk(&large.dir.join(path))?, all), "×", 2);
    }
    Ok(())
}
