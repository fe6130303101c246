//! Every damage is refused, named and repaired; nothing is lost in silence.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::LedgerId;
use chl_log::{Chain, EventLog, ReadError, Verified};
use chl_log_files::{Witness, WitnessError};
use chl_log_sled::{
    HeadError, OpenError, Options, RepairError, Seen, SledLog, backup, inspect, repair, restore,
};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

const LEDGER: LedgerId = LedgerId(*b"a damaged ledger");
const SEAL_BYTES: u64 = 20_000;

fn options() -> Options {
    Options { seal_bytes: SEAL_BYTES, ..Options::create(LEDGER) }
}

fn commit(position: u64) -> Vec<u8> {
    let mut bytes = position.to_be_bytes().to_vec();
    bytes.resize(200, position as u8);
    bytes
}

fn append(log: &mut SledLog, count: u64) {
    let mut chain = log.chain();
    let from = chain.next();
    let commits: Vec<_> = (from..from + count).map(commit).collect();
    log.append(from, &chain.pack(&commits).unwrap()).unwrap();
}

fn copy_dir(from: &Path, to: &Path) {
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

/// A ledger with sealed files and a head, as a kill leaves it when `killed`, else closed.
struct Sample {
    base: TempDir,
    next: u64,
}

impl Sample {
    fn new(killed: bool) -> Self {
        let base = tempfile::tempdir().unwrap();
        let live = base.path().join("live");
        let mut log = SledLog::open(&live, options()).unwrap();
        while fs::read_dir(live.join("sealed")).unwrap().count() < 2 {
            append(&mut log, 7);
        }
        drop(log);
        let mut log = SledLog::open(&live, Options { seal_bytes: 1 << 30, ..options() }).unwrap();
        for _ in 0..30 {
            append(&mut log, 3);
        }
        log.settle().unwrap();
        let next = log.head().next;
        let whole = base.path().join("whole");
        if killed {
            copy_dir(&live, &whole);
        } else {
            drop(log);
            copy_dir(&live, &whole);
        }
        Self { base, next }
    }

    /// A fresh copy of it.
    fn fresh(&self) -> PathBuf {
        let dir = self.base.path().join("damaged");
        if dir.exists() {
            fs::remove_dir_all(&dir).unwrap();
        }
        copy_dir(&self.base.path().join("whole"), &dir);
        dir
    }
}

fn open(dir: &Path) -> Result<SledLog, OpenError> {
    SledLog::open(dir, Options { create: None, ..options() })
}

fn refused(dir: &Path) -> OpenError {
    match open(dir) {
        Ok(log) => panic!("opened at {}", log.head()),
        Err(error) => error,
    }
}

/// Requires a log to hold a prefix of what was written, root and all; returns its length.
fn check(log: &SledLog) -> u64 {
    let mut read = Verified::new(log.read(0).unwrap(), Chain::new(LEDGER));
    let mut position = 0;
    for block in read.by_ref() {
        for bytes in block.unwrap().commits() {
            assert_eq!(bytes, commit(position));
            position += 1;
        }
    }
    assert_eq!(*read.reached(), log.chain());
    position
}

/// Repairs with the loss that an inspection names, and requires a log that ends there, goes on,
/// and has the damaged files kept.
fn repaired(dir: &Path) -> u64 {
    let found = inspect(dir).unwrap();
    assert!(!found.damages.is_empty());
    let readable = found.readable.next;
    let other = repair(dir, readable + 1);
    assert!(matches!(other, Err(RepairError::Elsewhere { .. })), "{other:?}");
    let done = repair(dir, readable).unwrap();
    assert_eq!(done.head, found.readable);
    assert!(fs::read_dir(&done.aside).unwrap().count() > 0);
    let mut log = open(dir).unwrap();
    assert_eq!(check(&log), readable);
    append(&mut log, 40);
    drop(log);
    assert_eq!(check(&open(dir).unwrap()), readable + 40);
    assert_eq!(inspect(dir).unwrap().damages, []);
    let again = repair(dir, readable + 40);
    assert!(matches!(again, Err(RepairError::NotDamaged { .. })), "{again:?}");
    readable
}

fn head_dir(dir: &Path) -> PathBuf {
    let mut heads: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("head-"))
        .collect();
    heads.sort();
    heads.pop().unwrap()
}

