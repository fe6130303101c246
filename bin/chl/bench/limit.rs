//! The limit: the bytes of a ledger's blocks into a plain file, synced as often as there were groups
//! of commands in flight.

use super::unusable;
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    ledger::Owning,
};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

/// Every block of a ledger, one behind the other.
pub(super) fn bytes(owning: &Owning) -> Outcome<Vec<u8>> {
    let unread = "the log cannot be read";
    let mut all = Vec::new();
    for block in owning.reading.log.read(0).or_exit(Exit::Internal, unread)? {
        all.extend_from_slice(block.or_exit(Exit::Internal, unread)?.bytes());
    }
    Ok(all)
}

/// How long it takes to make the bytes of `commands` durable in groups of `in_flight`.
pub(super) fn raw(path: &Path, bytes: &[u8], commands: u64, in_flight: u64) -> Outcome<Duration> {
    let groups = commands.div_ceil(in_flight.max(1)).max(1);
    let group = bytes.len().div_ceil(usize::try_from(groups).unwrap_or(usize::MAX)).max(1);
    timed(path, bytes.chunks(group)).map_err(|error| unusable(path, error))
}

fn timed<'a>(path: &Path, groups: impl Iterator<Item = &'a [u8]>) -> io::Result<Duration> {
    let mut file = File::create(path)?;
    let start = Instant::now();
    for group in groups {
        file.write_all(group)?;
        file.sync_data()?;
    }
    let took = start.elapsed();
    fs::remove_file(path)?;
    Ok(took)
}
