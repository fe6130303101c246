//! A published log: what is in it, how it is gone on with, and that no change of it is believed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use chl_events::LedgerId;
use chl_log::{EventLog, MemoryLog, leaf_hash};
use chl_proofs::{
    Checkpoint, ExportError, Exported, Flaw, KeptHashes, Notary, Note, PrivateKey, PublicKey,
    PublishedError, export, first_difference, verify_end, verify_log, verify_published,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const LEDGER: LedgerId = LedgerId(*b"publish a ledger");

/// A ledger with a notary, its hashes, and a folder it is published in.
struct Stand {
    dir: tempfile::TempDir,
    log: MemoryLog,
    notary: Notary,
    key: PublicKey,
}

fn entry(number: u64) -> Vec<u8> {
    format!("entry {number}: {}", "x".repeat(number as usize % 50)).into_bytes()
}

impl Stand {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let notary = Notary::new(&dir.path().join("audit"));
        let key = PrivateKey::new("main", [9; 32]).unwrap();
        notary.add(&key).unwrap();
        Self { log: MemoryLog::new(LEDGER), notary, key: key.public().clone(), dir }
    }

    fn grow(&mut self, to: u64) {
        let from = self.log.head().next;
        let entries: Vec<_> = (from..to).map(entry).collect();
        for group in entries.chunks(19) {
            let (at, blocks) = (self.log.head().next, self.log.chain().pack(group).unwrap());
            self.log.append(at, &blocks).unwrap();
        }
    }

    fn hashes(&self) -> KeptHashes {
        let mut hashes = KeptHashes::open(&self.dir.path().join("hashes"), LEDGER).unwrap();
        hashes.catch_up(self.log.reader().as_ref(), &mut |_| {}).unwrap();
        hashes
    }

    fn public(&self) -> PathBuf {
        self.dir.path().join("public")
    }

    fn sign(&self) -> Note {
        self.notary.sign("main", &self.hashes()).unwrap()
    }

    fn export(&self, entries: bool) -> Result<Exported, ExportError> {
        let reader = self.log.reader();
        export(
            &self.public(),
            (reader.as_ref(), &self.hashes()),
            &self.sign(),
            entries,
            &mut |_| {},
        )
    }

    fn verify(&self, against: &[Checkpoint]) -> Result<(u64, bool), PublishedError> {
        let keys = [self.key.clone()];
        let found = verify_published(&self.public(), &keys, against, &mut |_| {})?;
        Ok((found.checkpoint.tree.size, found.entries))
    }
}

fn checkpoint(note: &Note) -> Checkpoint {
    note.unverified_text().parse().unwrap()
}

/// Every file below a folder.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The position that a failed verification names.
fn named(error: &PublishedError) -> u64 {
    let PublishedError::Flaw { source, .. } = error else { panic!("{error}") };
    source.position()
}

#[test]
fn an_export_is_gone_on_with_and_verified_at_every_size() {
    let mut stand = Stand::new();
    let mut earlier = Vec::new();
    for (size, entries) in [(1, false), (200, true), (256, true), (257, true), (900, true)] {
        stand.grow(size);
        stand.export(entries).unwrap();
        assert_eq!(stand.verify(&earlier).unwrap(), (size, entries));
        earlier.push(checkpoint(&stand.sign()));
    }
    let tiles = stand.public().join("tile");
    let bundle = fs::read(tiles.join("entries/003.p/132")).unwrap();
    let first = entry(768);
    assert_eq!(bundle[..2], u16::try_from(first.len()).unwrap().to_be_bytes());
    assert_eq!(bundle[2..2 + first.len()], first);
    assert_eq!(fs::read(tiles.join("0/000")).unwrap()[..32], leaf_hash(&entry(0)).0);
    assert_eq!(fs::read(tiles.join("0/000")).unwrap().len(), 8192);
    assert!(!tiles.join("0/000.p").exists(), "what was not full has become a full tile");
    // What is there is not written again.
    stand.grow(1_000);
    let again = stand.export(true).unwrap();
    assert_eq!(again, Exported { written: 3, kept: 6 });
    assert_eq!(stand.verify(&earlier).unwrap(), (1_000, true));
}