fn sealed(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(dir.join("sealed")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    *bytes.get_mut(at).unwrap() ^= 0x08;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_whole_ledger_opens_and_is_not_repaired() {
    for killed in [false, true] {
        let sample = Sample::new(killed);
        let dir = sample.fresh();
        assert_eq!(check(&open(&dir).unwrap()), sample.next);
        assert_eq!(inspect(&dir).unwrap().damages, []);
        let refused = repair(&dir, sample.next);
        assert!(matches!(refused, Err(RepairError::NotDamaged { .. })), "{refused:?}");
    }
}

/// sled opens a file that lost its tail without a word, even empty: the witness tells.
#[test]
fn a_head_that_lost_its_tail_is_refused() {
    let sample = Sample::new(true);
    let length = fs::metadata(head_dir(&sample.fresh()).join("db")).unwrap().len();
    let mut below = 0;
    for (kept, snapshots) in [0, 1, 1000, length / 3, length / 2, length * 3 / 4]
        .into_iter()
        .flat_map(|kept| [(kept, true), (kept, false)])
    {
        let dir = sample.fresh();
        let head = head_dir(&dir);
        let db = fs::OpenOptions::new().write(true).open(head.join("db")).unwrap();
        db.set_len(kept).unwrap();
        drop(db);
        // Without its snapshot sled does not know that there was more.
        for entry in fs::read_dir(&head).unwrap().map(|entry| entry.unwrap().path()) {
            if !snapshots && entry.to_str().unwrap().contains("snap.") {
                fs::remove_file(entry).unwrap();
            }
        }
        let error = match open(&dir) {
            // What was cut off held nothing.
            Ok(log) if kept > 1000 => {
                assert_eq!(check(&log), sample.next);
                continue;
            }
            Ok(log) => panic!("cut to {kept}, opened at {}", log.head()),
            Err(error) => error,
        };
        assert!(error.is_damage(), "{error}");
        if let OpenError::Below { what, position, head } = error {
            assert_eq!((what.as_str(), position), ("the witness", sample.next));
            assert!(head < sample.next);
            below += 1;
        }
        assert!(repaired(&dir) < sample.next);
    }
    assert!(below > 0);
}

/// The disk gives back the head as it was some groups ago: whole, and too short.
#[test]
fn a_head_that_went_back_is_refused() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    let older = sample.base.path().join("older");
    copy_dir(&head_dir(&dir), &older);
    let unsealed = Options { seal_bytes: 1 << 30, ..options() };
    let mut log = SledLog::open(&dir, unsealed).unwrap();
    append(&mut log, 5);
    append(&mut log, 5);
    drop(log);
    let head = head_dir(&dir);
    fs::remove_dir_all(&head).unwrap();
    copy_dir(&older, &head);
    let error = refused(&dir);
    let OpenError::Below { position, head, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((position, head), (sample.next + 10, sample.next));
    assert_eq!(repaired(&dir), sample.next);
}

/// A flipped byte makes sled fail, or panic, or does not matter; never another history.
#[test]
fn a_flipped_byte_in_the_head_is_refused_or_harmless() {
    for killed in [false, true] {
        let sample = Sample::new(killed);
        let length = fs::metadata(head_dir(&sample.fresh()).join("db")).unwrap().len() as usize;
        let mut refusals = 0;
        for at in (0..length.min(60_000)).step_by(2_377) {
            let dir = sample.fresh();
            flip(&head_dir(&dir).join("db"), at);
            match open(&dir) {
                Ok(log) => assert_eq!(check(&log), sample.next, "byte {at}"),
                Err(error) => {
                    assert!(error.is_damage(), "byte {at}: {error}");
                    refusals += 1;
                    let _readable = repaired(&dir);
                }
            }
        }
        assert!(refusals > 3, "{refusals} of flips in {length} bytes, killed: {killed}");
    }
}

#[test]
fn missing_files_are_named() {
    let sample = Sample::new(false);
    for name in ["db", "conf"] {
        let dir = sample.fresh();
        fs::remove_file(head_dir(&dir).join(name)).unwrap();
        let error = refused(&dir);
        assert!(
            matches!(&error, OpenError::Head(HeadError::Missing { path }) if path.ends_with(name))
        );
        repaired(&dir);
    }
    let dir = sample.fresh();
    fs::remove_dir_all(head_dir(&dir)).unwrap();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::HeadMissing { .. }), "{error}");
    let found = inspect(&dir).unwrap();
    assert!(found.readable.next > 0 && found.readable.next < sample.next);
    // Nothing is left of the head that could be set aside but the witness.
    repaired(&dir);
}

#[test]
fn blobs_are_refused() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    fs::create_dir_all(head_dir(&dir).join("blobs")).unwrap();
    fs::write(head_dir(&dir).join("blobs/7"), b"blob").unwrap();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::Head(HeadError::Blobs { .. })), "{error}");
}

#[test]
fn the_witness_is_missed_and_its_damage_repaired() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    fs::remove_file(dir.join("witness")).unwrap();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::Witness(WitnessError::Missing { .. })), "{error}");
    // Not even when asked to make a ledger where none is: this is one.
    assert!(SledLog::open(&dir, options()).is_err());
    assert_eq!(repaired(&dir), sample.next);

    let dir = sample.fresh();
    flip(&dir.join("witness"), 20);
    flip(&dir.join("witness"), 4096 + 20);
    let error = refused(&dir);
    assert!(matches!(error, OpenError::Witness(WitnessError::Damaged { .. })), "{error}");
    assert_eq!(repaired(&dir), sample.next);
}

