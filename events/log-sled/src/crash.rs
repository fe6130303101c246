//! A crash behind any step of the upkeep leaves a ledger that opens and goes on.
//!
//! Each step copies the whole folder, as a kill would leave it; then each copy is opened.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::{Options, SledLog, Step, inspect, options::Observer};
use chl_events::LedgerId;
use chl_log::{Chain, EventLog, Verified};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

const LEDGER: LedgerId = LedgerId(*b"a crashed ledger");
const SEAL_BYTES: u64 = 4000;

/// What is in a folder at a step, and how much was acknowledged then.
struct Snapshot {
    step: Step,
    dir: PathBuf,
    acknowledged: u64,
}

/// Copies a folder with all in it.
pub(crate) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_dir(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

fn options(observer: Option<Observer>) -> Options {
    Options { seal_bytes: SEAL_BYTES, observer, ..Options::create(LEDGER) }
}

fn append(log: &mut SledLog, commits: u64) {
    let mut chain = log.chain();
    let first = chain.next();
    let commits: Vec<_> = (first..first + commits).map(|n| vec![n as u8; 100]).collect();
    log.append_packed(&log.chain().pack_group(&commits).unwrap()).unwrap();
    chain.pack(&commits).unwrap();
    assert_eq!(log.chain(), chain);
}

/// Everything in the log, checked against what [`append`] writes.
fn check(log: &SledLog) {
    let blocks = log.read(0).unwrap();
    let mut read = Verified::new(blocks, Chain::new(LEDGER));
    let mut position = 0_u64;
    for block in read.by_ref() {
        for commit in block.unwrap().commits() {
            assert_eq!(commit, vec![position as u8; 100]);
            position += 1;
        }
    }
    assert_eq!(*read.reached(), log.chain());
}

#[test]
fn a_crash_behind_any_step_leaves_a_ledger_that_opens() {
    let base = tempfile::tempdir().unwrap();
    let live = base.path().join("live");
    let snapshots = Arc::new(Mutex::new(Vec::new()));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let observer: Observer = {
        let (snapshots, acknowledged) = (Arc::clone(&snapshots), Arc::clone(&acknowledged));
        let (live, base) = (live.clone(), base.path().to_owned());
        Arc::new(move |step| {
            let mut snapshots = snapshots.lock().unwrap();
            let dir = base.join(format!("{}-{step:?}", snapshots.len()));
            copy_dir(&live, &dir);
            let acknowledged = acknowledged.load(Ordering::SeqCst);
            snapshots.push(Snapshot { step, dir, acknowledged });
        })
    };
    let mut log = SledLog::open(&live, options(Some(observer))).unwrap();
    for group in 0..40 {
        append(&mut log, 1 + group % 9);
        acknowledged.store(log.head().next, Ordering::SeqCst);
        // While a step copies the folder nothing else is written to it.
        log.keeper.wait_until_idle();
    }
    check(&log);
    let mut seen: BTreeMap<Step, u32> = BTreeMap::new();
    for snapshot in snapshots.lock().unwrap().iter() {
        *seen.entry(snapshot.step).or_default() += 1;
        let mut log = SledLog::open(&snapshot.dir, options(None)).unwrap_or_else(|error| {
            panic!("behind {:?}: {error}", snapshot.step);
        });
        // The group under way is on disk when the writer rolls, though it is not yet answered.
        assert!(log.head().next >= snapshot.acknowledged, "behind {:?}", snapshot.step);
        check(&log);
        for _ in 0..6 {
            append(&mut log, 15);
            log.keeper.wait_until_idle();
        }
        check(&log);
        drop(log);
        assert_eq!(inspect(&snapshot.dir).unwrap().damages, [], "behind {:?}", snapshot.step);
        fs::remove_dir_all(&snapshot.dir).unwrap();
    }
    let steps = [
        Step::HeadMade,
        Step::HeadReady,
        Step::Rolled,
        Step::SealWritten,
        Step::SealPublished,
        Step::WitnessAdvanced,
        Step::HeadGone,
        Step::HeadRemoved,
    ];
    assert!(steps.iter().all(|step| seen.get(step).is_some_and(|times| *times >= 3)), "{seen:?}");
}

/// The upkeep fails: what was acknowledged stays, nothing more is taken, reopening goes on.
#[test]
fn a_failed_sealing_poisons_the_log_until_it_is_reopened() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("ledger");
    let mut log = SledLog::open(&dir, options(None)).unwrap();
    fs::rename(dir.join("sealed"), dir.join("elsewhere")).unwrap();
    let mut chain = log.chain();
    let failed = loop {
        let before = chain.clone();
        let blocks = chain.pack(&[vec![before.next() as u8; 100]]).unwrap();
        match log.append(before.next(), &blocks) {
            Ok(head) => assert_eq!(head, chain.head()),
            Err(error) => break error,
        }
        log.keeper.wait_until_idle();
        assert!(chain.next() < 1000);
    };
    assert!(matches!(failed, chl_log::AppendError::Poisoned(_)), "{failed}");
    assert!(log.append(log.head().next, &[]).is_err());
    assert!(log.settle().is_err());
    check(&log);
    let acknowledged = log.head();
    drop(log);
    fs::rename(dir.join("elsewhere"), dir.join("sealed")).unwrap();
    let mut log = SledLog::open(&dir, options(None)).unwrap();
    assert_eq!(log.head(), acknowledged);
    append(&mut log, 50);
    check(&log);
}

/// The digest of the keys that are sealed along stands in the sealed file.
#[test]
fn keys_are_sealed_along_with_the_blocks() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("ledger");
    let digest = chl_events::Hash([4; 32]);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&asked);
    let keys: crate::DigestOfKeys = Arc::new(move |up_to| {
        theirs.lock().unwrap().push(up_to);
        Some(digest)
    });
    let mut log = SledLog::open(&dir, Options { keys: Some(keys), ..options(None) }).unwrap();
    while asked.lock().unwrap().len() < 2 {
        append(&mut log, 5);
        log.keeper.wait_until_idle();
    }
    let parts = log.shared.parts();
    let sealed: Vec<_> = parts.sealed.iter().map(|file| file.summary()).collect();
    let ends: Vec<_> = sealed.iter().map(|summary| summary.after.next()).collect();
    assert_eq!(*asked.lock().unwrap(), ends);
    assert!(sealed.iter().all(|summary| summary.keys == Some(digest)));
}
