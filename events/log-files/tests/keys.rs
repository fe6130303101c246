//! The key index: what is put is found, for ever, whatever is sealed, merged, lost or damaged.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::LedgerId;
use chl_log_files::{KeyEntry, KeyError, KeyIndex};
use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

const LEDGER: LedgerId = LedgerId(*b"keys of a ledger");

fn entry(position: u64) -> KeyEntry {
    KeyEntry { position, value: format!("stream/{position}").into_bytes() }
}

fn open(dir: &Path) -> KeyIndex {
    KeyIndex::open(dir, LEDGER).unwrap()
}

/// What the naive model says of a position: which key it takes or sets free.
fn happens(position: u64) -> (u8, Vec<u8>, bool) {
    let key = (position * 7919) % 1500;
    (1 + (key % 3) as u8, key.to_be_bytes().to_vec(), !position.is_multiple_of(5))
}

type Model = BTreeMap<(u8, Vec<u8>), KeyEntry>;

fn play(index: &KeyIndex, model: &mut Model, from: u64, to: u64) {
    for position in from..to {
        let (kind, key, takes) = happens(position);
        if takes {
            index.put(kind, &key, entry(position)).unwrap();
            model.insert((kind, key), entry(position));
        } else {
            index.release(kind, &key, position);
            model.remove(&(kind, key));
        }
    }
    index.advance(to);
}

fn agrees(index: &KeyIndex, model: &Model) {
    for key in 0..1600_u64 {
        let bytes = key.to_be_bytes().to_vec();
        for kind in 1..=3 {
            let wanted = model.get(&(kind, bytes.clone()));
            assert_eq!(index.get(kind, &bytes).unwrap().as_ref(), wanted, "{kind} {key}");
        }
    }
}

#[test]
fn sealed_and_merged_keys_are_the_ones_that_were_put() {
    let dir = tempfile::tempdir().unwrap();
    let mut index = open(dir.path());
    let mut model = Model::new();
    let mut position = 0;
    for round in 0..40 {
        play(&index, &mut model, position, position + 400);
        position += 400;
        index.seal(position - 150).unwrap().unwrap();
        agrees(&index, &model);
        if round % 3 == 2 {
            index.merge().unwrap();
            assert!(index.files().0 <= 4, "{:?}", index.files());
            agrees(&index, &model);
        }
        if round % 10 == 9 {
            drop(index);
            index = open(dir.path());
            let covered = index.covered_to();
            assert_eq!(covered, position - 150);
            play(&index, &mut Model::new(), covered, position);
            agrees(&index, &model);
        }
    }
}

/// A key is taken, sealed up to there, and set free by a commit that is lost in a crash.
#[test]
fn a_release_that_is_not_durable_frees_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    index.put(1, b"invoice", entry(5)).unwrap();
    index.release(1, b"invoice", 10);
    index.advance(8);
    index.seal(100).unwrap().unwrap();
    assert_eq!(index.get(1, b"invoice").unwrap(), None);
    assert_eq!(index.covered_to(), 8);
    drop(index);
    assert_eq!(open(dir.path()).get(1, b"invoice").unwrap(), Some(entry(5)));
}

#[test]
fn nothing_new_is_not_sealed() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    index.put(1, b"key", entry(3)).unwrap();
    assert_eq!(index.seal(10).unwrap(), None);
    index.advance(10);
    assert!(index.seal(10).unwrap().is_some());
    assert_eq!(index.seal(10).unwrap(), None);
    assert!(matches!(
        index.put(1, b"key", KeyEntry { position: 11, value: vec![0; 256] }),
        Err(KeyError::ValueTooLong(256))
    ));
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// Every state a crash can leave: a half-written file, merged files beside what they replace.
#[test]
fn what_a_crash_leaves_opens() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let mut model = Model::new();
    for round in 0..4 {
        play(&index, &mut model, round * 100, round * 100 + 100);
        index.seal(round * 100 + 100).unwrap().unwrap();
    }
    let before: Vec<_> =
        files(dir.path()).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    assert_eq!(before.len(), 4);
    index.merge().unwrap();
    assert_eq!(files(dir.path()).len(), 1);
    drop(index);
    for kept in 0..=before.len() {
        for (bytes, path) in before.iter().skip(kept) {
            fs::write(path, bytes).unwrap();
        }
        fs::write(dir.path().join("0-9.keys.tmp"), b"half").unwrap();
        let index = open(dir.path());
        assert_eq!(index.covered_to(), 400);
        assert_eq!(files(dir.path()).len(), 1);
        agrees(&index, &model);
    }
}

