//! Sealed files: the same bytes back, from every position, and every damage named.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::{Block, Hash, LedgerId};
use chl_log::Chain;
use chl_log_files::{SealedError, SealedFile, SealedWriter};
use std::{fs, path::Path, sync::Arc};

const LEDGER: LedgerId = LedgerId(*b"sealed of ledger");
const KEYS: Hash = Hash([5; 32]);

/// A file of positions 10 to 10 + 3 × `blocks`, its blocks, and the chain behind it.
fn file(path: &Path, blocks: u8, commit_bytes: usize) -> (Vec<Block>, Chain) {
    let mut chain = Chain::new(LEDGER);
    chain.pack(&[b"before"; 10]).unwrap();
    let mut writer = SealedWriter::create(path, chain.clone()).unwrap();
    let mut written = Vec::new();
    for block in 0..blocks {
        let commits: Vec<Vec<u8>> =
            (0..3_u8).map(|n| vec![block ^ n; commit_bytes + usize::from(block)]).collect();
        for block in chain.pack(&commits).unwrap() {
            writer.push(&block).unwrap();
            written.push(block);
        }
    }
    assert!(!path.exists());
    let summary = writer.finish(Some(KEYS)).unwrap();
    assert_eq!(summary.after, chain);
    (written, chain)
}

#[test]
fn the_blocks_come_back_byte_for_byte_from_every_position() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let (written, chain) = file(&path, 200, 1000);
    let sealed = Arc::new(SealedFile::open(&path).unwrap());
    assert_eq!(sealed.summary().after, chain);
    assert_eq!(sealed.summary().keys, Some(KEYS));
    assert_eq!((sealed.first(), sealed.next()), (10, 610));
    sealed.verify().unwrap();
    for from in 0..620 {
        let wanted: Vec<_> = written.iter().filter(|block| block.next() > from).cloned().collect();
        let got: Vec<_> = sealed.blocks(from).collect::<Result<_, _>>().unwrap();
        assert_eq!(got, wanted, "from {from}");
    }
    // Above the blocks' own bytes there is little.
    let payload: usize = written.iter().map(|block| block.bytes().len()).sum();
    let size = fs::metadata(&path).unwrap().len();
    assert!(size * 100 < payload as u64 * 101, "{size} for {payload}");
}

#[test]
fn blocks_that_are_chained_make_the_same_file_and_others_none() {
    let dir = tempfile::tempdir().unwrap();
    let (hashed, chained) = (dir.path().join("hashed"), dir.path().join("chained"));
    let (written, after) = file(&hashed, 20, 1000);
    let mut before = Chain::new(LEDGER);
    before.pack(&[b"before"; 10]).unwrap();
    let begin = || SealedWriter::create(&chained, before.clone()).unwrap();
    let mut writer = begin();
    writer.push_chained(&written, after.clone()).unwrap();
    writer.finish(Some(KEYS)).unwrap();
    assert_eq!(fs::read(&chained).unwrap(), fs::read(&hashed).unwrap());

    let refused = |blocks: &[Block], after: &Chain| {
        let refused = begin().push_chained(blocks, after.clone()).unwrap_err();
        assert!(matches!(refused, SealedError::Broken { .. }), "{refused}");
    };
    let (_, behind_first) = written.split_first().unwrap();
    refused(behind_first, &after);
    let (_, but_last) = written.split_last().unwrap();
    refused(but_last, &after);
    let mut gap = written.clone();
    gap.remove(7);
    refused(&gap, &after);
    let other = |ledger, commit: &[u8]| {
        let mut chain = Chain::new(ledger);
        chain.pack(&[commit; 10]).unwrap();
        let blocks = chain.pack(&[b"behind"; 3]).unwrap();
        (blocks, chain)
    };
    for (ledger, commit) in [(LEDGER, &b"another"[..]), (LedgerId([9; 16]), b"before")] {
        let (blocks, after) = other(ledger, commit);
        refused(&blocks, &after);
    }
}

#[test]
fn an_empty_file_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let chain = Chain::new(LEDGER);
    SealedWriter::create(&path, chain.clone()).unwrap().finish(None).unwrap();
    let sealed = Arc::new(SealedFile::open(&path).unwrap());
    sealed.verify().unwrap();
    assert_eq!(sealed.summary().after, chain);
    assert_eq!(sealed.blocks(0).count(), 0);
}

/// Every byte of a file matters: flipped, it is refused, at the latest by a full check.
#[test]
fn every_flipped_byte_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let (written, _) = file(&path, 6, 10);
    let whole = fs::read(&path).unwrap();
    for byte in 0..whole.len() {
        let mut flipped = whole.clone();
        *flipped.get_mut(byte).unwrap() ^= 0x20;
        fs::write(&path, &flipped).unwrap();
        let checked = SealedFile::open(&path).and_then(|file| Arc::new(file).verify());
        assert!(checked.is_err(), "byte {byte}");
        if let Err(SealedError::Block { position, .. }) = checked {
            assert!(written.iter().any(|block| block.first() == position), "{position}");
        }
    }
}

#[test]
fn every_cut_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    file(&path, 6, 10);
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, whole.get(..length).unwrap()).unwrap();
        assert!(SealedFile::open(&path).is_err(), "{length} bytes");
    }
}

/// A commit is changed and its block's checksum made to fit: the roots tell.
#[test]
fn a_forged_commit_is_noticed_by_its_root() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let (written, _) = file(&path, 6, 10);
    let mut whole = fs::read(&path).unwrap();
    let victim = written.get(2).unwrap();
    let forged: Vec<Vec<u8>> = victim.commits().map(|commit| vec![9; commit.len()]).collect();
    let forged = Block::new(LEDGER, victim.first(), victim.root_before(), &forged).unwrap();
    let at = whole.windows(victim.bytes().len()).position(|bytes| bytes == victim.bytes()).unwrap();
    whole.splice(at..at + victim.bytes().len(), forged.bytes().iter().copied());
    fs::write(&path, &whole).unwrap();
    let sealed = Arc::new(SealedFile::open(&path).unwrap());
    let failed = sealed.verify().unwrap_err();
    assert!(matches!(failed, SealedError::Broken { .. }), "{failed}");
}

#[test]
fn a_block_of_another_history_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut writer = SealedWriter::create(&path, Chain::new(LEDGER)).unwrap();
    let foreign = Chain::new(LedgerId([1; 16])).pack(&[b"x"]).unwrap();
    assert!(matches!(writer.push(foreign.first().unwrap()), Err(SealedError::Broken { .. })));
    drop(writer);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}
