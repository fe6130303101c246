//! What proofs cost: verifying a log, the tree while it is appended to, and a proof.

use crate::{
    Setup,
    append::{commits, ours},
    ledger::LEDGER,
    measure::{Warmup, compare, figure, micros, rate, side},
};
use anyhow::{Context, Result, ensure};
use chl_events::{Block, Hash};
use chl_log::{Chain, EventLog, Frontier, Packed};
use chl_log_sled::{Options, SledLog};
use chl_proofs::{KeptHashes, check_inclusion, prove_inclusion, verify_log};
use std::{hint::black_box, path::Path, time::Instant};

/// So many entries are verified.
const ENTRIES: usize = 1_000_000;
/// So many proofs are made and checked in a round.
const PROOFS: u64 = 1_000;
/// Proofs are of positions this far apart, so that they lie in different tiles.
const STRIDE: u64 = 7_919;
/// The sizes of groups, and how many commits of each are appended.
const GROUPS: [(usize, usize); 2] = [(64, 40_000), (1024, 400_000)];

/// The lines.
pub fn run(setup: &Setup) -> Result<()> {
    verified(setup)?;
    for (size, count) in GROUPS {
        appended(setup, size, count)?;
    }
    Ok(())
}

/// A log on disk against the bare tree of the same entries in memory; and proofs from its hashes.
fn verified(setup: &Setup) -> Result<()> {
    let dir = tempfile::tempdir_in(&setup.dir)?;
    let entries = commits(ENTRIES);
    let mut log = SledLog::open(&dir.path().join("log"), Options::create(LEDGER))?;
    for group in entries.chunks(1024) {
        let (next, blocks) = (log.head().next, log.chain().pack(group)?);
        log.append(next, &blocks)?;
    }
    log.settle()?;
    let (reader, head) = (log.reader(), log.head());
    let figures =
        [figure("verify 1M entries, from disk (bar: ≥ 0.5 of the tree alone)", "entries/s", 0)];
    let mut sides = [
        side("chl: blocks read, every checksum, every root", || {
            let start = Instant::now();
            let tree = verify_log(reader.as_ref(), ("main", &[]), None, &mut |_| {})?;
            ensure!(tree.root == head.root, "the log is not the one that was written");
            Ok(vec![rate(tree.size, start.elapsed())])
        }),
        side("RFC 6962 tree of entries in memory", || {
            let start = Instant::now();
            ensure!(tree(&entries) == head.root, "the trees differ");
            Ok(vec![rate(entries.len() as u64, start.elapsed())])
        }),
    ];
    compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)?;
    drop(sides);
    let mut hashes = KeptHashes::open(&dir.path().join("hashes"), LEDGER)?;
    hashes.catch_up(reader.as_ref(), &mut |_| {})?;
    proved(setup, &hashes, &entries)
}

fn tree(entries: &[Vec<u8>]) -> Hash {
    let mut frontier = Frontier::new();
    entries.iter().for_each(|entry| frontier.push(entry));
    frontier.root()
}

/// A proof made from kept hashes, and one checked.
fn proved(setup: &Setup, hashes: &KeptHashes, entries: &[Vec<u8>]) -> Result<()> {
    let head = hashes.head();
    let positions = || (0..PROOFS).map(|number| number * STRIDE % head.size);
    let figures = [figure("an inclusion proof in 1M entries (bar: under 1,000)", "µs", 1)];
    let mut sides = [
        side("chl: made from kept hashes", || {
            let start = Instant::now();
            for position in positions() {
                black_box(prove_inclusion(hashes, head.size, position)?);
            }
            Ok(vec![micros(start.elapsed()) / PROOFS as f64])
        }),
        side("chl: made and checked", || {
            let start = Instant::now();
            for position in positions() {
                let proof = prove_inclusion(hashes, head.size, position)?;
                let entry = entries.get(usize::try_from(position)?).context("no entry")?;
                check_inclusion(entry, position, &head, &proof)?;
            }
            Ok(vec![micros(start.elapsed()) / PROOFS as f64])
        }),
    ];
    compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)
}

/// Appends as they are against appends of groups that were hashed before.
fn appended(setup: &Setup, size: usize, count: usize) -> Result<()> {
    let dir = setup.dir.as_path();
    let commits = commits(count);
    let mut chain = Chain::new(LEDGER);
    let groups =
        commits.chunks(size).map(|group| Ok(chain.pack_group(group)?)).collect::<Result<Vec<_>>>()?;
    let figures = [figure(
        format!("append with the tree, groups of {size} (bar: ≥ 0.85 of without)"),
        "commits/s",
        0,
    )];
    let mut sides = [
        side("chl: packed, hashed, appended", || ours(dir, &commits, size)),
        side("chl: packed and appended, hashed before", || hashed_before(dir, &groups, count)),
    ];
    compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)
}

/// Packs each block anew, as the other side does, but knows every root.
fn hashed_before(dir: &Path, groups: &[Packed], count: usize) -> Result<Vec<f64>> {
    let dir = tempfile::tempdir_in(dir)?;
    let mut log = SledLog::open(dir.path(), Options::create(LEDGER))?;
    let start = Instant::now();
    for group in groups {
        for block in group.blocks() {
            let entries: Vec<&[u8]> = block.commits().collect();
            black_box(Block::new(LEDGER, block.first(), block.root_before(), &entries)?);
        }
        log.append_packed(group)?;
    }
    Ok(vec![rate(count as u64, start.elapsed())])
}
