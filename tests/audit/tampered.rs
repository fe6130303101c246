//! Random forgeries of a ledger and of what was published of it: each is found, and named.

use crate::stand::{Stand, copy_dir, random, rounds};
use chl_events::LedgerId;
use chl_log::EventLog;
use chl_log_sled::{Options, SledLog};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// So small that the ledger has sealed files and a head.
const SEAL_BYTES: u64 = 20_000;

/// What somebody does to entries.
#[derive(Debug, Clone, Copy)]
enum Forgery {
    Flip,
    Remove,
    Swap,
    Insert,
}

impl Forgery {
    fn any(random: &mut ChaCha8Rng) -> Self {
        [Self::Flip, Self::Remove, Self::Swap, Self::Insert][random.random_range(0..4)]
    }

    /// Forges entries behind the first, which names the ledger; says from which position on.
    fn forge(self, entries: &mut Vec<Vec<u8>>, random: &mut ChaCha8Rng) -> usize {
        let at = random.random_range(1..entries.len() - 1);
        match self {
            Self::Flip => {
                let byte = random.random_range(0..entries[at].len());
                entries[at][byte] ^= 1 << random.random_range(0..8);
            }
            Self::Remove => {
                entries.remove(at);
            }
            Self::Swap => {
                let other = random.random_range(at + 1..entries.len());
                entries.swap(at, other);
            }
            Self::Insert => {
                let copy = entries[random.random_range(0..entries.len())].clone();
                entries.insert(at, copy);
            }
        }
        at
    }
}

/// An honest ledger with all that its auditor has.
struct Honest {
    stand: Stand,
    ledger: LedgerId,
    entries: Vec<Vec<u8>>,
}

impl Honest {
    fn new() -> Self {
        let mut stand = Stand::new();
        stand.desk = stand.desk.sealing_at(SEAL_BYTES);
        stand.sell(0, 200);
        stand.sell(200, 400);
        // What is sent last is too little to be sealed.
        stand.sell(400, 403);
        stand.checkpoint("kept");
        stand.audited(&["export", "public", "--entries"]);
        let options = Options { seal_bytes: SEAL_BYTES, ..Options::default() };
        let log = SledLog::open(&stand.desk.path("main/log"), options).unwrap();
        let blocks = log.read(0).unwrap().map(Result::unwrap);
        let entries =
            blocks.flat_map(|block| block.commits().map(<[u8]>::to_vec).collect::<Vec<_>>());
        let entries: Vec<_> = entries.collect();
        let ledger = log.head().ledger;
        let sealed = log.reader().sealed_to();
        assert!(sealed > 0 && sealed < log.head().next, "sealed to {sealed} of {}", log.head());
        drop(log);
        Self { stand, ledger, entries }
    }

    /// A copy of a folder of the ledger's, to be forged.
    fn copied(&self, below: &str) -> PathBuf {
        let copy = self.stand.desk.path("forged");
        let _earlier = fs::remove_dir_all(&copy);
        copy_dir(&self.stand.desk.path(below), &copy);
        copy
    }

    /// What a verification says that must fail.
    fn refused(&self, what: &str, args: &[&str]) -> String {
        let run = self.stand.audit_with_key(args);
        assert_eq!(run.code, 6, "{what}: {}{}", run.out, run.err);
        assert_eq!(run.out, "", "{what}");
        run.err
    }

    fn verify_log(&self, what: &str) -> String {
        self.refused(what, &["--ledger", "forged", "verify", "--against", "kept"])
    }
}

/// Whether a text names a position: itself, or within a range.
fn names(text: &str, position: usize) -> bool {
    let numbers: Vec<usize> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    text.contains("position")
        && (numbers.contains(&position)
            || numbers.windows(2).any(|pair| pair[0] <= position && position <= pair[1]))
}

/// Flips a bit of an entry wherever its bytes stand below a folder; says how often that is.
fn flip_stored(dir: &Path, entry: &[u8], bit: usize) -> usize {
    let mut found = 0;
    for file in fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found += flip_stored(&path, entry, bit);
            continue;
        }
        let mut bytes = fs::read(&path).unwrap();
        let places: Vec<usize> = (0..bytes.len().saturating_sub(entry.len()))
            .filter(|at| bytes[*at] == entry[0] && bytes[*at..].starts_with(entry))
            .collect();
        for at in &places {
            bytes[at + bit / 8] ^= 1 << (bit % 8);
        }
        if !places.is_empty() {
            fs::write(&path, bytes).unwrap();
        }
        found += places.len();
    }
    found
}

