//! What is signed, with which keys, and what never is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::LedgerId;
use chl_log::{EventLog, MemoryLog};
use chl_proofs::{Checkpoint, KeptHashes, Notary, PrivateKey, SignError};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

const LEDGER: LedgerId = LedgerId(*b"notary of ledger");

/// The hashes of a log of so many commits; `word` makes histories differ from `from` on.
fn hashes(dir: &Path, from: u8, to: u8, word: &str) -> KeptHashes {
    let mut log = MemoryLog::new(LEDGER);
    for number in 0..to {
        let text = if number < from { "same" } else { word };
        let blocks = log.chain().pack(&[format!("{number} {text}")]).unwrap();
        log.append(u64::from(number), &blocks).unwrap();
    }
    let mut hashes = KeptHashes::open(dir, LEDGER).unwrap();
    hashes.catch_up(log.reader().as_ref(), &mut |_| {}).unwrap();
    hashes
}

#[test]
fn two_histories_are_never_signed() {
    let dir = tempfile::tempdir().unwrap();
    let (notary, tiles) = (Notary::new(&dir.path().join("audit")), dir.path().join("hashes"));
    let key = PrivateKey::new("main", [1; 32]).unwrap();
    let none = notary.sign("main", &hashes(&tiles, 9, 3, "")).unwrap_err();
    assert!(matches!(none, SignError::NoKey(name) if name == "main"));
    notary.add(&key).unwrap();
    let public = [key.public().clone()];
    for size in [0, 3, 3, 5] {
        let note = notary.sign("main", &hashes(&tiles, 9, size, "")).unwrap();
        let checkpoint = Checkpoint::open(&note, &public).unwrap();
        assert_eq!(checkpoint.tree.size, u64::from(size));
        assert_eq!(notary.signed().unwrap(), Some(checkpoint));
        assert_eq!(notary.latest().unwrap(), Some(note));
    }
    let signed = fs::read(dir.path().join("audit/signed")).unwrap();
    let denied = [
        ("a shorter one", hashes(&tiles, 9, 4, ""), "main"),
        ("another root at the same size", hashes(&tiles, 4, 5, "other"), "main"),
        ("another beginning", hashes(&tiles, 2, 9, "other"), "main"),
    ];
    for (what, hashes, origin) in denied {
        let refused = notary.sign(origin, &hashes).unwrap_err();
        assert!(matches!(refused, SignError::Forked { .. }), "{what}: {refused}");
        assert!(refused.is_damage());
        assert_eq!(fs::read(dir.path().join("audit/signed")).unwrap(), signed, "{what}");
    }
    // A ledger that has another name now would speak with another's record.
    notary.add(&PrivateKey::new("other", [2; 32]).unwrap()).unwrap();
    let refused = notary.sign("other", &hashes(&tiles, 9, 6, "")).unwrap_err();
    assert!(matches!(refused, SignError::Forked { .. }), "{refused}");
    notary.sign("main", &hashes(&tiles, 9, 6, "")).unwrap();
    // A record that cannot be read is no leave to sign anything.
    fs::write(dir.path().join("audit/signed"), "main\n").unwrap();
    let refused = notary.sign("main", &hashes(&tiles, 9, 7, "")).unwrap_err();
    assert!(matches!(refused, SignError::Record { .. }), "{refused}");
}

#[test]
fn keys_are_for_their_owner_alone_and_old_ones_go_on_verifying() {
    let dir = tempfile::tempdir().unwrap();
    let notary = Notary::new(dir.path());
    let hashes = hashes(&dir.path().join("hashes"), 9, 3, "");
    let (old, new) = (PrivateKey::new("main", [1; 32]), PrivateKey::new("main", [2; 32]));
    let (old, new) = (old.unwrap(), new.unwrap());
    let old_file = notary.add(&old).unwrap();
    assert_eq!(fs::metadata(&old_file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(matches!(notary.add(&old), Err(SignError::Io { .. })), "a key is never written over");
    let first = notary.sign("main", &hashes).unwrap();
    notary.add(&new).unwrap();
    let both = notary.sign("main", &hashes).unwrap();
    for key in [&old, &new] {
        Checkpoint::open(&both, &[key.public().clone()]).unwrap();
    }
    for mode in [0o640, 0o604, 0o660, 0o700 | 0o001] {
        fs::set_permissions(&old_file, Permissions::from_mode(mode)).unwrap();
        let refused = notary.sign("main", &hashes).unwrap_err();
        assert!(matches!(refused, SignError::Loose { mode: found, .. } if found == mode));
    }
    fs::remove_file(&old_file).unwrap();
    let last = notary.sign("main", &hashes).unwrap();
    assert!(Checkpoint::open(&last, &[old.public().clone()]).is_err());
    let known = notary.public_keys().unwrap();
    assert_eq!(known.len(), 2, "what the old key has signed stays believed");
    for note in [first, both, last] {
        Checkpoint::open(&note, &known).unwrap();
    }
    fs::write(&old_file, "no key").unwrap();
    fs::set_permissions(&old_file, Permissions::from_mode(0o600)).unwrap();
    assert!(matches!(notary.sign("main", &hashes), Err(SignError::Key { .. })));
}
