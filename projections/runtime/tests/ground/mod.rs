//! What tests of the read models stand on: logs of commits, the same folds in memory, digests.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::{Commit, Date, LedgerId};
use chl_log::{EventLog, MemoryLog};
use chl_projections::{MemoryStore, fold};
use chl_runtime::{ViewDigest, Views};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

pub(crate) const LEDGER: LedgerId = LedgerId([7; 16]);

/// A log of commits, cut into blocks of so many.
pub(crate) fn logged(commits: &[Commit], sizes: &[usize]) -> MemoryLog {
    let mut log = MemoryLog::new(LEDGER);
    append(&mut log, commits, sizes);
    log
}

pub(crate) fn append(log: &mut MemoryLog, commits: &[Commit], sizes: &[usize]) {
    let mut rest = commits;
    for size in sizes.iter().copied().chain(std::iter::repeat(7)) {
        if rest.is_empty() {
            return;
        }
        let (some, later) = rest.split_at(size.min(rest.len()));
        let bytes: Vec<Vec<u8>> = some.iter().map(|commit| commit.encode().unwrap()).collect();
        let mut chain = log.chain();
        let blocks = chain.pack(&bytes).unwrap();
        let next = log.head().next;
        log.append(next, &blocks).unwrap();
        rest = later;
    }
}

pub(crate) fn in_memory(commits: &[Commit], effective: Option<Date>) -> MemoryStore {
    let mut store = MemoryStore { postings: Some(vec![]), ..MemoryStore::default() };
    store.commits = commits.to_vec();
    for commit in commits {
        fold(commit, effective, &mut store).unwrap();
    }
    store
}

/// The digests of rows in memory, sorted by view.
pub(crate) fn expected(store: &MemoryStore) -> Vec<(String, u64, String)> {
    let mut digests: Vec<_> = store
        .dumps()
        .into_iter()
        .map(|(view, lines)| {
            let mut hasher = Sha256::new();
            for line in &lines {
                hasher.update(line.as_bytes());
                hasher.update(b"\n");
            }
            let digest = chl_events::Hash(hasher.finalize().into());
            (view.to_owned(), lines.len() as u64, digest.to_string())
        })
        .collect();
    digests.sort();
    digests
}

pub(crate) fn found(digests: &[ViewDigest]) -> Vec<(String, u64, String)> {
    let mut found: Vec<_> =
        digests.iter().map(|d| (d.view.to_owned(), d.rows, d.digest.to_string())).collect();
    found.sort();
    found
}

pub(crate) struct Place {
    _folder: tempfile::TempDir,
    pub(crate) path: PathBuf,
}

pub(crate) fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    Place { path: folder.path().join("views.sqlite"), _folder: folder }
}

pub(crate) fn choices(count: u32) -> Vec<u32> {
    (0..count).map(|n| n.wrapping_mul(2_654_435_761) >> 3).collect()
}

pub(crate) fn kept(commits: &[Commit], place: &Place) -> Views {
    let log = logged(commits, &[]);
    Views::open_or_build(&place.path, log.reader(), &mut |_, _| {}).unwrap()
}