#[test]
fn a_bit_that_flips_in_the_log_is_named() {
    let (honest, mut random) = (Honest::new(), random("flipped bits"));
    for case in 0..rounds("CHL_TAMPERED", 8) {
        let copy = honest.copied("main");
        let at = random.random_range(0..honest.entries.len());
        let entry = &honest.entries[at];
        let bit = random.random_range(0..entry.len() * 8);
        assert!(flip_stored(&copy.join("log"), entry, bit) > 0, "entry {at} is stored somewhere");
        let what = format!("case {case}: bit {bit} of entry {at}");
        let told = honest.verify_log(&what);
        assert!(told.contains("position"), "{what}: {told}");
    }
}

/// The strongest forger: can write every file and make it whole again, and has no key.
#[test]
fn a_log_that_was_made_anew_is_named_by_its_first_forged_position() {
    let (honest, mut random) = (Honest::new(), random("forged logs"));
    for case in 0..rounds("CHL_TAMPERED", 8) {
        let copy = honest.copied("main");
        let (mut entries, forgery) = (honest.entries.clone(), Forgery::any(&mut random));
        let at = forgery.forge(&mut entries, &mut random);
        let at = (at..).find(|at| entries.get(*at) != honest.entries.get(*at)).unwrap();
        let log = copy.join("log");
        fs::remove_dir_all(&log).unwrap();
        let options = Options { seal_bytes: SEAL_BYTES, ..Options::create(honest.ledger) };
        let mut forged = SledLog::open(&log, options).unwrap();
        for group in entries.chunks(50) {
            let (next, blocks) = (forged.head().next, forged.chain().pack(group).unwrap());
            forged.append(next, &blocks).unwrap();
        }
        forged.settle().unwrap();
        drop(forged);
        for cache in ["states.sqlite", "views.sqlite"] {
            let _gone = fs::remove_file(copy.join(cache));
        }
        // With or without what was signed here; the checkpoint kept elsewhere is enough.
        if random.random_bool(0.5) {
            fs::remove_dir_all(copy.join("audit")).unwrap();
        }
        let what = format!("case {case}: {forgery:?} at {at}");
        let told = honest.verify_log(&what);
        assert!(names(&told, at), "{what}: {told}");
        // Without the hashes it is still found, and named as near as can be.
        fs::remove_dir_all(copy.join("hashes")).unwrap();
        let told = honest.verify_log(&what);
        assert!(told.contains("position"), "{what}: {told}");
    }
}

#[test]
fn a_forged_export_is_named_by_its_first_forged_position() {
    let (honest, mut random) = (Honest::new(), random("forged exports"));
    for case in 0..rounds("CHL_TAMPERED", 8) {
        let copy = honest.copied("public");
        let (mut entries, forgery) = (honest.entries.clone(), Forgery::any(&mut random));
        let at = forgery.forge(&mut entries, &mut random);
        let at = (at..).find(|at| entries.get(*at) != honest.entries.get(*at)).unwrap();
        let bundles = copy.join("tile/entries");
        fs::remove_dir_all(&bundles).unwrap();
        for (index, bundle) in entries.chunks(256).enumerate() {
            let framed = bundle.iter().flat_map(|entry| {
                let length = u16::try_from(entry.len()).unwrap().to_be_bytes();
                [length.to_vec(), entry.clone()].concat()
            });
            let full = index < honest.entries.len() / 256;
            let width = honest.entries.len() % 256;
            let name = if full { format!("{index:03}") } else { format!("{index:03}.p/{width}") };
            let path = bundles.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, framed.collect::<Vec<u8>>()).unwrap();
        }
        let what = format!("case {case}: {forgery:?} at {at}");
        let told = honest.refused(&what, &["verify", "forged"]);
        assert!(told.contains(&format!("position {at} was altered")), "{what}: {told}");
    }
}

#[test]
fn a_bit_that_flips_in_a_published_tile_is_named() {
    let (honest, mut random) = (Honest::new(), random("flipped bits of tiles"));
    let tiles = files(&honest.stand.desk.path("public/tile"));
    for case in 0..rounds("CHL_TAMPERED", 8) {
        let copy = honest.copied("public");
        let tile = &tiles[random.random_range(0..tiles.len())];
        let below = tile.strip_prefix(honest.stand.desk.path("public")).unwrap();
        let mut bytes = fs::read(tile).unwrap();
        let byte = random.random_range(0..bytes.len());
        bytes[byte] ^= 1 << random.random_range(0..8);
        fs::write(copy.join(below), bytes).unwrap();
        let what = format!("case {case}: byte {byte} of {}", below.display());
        let told = honest.refused(&what, &["verify", "forged"]);
        assert!(told.contains("position"), "{what}: {told}");
    }
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