/// Whatever byte is flipped, no key leads to a wrong place, and a replay brings all back.
#[test]
fn damage_is_noticed_and_replayed_away() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let mut model = Model::new();
    for round in 0..3 {
        play(&index, &mut model, round * 300, round * 300 + 300);
        index.seal(round * 300 + 300).unwrap().unwrap();
    }
    drop(index);
    let whole: Vec<_> =
        files(dir.path()).into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
    let (middle, path) = whole.get(1).unwrap();
    for byte in (0..middle.len()).step_by(311).chain(middle.len() - 12..middle.len()) {
        for (bytes, path) in &whole {
            fs::write(path, bytes).unwrap();
        }
        let mut flipped = middle.clone();
        *flipped.get_mut(byte).unwrap() ^= 4;
        fs::write(path, &flipped).unwrap();
        let mut index = open(dir.path());
        let mut found = 0;
        for (kind, key) in model.keys() {
            match index.get(*kind, key) {
                Ok(got) => assert!(
                    index.covered_to() < 900 || got.as_ref() == model.get(&(*kind, key.clone()))
                ),
                Err(KeyError::Damaged { .. }) => found += 1,
                Err(other) => panic!("{other}"),
            }
        }
        assert!(found > 0 || index.covered_to() == 300, "byte {byte}");
        drop(index);
        index = open(dir.path());
        assert_eq!(index.covered_to(), 300, "byte {byte}");
        play(&index, &mut Model::new(), 300, 900);
        agrees(&index, &model);
        for file in files(dir.path()) {
            fs::remove_file(file).unwrap();
        }
    }
}

#[test]
fn another_ledgers_files_count_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    play(&index, &mut Model::new(), 0, 50);
    index.seal(50).unwrap().unwrap();
    drop(index);
    let other = KeyIndex::open(dir.path(), LedgerId([9; 16])).unwrap();
    assert_eq!(other.covered_to(), 0);
}

#[test]
fn what_a_repair_cut_off_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    let mut model = Model::new();
    play(&index, &mut model, 0, 300);
    index.seal(300).unwrap().unwrap();
    play(&index, &mut Model::new(), 300, 600);
    index.seal(550).unwrap().unwrap();
    index.forget_beyond(500).unwrap();
    assert_eq!(index.covered_to(), 300);
    agrees(&index, &model);
}

#[test]
fn lookups_go_on_while_files_are_written_and_merged() {
    let dir = tempfile::tempdir().unwrap();
    let index = Arc::new(open(dir.path()));
    std::thread::scope(|scope| {
        let sealer = {
            let index = Arc::clone(&index);
            scope.spawn(move || {
                while index.covered_to() < 20_000 {
                    index.seal(u64::MAX).unwrap();
                    index.merge().unwrap();
                }
            })
        };
        for position in 0..20_000_u64 {
            index.put(1, &position.to_be_bytes(), entry(position)).unwrap();
            index.advance(position + 1);
            let older = position / 2;
            assert_eq!(index.get(1, &older.to_be_bytes()).unwrap(), Some(entry(older)));
            assert_eq!(index.get(2, &older.to_be_bytes()).unwrap(), None);
        }
        sealer.join().unwrap();
    });
}
