//! Properties over generated histories, on the whole path: a line of JSON, the ledger, the views.
//!
//! Of every history: debits equal credits per event, book and currency; no balance is negative; a
//! hold ends once; the identity of balances; views built anew equal those kept up to date; answers
//! and root do not depend on how commands fell into groups. Over all of them: every event type,
//! every edge of the states and every rejection code of classes 2 to 7 occurred, and at least half
//! of the commands were accepted. `CHL_HISTORIES` says how many; a failure names its seed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "JSON objects are read by their keys")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

use model::{
    coverage::Coverage,
    history::{History, tell, tell_file},
    path::Ledger,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// How many histories are told where nobody says.
const HISTORIES: u64 = 300;

/// Names what was being told when a property breaks.
struct Named(String);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the history of {}", self.0);
        }
    }
}

/// The same lines in groups of any size: the same answers, the same root.
///
/// A key that is gone, or not there yet, is part of what a command that forgets somebody is decided
/// by: of a history with such commands the lines are those of its export, which holds the keys.
fn regrouped(history: &History, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let vault = Arc::clone(&history.vault);
    let ledger = Ledger::with(rng.random_range(1..200), vault);
    let exported = history.forgets().then(|| history.ledger.exported());
    let mut rest = exported.as_deref().unwrap_or(&history.lines);
    let mut answers = Vec::new();
    while !rest.is_empty() {
        let (group, after) = rest.split_at(rng.random_range(1..=rest.len().min(64)));
        let told = ledger.answers(group);
        answers.extend(told.iter().map(|answer| serde_json::to_string(answer).unwrap()));
        rest = after;
    }
    assert_eq!(history.ledger.root(), ledger.root(), "another root in groups");
    if exported.is_some() {
        return;
    }
    for ((line, one), grouped) in history.lines.iter().zip(&history.answers).zip(&answers) {
        assert_eq!(one, grouped, "another answer in a group to {line}");
    }
}

fn histories() -> u64 {
    let asked = std::env::var("CHL_HISTORIES").ok();
    asked.map_or(HISTORIES, |text| text.parse().expect("CHL_HISTORIES is a number"))
}

#[test]
fn histories_keep_every_property_and_reach_everything() {
    let histories = histories();
    let next = AtomicU64::new(0);
    let reached = Mutex::new((Coverage::default(), Vec::new()));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= histories {
                break;
            }
            let _named = Named(format!("seed {seed}"));
            let history = tell(seed);
            regrouped(&history, seed);
            let mut reached = reached.lock().unwrap();
            reached.0.join(history.coverage);
            reached.1.extend(history.surprises);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let (mut coverage, surprises) = reached.into_inner().unwrap();
    let (accepted, sent) = (coverage.accepted, coverage.sent);
    for path in examples() {
        let _named = Named(path.clone());
        let history = tell_file(Path::new(&path));
        regrouped(&history, 0);
        coverage.join(history.coverage);
    }
    println!("{}", coverage.report());
    println!("{accepted} of {sent} commands of {histories} histories were accepted");
    for surprise in surprises.iter().take(40) {
        println!("the model expected {surprise}");
    }
    println!("{} surprises", surprises.len());
    assert!(accepted * 2 >= sent, "less than half were accepted");
    let missing = coverage.missing();
    assert!(missing.is_empty(), "{histories} histories did not reach {missing:#?}");
}

/// The examples of rejections are histories too, for codes that chance seldom meets.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rejections");
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path().display().to_string());
    let mut examples: Vec<_> = paths.filter(|path| path.ends_with(".jsonl")).collect();
    examples.sort();
    examples
}