#[test]
fn hashes_alone_are_verified_too_and_entries_may_come_later() {
    let mut stand = Stand::new();
    stand.grow(700);
    stand.export(false).unwrap();
    assert!(!stand.public().join("tile/entries").exists());
    assert_eq!(stand.verify(&[]).unwrap(), (700, false));
    stand.export(true).unwrap();
    assert_eq!(stand.verify(&[]).unwrap(), (700, true));
}

#[test]
fn no_file_can_be_changed_cut_or_removed() {
    let mut stand = Stand::new();
    stand.grow(600);
    stand.export(true).unwrap();
    for path in files(&stand.public()) {
        let whole = fs::read(&path).unwrap();
        let shown = path.strip_prefix(stand.public()).unwrap().display().to_string();
        for at in [0, 1, whole.len() / 2, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[at] ^= 4;
            fs::write(&path, &bytes).unwrap();
            assert!(stand.verify(&[]).is_err(), "byte {at} of {shown}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(stand.verify(&[]).is_err(), "{shown} cut at {at}");
        }
        fs::write(&path, [whole.as_slice(), b"more"].concat()).unwrap();
        assert!(stand.verify(&[]).is_err(), "{shown} with more");
        fs::remove_file(&path).unwrap();
        assert!(stand.verify(&[]).is_err(), "{shown} removed");
        fs::write(&path, &whole).unwrap();
    }
    assert_eq!(stand.verify(&[]).unwrap(), (600, true));
}

#[test]
fn a_flaw_is_named_by_its_first_position() {
    let mut stand = Stand::new();
    stand.grow(600);
    stand.export(true).unwrap();
    let tiles = stand.public().join("tile");
    let bundle = tiles.join("entries/001");
    let whole = fs::read(&bundle).unwrap();
    let rewrite = |entries: &[Vec<u8>]| {
        let framed = entries.iter().flat_map(|entry| {
            let length = u16::try_from(entry.len()).unwrap().to_be_bytes();
            [length.to_vec(), entry.clone()].concat()
        });
        fs::write(&bundle, framed.collect::<Vec<u8>>()).unwrap();
        named(&stand.verify(&[]).unwrap_err())
    };
    let honest: Vec<_> = (256..512).map(entry).collect();
    let mut changed = honest.clone();
    changed[44] = b"entry 300: forged".to_vec();
    assert_eq!(rewrite(&changed), 300);
    changed = honest.clone();
    changed.remove(100);
    assert_eq!(rewrite(&changed), 356);
    changed = honest.clone();
    changed.swap(7, 9);
    assert_eq!(rewrite(&changed), 263);
    changed = honest;
    changed.insert(255, b"one more".to_vec());
    assert_eq!(rewrite(&changed), 511);
    fs::write(&bundle, whole).unwrap();
    // A hash that no entry has, and one that the level above does not know.
    let hashes = tiles.join("0/000");
    let mut bytes = fs::read(&hashes).unwrap();
    bytes[32 * 17] ^= 1;
    fs::write(&hashes, &bytes).unwrap();
    assert_eq!(named(&stand.verify(&[]).unwrap_err()), 17);
    fs::remove_dir_all(tiles.join("entries")).unwrap();
    let vague = stand.verify(&[]).unwrap_err();
    assert_eq!(named(&vague), 0);
    assert!(vague.to_string().contains("one of the positions 0 to 255"), "{vague}");
}

#[test]
fn what_was_cut_off_or_put_back_is_found_by_a_checkpoint_kept_elsewhere() {
    let mut stand = Stand::new();
    stand.grow(300);
    stand.export(true).unwrap();
    let older = stand.dir.path().join("older");
    fs::rename(stand.public(), &older).unwrap();
    stand.grow(400);
    stand.export(true).unwrap();
    let kept = [checkpoint(&stand.sign())];
    assert_eq!(stand.verify(&kept).unwrap(), (400, true));
    fs::remove_dir_all(stand.public()).unwrap();
    fs::rename(older, stand.public()).unwrap();
    assert_eq!(stand.verify(&[]).unwrap(), (300, true), "it was right once");
    let cut = stand.verify(&kept).unwrap_err();
    assert_eq!(named(&cut), 300);
    // One of another ledger proves nothing here.
    let other = Checkpoint { origin: "other".into(), ..kept[0].clone() };
    let refused = stand.verify(&[other]).unwrap_err();
    assert!(matches!(refused, PublishedError::Flaw { source: Flaw::Foreign { .. }, .. }));
}

#[test]
fn nothing_is_believed_without_the_ledgers_key() {
    let mut stand = Stand::new();
    assert!(matches!(stand.verify(&[]), Err(PublishedError::Nothing { .. })));
    stand.grow(3);
    stand.export(true).unwrap();
    stand.key = PrivateKey::new("main", [8; 32]).unwrap().public().clone();
    assert!(matches!(stand.verify(&[]), Err(PublishedError::Checkpoint(_))));
    fs::write(stand.public().join("checkpoint"), "no note").unwrap();
    assert!(matches!(stand.verify(&[]), Err(PublishedError::Note(_))));
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let mut stand = Stand::new();
    stand.grow(5);
    fs::create_dir_all(stand.public()).unwrap();
    fs::write(stand.public().join("letters"), "mine").unwrap();
    assert!(matches!(stand.export(true), Err(ExportError::Occupied { .. })));
    fs::remove_file(stand.public().join("letters")).unwrap();
    stand.export(true).unwrap();
    // Another history of the same name, with a notary that has forgotten the first.
    let mut other = Stand::new();
    other.log.append(0, &other.log.chain().pack(&[b"other"]).unwrap()).unwrap();
    other.grow(9);
    fs::rename(stand.public(), other.public()).unwrap();
    let refused = other.export(true).unwrap_err();
    assert!(matches!(&refused, ExportError::Forked { .. }) && refused.is_damage(), "{refused}");
}

#[test]
fn a_log_is_compared_with_what_was_signed_of_it() {
    let mut stand = Stand::new();
    stand.grow(500);
    let (signed, kept) = (checkpoint(&stand.sign()), stand.hashes());
    stand.grow(520);
    let verify = |log: &MemoryLog, kept: Option<&KeptHashes>| {
        let against = ("main", std::slice::from_ref(&signed));
        let whole = verify_log(log.reader().as_ref(), against, kept, &mut |_| {});
        let end = verify_end(log.reader().as_ref(), &signed, kept);
        assert_eq!(whole.is_ok(), end.is_ok());
        whole.map_err(|error| (error.to_string(), end.unwrap_err().to_string()))
    };
    assert_eq!(verify(&stand.log, Some(&kept)).unwrap().size, 520);
    // Whoever can write everything but the signature makes a history that is whole in itself.
    let forged = |entries: Vec<Vec<u8>>| {
        let mut log = MemoryLog::new(LEDGER);
        log.append(0, &log.chain().pack(&entries).unwrap()).unwrap();
        log
    };
    let honest: Vec<_> = (0..520).map(entry).collect();
    let mut changed = honest.clone();
    changed[123] = b"forged".to_vec();
    let mut removed = honest.clone();
    removed.remove(321);
    let mut swapped = honest.clone();
    swapped.swap(4, 5);
    let mut inserted = honest.clone();
    inserted.insert(77, b"new".to_vec());
    let cut = honest[..450].to_vec();
    let cases = [(changed, 123), (removed, 321), (swapped, 4), (inserted, 77)];
    for (entries, position) in cases {
        let log = forged(entries);
        let (whole, end) = verify(&log, Some(&kept)).unwrap_err();
        for told in [&whole, &end] {
            assert!(told.starts_with(&format!("position {position} was altered")), "{told}");
        }
        let difference = first_difference(&kept, log.reader().as_ref(), 500).unwrap();
        assert_eq!(difference, Some(position));
        // Without the hashes it is only known to be below what was signed.
        let (whole, end) = verify(&log, None).unwrap_err();
        for told in [&whole, &end] {
            assert!(told.starts_with("one of the positions 0 to 499 was altered"), "{told}");
        }
    }
    let (whole, end) = verify(&forged(cut), None).unwrap_err();
    for told in [&whole, &end] {
        assert!(told.starts_with("position 450 and what followed it are missing"), "{told}");
    }
}