#[test]
fn a_witness_of_another_history_is_believed() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    let mut witness = Witness::open(&dir.join("witness")).unwrap();
    let mut head = witness.last().head;
    head.root = chl_events::Hash([7; 32]);
    witness.record(head).unwrap();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::Forked { .. }), "{error}");
    assert_eq!(repaired(&dir), sample.next);

    let dir = sample.fresh();
    head.ledger = LedgerId([1; 16]);
    Witness::create(&dir.join("witness"), head, 0).unwrap();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::Ledger { .. }), "{error}");
}

#[test]
fn whatever_has_seen_more_is_a_witness() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    let seen = |position| vec![Seen { what: "the view of balances".into(), position }];
    let at = Options { seen: seen(sample.next), ..options() };
    drop(SledLog::open(&dir, at).unwrap());
    let beyond = Options { seen: seen(sample.next + 1), ..options() };
    match SledLog::open(&dir, beyond) {
        Err(OpenError::Below { what, .. }) => assert_eq!(what, "the view of balances"),
        Err(other) => panic!("{other}"),
        Ok(log) => panic!("opened at {}", log.head()),
    }
}

#[test]
fn a_damaged_sealed_file_is_named_and_salvaged() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    let files = sealed(&dir);
    let first = files.first().unwrap();
    let length = fs::metadata(first).unwrap().len() as usize;
    // Its header and its end are checked at once, and nothing of its blocks is lost with them.
    for at in [3, 30, length - 3, length - 200] {
        let dir = sample.fresh();
        flip(sealed(&dir).first().unwrap(), at);
        let error = refused(&dir);
        assert!(matches!(error, OpenError::Sealed(_)), "byte {at}: {error}");
        assert_eq!(repaired(&dir), sample.next, "byte {at}");
    }
    // Its blocks are checked when they are read.
    let dir = sample.fresh();
    flip(sealed(&dir).first().unwrap(), length / 2);
    let log = open(&dir).unwrap();
    let failed = log.read(0).unwrap().find_map(Result::err).unwrap();
    let ReadError::Damaged { position, place, .. } = failed else {
        panic!("{failed}");
    };
    assert!(place.contains("sealed"));
    drop(log);
    assert_eq!(repaired(&dir), position);
}

#[test]
fn a_missing_sealed_file_is_a_gap() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    assert!(sealed(&dir).len() >= 2);
    fs::remove_file(sealed(&dir).first().unwrap()).unwrap();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::SealedGap { .. }), "{error}");
    assert_eq!(repaired(&dir), 0);
    let dir = sample.fresh();
    fs::remove_file(sealed(&dir).last().unwrap()).unwrap();
    let error = refused(&dir);
    assert!(matches!(error, OpenError::Head(HeadError::Broken { .. })), "{error}");
    assert!(repaired(&dir) > 0);
}

#[test]
fn a_second_owner_is_refused() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    let log = open(&dir).unwrap();
    let me = std::process::id();
    assert!(matches!(refused(&dir), OpenError::Owned { pid: Some(pid), .. } if pid == me));
    assert!(inspect(&dir).is_err());
    drop(log);
    open(&dir).unwrap();
}

#[test]
fn no_ledger_is_made_unasked() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("nothing");
    assert!(matches!(refused(&dir), OpenError::NotFound { .. }));
    assert!(!dir.exists());
    assert!(matches!(refused(base.path()), OpenError::NotFound { .. }));
}

#[test]
fn a_backup_is_a_whole_copy_and_is_brought_up_to_date() {
    let sample = Sample::new(false);
    let dir = sample.fresh();
    let copy = sample.base.path().join("backup");
    let mut log = open(&dir).unwrap();
    assert_eq!(backup(log.reader().as_ref(), &copy).unwrap(), log.head());
    append(&mut log, 100);
    assert_eq!(backup(log.reader().as_ref(), &copy).unwrap(), log.head());
    let head = log.head();
    let restored = sample.base.path().join("restored");
    assert_eq!(restore(&copy, &restored).unwrap(), head);
    let mut back = open(&restored).unwrap();
    assert_eq!(check(&back), head.next);
    append(&mut back, 10);
    check(&back);
    assert!(restore(&copy, &restored).is_err());
    // A damaged backup restores nothing.
    flip(sealed(&copy).first().unwrap(), 500);
    let elsewhere = sample.base.path().join("elsewhere");
    assert!(restore(&copy, &elsewhere).is_err());
    assert!(!elsewhere.exists());
    // A backup of another ledger is not mixed with this one.
    let other =
        SledLog::open(&sample.base.path().join("other"), Options::create(LedgerId([2; 16])));
    assert!(backup(other.unwrap().reader().as_ref(), &copy).is_err());
}
