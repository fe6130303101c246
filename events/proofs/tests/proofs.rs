//! Proofs from kept hashes, against the definition of RFC 6962 taken word for word.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use chl_events::{Hash, LedgerId};
use chl_log::{Chain, EventLog, MemoryLog, conformance::naive_root, leaf_hash, node_hash};
use chl_proofs::{
    HashesError, KeptHashes, Nodes, ProveError, TreeHead, check_consistency, check_inclusion,
    prove_consistency, prove_inclusion, root_at,
};
use proptest::prelude::*;
use std::{cell::RefCell, collections::HashMap, convert::Infallible, fs};

const LEDGER: LedgerId = LedgerId(*b"proofs of ledger");
/// The sizes that are proved.
const SIZES: usize = 2_000;

fn commits(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("commit {number}").into_bytes()).collect()
}

/// PATH of RFC 6962, section 2.1.1.
fn path(index: usize, entries: &[Vec<u8>]) -> Vec<Hash> {
    if entries.len() == 1 {
        return Vec::new();
    }
    let half = entries.len().next_power_of_two() / 2;
    let (left, right) = entries.split_at(half);
    let (mut path, sibling) = if index < half {
        (path(index, left), naive_root(right))
    } else {
        (path(index - half, right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962, section 2.1.2.
fn subproof(older: usize, entries: &[Vec<u8>], whole: bool) -> Vec<Hash> {
    if older == entries.len() {
        return if whole { Vec::new() } else { vec![naive_root(entries)] };
    }
    let half = entries.len().next_power_of_two() / 2;
    let (left, right) = entries.split_at(half);
    let (mut proof, sibling) = if older <= half {
        (subproof(older, left, whole), naive_root(right))
    } else {
        (subproof(older - half, right, false), naive_root(left))
    };
    proof.push(sibling);
    proof
}

/// A log with commits, in blocks of a few each.
fn log(commits: &[Vec<u8>]) -> MemoryLog {
    let mut log = MemoryLog::new(LEDGER);
    for group in commits.chunks(7) {
        let (at, blocks) = (log.head().next, log.chain().pack(group).unwrap());
        log.append(at, &blocks).unwrap();
    }
    log
}

fn kept(dir: &std::path::Path, log: &MemoryLog) -> KeptHashes {
    let mut kept = KeptHashes::open(dir, LEDGER).unwrap();
    kept.catch_up(log.reader().as_ref(), &mut |_| {}).unwrap();
    kept
}

fn tree(entries: &[Vec<u8>]) -> TreeHead {
    TreeHead { size: entries.len() as u64, root: naive_root(entries) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn proofs_are_those_of_the_definition(
        (size, older, index) in (1..=SIZES).prop_flat_map(|size| (Just(size), 1..=size, 0..size)),
        bit in 0..256_usize,
    ) {
        thread_local! {
            static KEPT: RefCell<Option<(tempfile::TempDir, KeptHashes)>> = const { RefCell::new(None) };
        }
        let all = commits(SIZES);
        let entries = &all[..size];
        KEPT.with_borrow_mut(|held| {
            let (_, kept) = held.get_or_insert_with(|| {
                let dir = tempfile::tempdir().unwrap();
                let hashes = kept(dir.path(), &log(&all));
                (dir, hashes)
            });
            let (head, position) = (tree(entries), index as u64);
            prop_assert_eq!(root_at(kept, head.size).unwrap(), head.root);
            let mut proof = prove_inclusion(kept, head.size, position).unwrap();
            prop_assert_eq!(&proof, &path(index, entries));
            check_inclusion(&all[index], position, &head, &proof).unwrap();
            prop_assert!(check_inclusion(b"another", position, &head, &proof).is_err());
            let other = if index == 0 { head.size } else { position - 1 };
            prop_assert!(check_inclusion(&all[index], other, &head, &proof).is_err());
            let old = tree(&all[..older]);
            let mut grown = prove_consistency(kept, old.size, head.size).unwrap();
            prop_assert_eq!(&grown, &subproof(older, entries, true));
            check_consistency(&old, &head, &grown).unwrap();
            for hashes in [&mut proof, &mut grown] {
                if let Some(last) = hashes.last_mut() {
                    last.0[bit / 8] ^= 1 << (bit % 8);
                }
            }
            if size > 1 {
                prop_assert!(check_inclusion(&all[index], position, &head, &proof).is_err());
            }
            if older < size {
                prop_assert!(check_consistency(&old, &head, &grown).is_err());
            }
            Ok(())
        })?;
    }
}

/// Hashes of a small tree, each counted when it is asked for.
struct Few(Vec<Vec<u8>>, RefCell<HashMap<(u32, u64), u32>>);

impl Nodes for Few {
    type Error = Infallible;

    fn node(&self, level: u32, index: u64) -> Result<Hash, Infallible> {
        *self.1.borrow_mut().entry((level, index)).or_default() += 1;
        let (from, count) = ((index << level) as usize, 1 << level);
        Ok(naive_root(&self.0[from..from + count]))
    }
}

#[test]
fn a_proof_asks_for_each_node_once_and_for_no_more_than_the_tree_is_high() {
    let few = Few(commits(200), RefCell::default());
    for (size, position) in [(200, 0), (200, 199), (129, 128), (199, 130), (1, 0)] {
        prove_inclusion(&few, size, position).unwrap();
        prove_consistency(&few, position + 1, size).unwrap();
        let asked = few.1.take();
        assert!(asked.values().all(|times| *times <= 2), "{asked:?}");
        assert!(asked.len() <= 24, "{} nodes of a tree of {size}", asked.len());
    }
}

#[test]
fn what_is_in_no_tree_has_no_proof() {
    let few = Few(commits(5), RefCell::default());
    for (size, position) in [(0, 0), (5, 5), (5, 6), (u64::MAX, 1)] {
        let refused = prove_inclusion(&few, size, position).unwrap_err();
        assert_eq!(refused, ProveError::Outside { position, size });
    }
    for (older, size) in [(0, 5), (6, 5), (0, 0)] {
        let refused = prove_consistency(&few, older, size).unwrap_err();
        assert_eq!(refused, ProveError::Outside { position: older, size });
    }
    let head = TreeHead { size: u64::MAX, root: naive_root(&few.0) };
    assert!(check_inclusion(b"commit 0", 0, &head, &[]).is_err());
    assert!(check_consistency(&head, &head, &[]).is_err());
    let empty = TreeHead { size: 0, root: naive_root::<Vec<u8>>(&[]) };
    assert!(check_inclusion(b"commit 0", 0, &empty, &[]).is_err());
    assert!(check_consistency(&empty, &tree(&few.0), &[]).is_err(), "nothing vouches for nothing");
}

#[test]
fn kept_hashes_go_on_where_they_ended() {
    let dir = tempfile::tempdir().unwrap();
    let all = commits(1_500);
    for size in [0, 1, 255, 256, 257, 700, 1_500] {
        let hashes = kept(dir.path(), &log(&all[..size]));
        assert_eq!(hashes.head(), tree(&all[..size]));
        let again = KeptHashes::open(dir.path(), LEDGER).unwrap();
        assert_eq!(again.head(), tree(&all[..size]), "it is there again at {size}");
    }
    assert_eq!(fs::metadata(dir.path().join("level-0")).unwrap().len(), 1_500 * 32);
    assert_eq!(fs::metadata(dir.path().join("level-1")).unwrap().len(), 5 * 32);
}

/// What happens to a file's bytes.
type Damage = fn(&mut Vec<u8>);

#[test]
fn hashes_in_doubt_count_nothing_and_are_made_anew() {
    let all = commits(600);
    let log = log(&all);
    let damages: [(&str, Damage); 4] = [
        ("edge", |bytes| bytes[30] ^= 1),
        ("edge", |bytes| bytes.truncate(20)),
        ("level-0", |bytes| bytes.truncate(599 * 32)),
        ("level-1", |bytes| bytes[3] ^= 0x80),
    ];
    for (file, damage) in damages {
        let dir = tempfile::tempdir().unwrap();
        let whole = kept(dir.path(), &log).head();
        let path = dir.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        damage(&mut bytes);
        fs::write(&path, bytes).unwrap();
        assert_eq!(KeptHashes::open(dir.path(), LEDGER).unwrap().head().size, 0, "{file}");
        assert_eq!(kept(dir.path(), &log).head(), whole);
    }
    // Those of another ledger, and those of another history of this one.
    let dir = tempfile::tempdir().unwrap();
    let other = self::log(&commits(601)[1..]);
    assert_eq!(kept(dir.path(), &other).head().size, 600);
    assert_eq!(kept(dir.path(), &log).head(), tree(&all));
    let foreign = KeptHashes::open(dir.path(), LedgerId([1; 16])).unwrap();
    assert_eq!(foreign.head().size, 0);
    // What a log lost is not kept.
    let short = self::log(&all[..300]);
    assert_eq!(kept(dir.path(), &short).head(), tree(&all[..300]));
}

#[test]
fn a_log_that_does_not_give_its_own_root_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let entries = commits(20);
    let honest = log(&entries);
    let blocks: Vec<_> = honest.read(0).unwrap().map(Result::unwrap).collect();
    // The second block holds other commits of the same length, and the third was not made for it.
    let root = blocks[1].root_before();
    let forged = chl_events::Block::new(LEDGER, 7, root, &entries[..7]).unwrap();
    let reader = Forged(vec![blocks[0].clone(), forged, blocks[2].clone()], honest.head());
    let mut hashes = KeptHashes::open(dir.path(), LEDGER).unwrap();
    let refused = hashes.catch_up(&reader, &mut |_| {}).unwrap_err();
    assert!(matches!(refused, HashesError::Differs { position: 14 }), "{refused}");
    let outside = hashes.node(0, 0).unwrap_err();
    assert!(matches!(outside, HashesError::Outside { position: 0, size: 0 }), "{outside}");
}

/// A log that gives blocks as they are.
struct Forged(Vec<chl_events::Block>, chl_log::Head);

impl chl_log::ReadLog for Forged {
    fn head(&self) -> chl_log::Head {
        self.1
    }

    fn read(&self, from: u64) -> Result<chl_log::Blocks, chl_log::ReadError> {
        let blocks: Vec<_> = self.0.iter().filter(|block| block.next() > from).cloned().collect();
        Ok(Box::new(blocks.into_iter().map(Ok)))
    }

    fn wait_beyond(
        &self,
        _: u64,
        _: std::time::Duration,
    ) -> Result<chl_log::Head, chl_log::ReadError> {
        Ok(self.1)
    }
}

#[test]
fn the_root_of_two_subtrees_is_the_node_over_them() {
    let few = Few(commits(2), RefCell::default());
    let over = node_hash(&leaf_hash(b"commit 0"), &leaf_hash(b"commit 1"));
    assert_eq!(root_at(&few, 2).unwrap(), over);
    assert_eq!(Chain::new(LEDGER).root(), root_at(&few, 0).unwrap());
}
