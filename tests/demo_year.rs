//! The demo's year through the whole command path, on a log in memory.
//!
//! It must reach every event type and be accepted for the most part, and the same seed must end at
//! the same root.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../bin/chl/demo/mod.rs"]
mod demo;

use chl_bus::{
    Answer, Bus, Connection, LogError, MemoryKeys, Opening, Options, Parts, Prepared, SystemClock,
    Vault, prepare,
};
use chl_events::{ActorId, Commit, Event, LedgerId};
use chl_log::{EventLog, MemoryLog};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many commands are sent at a time.
const BATCH: usize = 512;

/// What the year does not hold: the tool for damaged logs makes the first, the second names keys that
/// are drawn at random, and the others state what only the read models tell.
const NOT_PLAYED: [&str; 5] = [
    "LogRepaired",
    "PersonForgotten",
    "ScorecardPublished",
    "ScorecardDisputed",
    "ScorecardDisputeSettled",
];

/// What became of a year.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    accepted: usize,
    duplicate: usize,
    /// By command type and code, with the first of each.
    refused: BTreeMap<(String, String), (usize, String)>,
    events: BTreeMap<&'static str, usize>,
    commits: u64,
    root: String,
}

impl Outcome {
    fn refusals(&self) -> usize {
        self.refused.values().map(|(count, _)| count).sum()
    }

    fn count(&mut self, answer: &Answer, line: &str) {
        match answer {
            Answer::Accepted(accepted) if accepted.duplicate => self.duplicate += 1,
            Answer::Accepted(_) => self.accepted += 1,
            Answer::Rejected { .. } | Answer::Failed { .. } => {
                let answer = serde_json::to_value(answer).unwrap();
                let document: serde_json::Value = serde_json::from_str(line).unwrap();
                let text = |value: Option<&serde_json::Value>| {
                    value.and_then(|text| text.as_str()).unwrap_or_default().to_owned()
                };
                let key = (text(document.get("type")), text(answer.get("code")));
                let first = || (0, format!("{} <- {line}", text(answer.get("message"))));
                self.refused.entry(key).or_insert_with(first).0 += 1;
            }
        }
    }
}

fn open(vault: &Arc<Vault>) -> Bus {
    let log = MemoryLog::new(LedgerId([7; 16]));
    let parts = Parts {
        log: Box::new(move || Ok::<Box<dyn EventLog>, LogError>(Box::new(log.clone()))),
        keys: Arc::new(MemoryKeys::default()),
        states: None,
        vault: Arc::clone(vault),
        clock: Box::new(SystemClock::new()),
        journal: None,
    };
    let opening = Opening {
        name: "demo".into(),
        origin: "demo".into(),
        actor: ActorId::new("demo").unwrap(),
        recorded_at: Some("2025-01-01T00:00:00Z".parse().unwrap()),
    };
    Bus::open(parts, &Options::new(opening)).unwrap()
}

fn run(seed: u64, size: demo::Size, vault: &Arc<Vault>) -> Outcome {
    let bus = open(vault);
    let connection = Connection {
        trust_claims: true,
        replay: true,
        ..Connection::operator(ActorId::new("demo").unwrap())
    };
    let mut outcome = Outcome::default();
    let mut waiting: Vec<(String, Prepared)> = Vec::new();
    let send = |waiting: &mut Vec<(String, Prepared)>, outcome: &mut Outcome| {
        let (lines, commands): (Vec<_>, Vec<_>) = waiting.drain(..).unzip();
        let answers = bus.client().submit_all(commands).unwrap();
        for (line, answer) in lines.iter().zip(&answers) {
            outcome.count(answer, line);
        }
    };
    for line in demo::commands(seed, size) {
        match prepare(line.as_bytes(), &connection) {
            Ok(command) => waiting.push((line, command)),
            Err(answer) => outcome.count(&answer, &line),
        }
        if waiting.len() == BATCH {
            send(&mut waiting, &mut outcome);
        }
    }
    send(&mut waiting, &mut outcome);
    for block in bus.reader().read(0).unwrap() {
        let block = block.unwrap();
        for bytes in block.commits() {
            for recorded in Commit::decode(bytes).unwrap().events {
                *outcome.events.entry(recorded.event.kind().name).or_default() += 1;
            }
        }
    }
    let head = bus.reader().head();
    outcome.commits = head.next;
    outcome.root = format!("{head:?}");
    outcome
}

#[test]
fn a_year_reaches_every_fact_and_is_accepted_for_the_most_part() {
    let outcome = run(1, demo::DEMO, &vault());
    // Shown when the test fails: what is refused, and the first of each.
    println!("{outcome:#?}");
    let sent = outcome.accepted + outcome.duplicate + outcome.refusals();
    assert!((45_000..55_000).contains(&sent), "{sent} commands");
    assert!(outcome.refusals() * 10 <= sent, "{} of {sent} are refused", outcome.refusals());
    assert!(outcome.duplicate > 0 && outcome.refusals() > 0);
    let missing: BTreeSet<&str> = Event::kinds()
        .map(|kind| kind.name)
        .filter(|name| !outcome.events.contains_key(name) && !NOT_PLAYED.contains(name))
        .collect();
    assert_eq!(missing, BTreeSet::new(), "events that never occur");
}

fn vault() -> Arc<Vault> {
    Arc::new(Vault::in_memory().unwrap())
}

#[test]
fn a_seed_ends_at_the_same_root_in_the_same_vault() {
    let small = demo::Size { partners: 40, commands: 3_000 };
    let vault = vault();
    let (first, second) = (run(7, small, &vault), run(7, small, &vault));
    assert_eq!(first, second);
    assert_ne!(first.root, run(8, small, &vault).root);
}

#[test]
fn lines_come_in_the_order_in_which_they_are_recorded() {
    let size = demo::Size { partners: 500, commands: 20_000 };
    let recorded = |line: String| {
        let document: serde_json::Value = serde_json::from_str(&line).unwrap();
        let at = document.get("recordedtime").and_then(|at| at.as_str()).unwrap().to_owned();
        at.parse::<chl_events::Instant>().unwrap()
    };
    let times: Vec<_> = demo::commands(3, size).map(recorded).collect();
    assert!(times.is_sorted());
    assert!((16_000..26_000).contains(&times.len()), "{}", times.len());
}
