//! A log that fails: what was acknowledged is there once, nothing is there by halves, and what
//! failed may be sent again.

use crate::ledger::{Given, LEDGER, commits, customer, deal, market, operator, options, ready};
use chl_bus::{Answer, Bus, LogError, Parts};
use chl_log::{EventLog, FaultyLog, MemoryLog};
use std::collections::BTreeMap;

/// The parts of a ledger whose log fails in `per_mille` of a thousand appends.
fn faulty(given: &Given, seed: u64, per_mille: u64) -> Parts {
    let log = given.log.clone();
    let mut opened = 0;
    let open = move || {
        opened += 1;
        // The first commit is written while opening, which is for others to test.
        let per_mille = if opened == 1 && log.head().next == 0 { 0 } else { per_mille };
        let faulty = FaultyLog::new(Box::new(log.clone()), seed.wrapping_mul(opened), per_mille);
        Ok::<Box<dyn EventLog>, LogError>(Box::new(faulty))
    };
    Parts { log: Box::new(open), ..given.parts(None) }
}

fn lines() -> Vec<String> {
    let mut lines = market();
    for number in 0..40 {
        lines.push(customer(&format!("c{number}")));
        lines.push(deal(&format!("d{number}"), "p", "acme"));
        lines.push(deal(&format!("e{number}"), "q", &format!("c{number}")));
        lines.push(deal(&format!("f{number}"), "p", &format!("c{number}")));
    }
    lines
}

/// Sends every line until it is accepted; several are under way at once.
fn send_until_accepted(bus: &Bus, lines: &[String], at_once: usize) -> (Vec<Answer>, usize) {
    let connection = operator();
    let mut failures = 0;
    let mut accepted = Vec::new();
    for window in lines.chunks(at_once) {
        let mut left: Vec<&String> = window.iter().collect();
        while !left.is_empty() {
            let sent: Vec<_> = left
                .iter()
                .map(|line| bus.client().send(vec![ready(line, &connection)]).unwrap())
                .collect();
            let mut again = Vec::new();
            for (line, answers) in left.into_iter().zip(sent) {
                let answer = answers.recv().unwrap().remove(0);
                if answer.is_accepted() {
                    accepted.push(answer);
                } else {
                    again.push(line);
                    failures += 1;
                }
            }
            left = again;
            assert!(failures < 100_000, "no progress");
        }
    }
    (accepted, failures)
}

#[test]
fn what_was_acknowledged_is_there_once_and_nothing_by_halves() {
    let mut failures_of_all = 0;
    for seed in 1..20 {
        let given = Given::new();
        drop(given.open());
        let bus = Bus::open(faulty(&given, seed, 250), &options()).unwrap();
        let (accepted, failures) = send_until_accepted(&bus, &lines(), 16);
        failures_of_all += failures;
        bus.close();
        let mut count = BTreeMap::new();
        let all = commits(&given.log);
        for commit in all.iter().filter(|commit| commit.origin.source == "/test") {
            *count.entry(commit.origin.id.to_string()).or_insert(0) += 1;
        }
        assert_eq!(count.len(), lines().len(), "seed {seed}");
        assert!(count.values().all(|count| *count == 1), "seed {seed}: {count:?}");
        for answer in &accepted {
            let Answer::Accepted(answer) = answer else { panic!("{answer:?}") };
            let position = usize::try_from(answer.commit.position).unwrap();
            assert_eq!(all[position], *answer.commit, "seed {seed}");
        }
        assert_eq!(replayed(&given), given.log.head(), "seed {seed}: a chain was cut");
    }
    assert!(failures_of_all > 100, "the log hardly failed: {failures_of_all}");
}

/// The head of a ledger made anew of a log's commands.
fn replayed(given: &Given) -> chl_log::Head {
    let lines: Vec<String> =
        commits(&given.log).iter().filter_map(|commit| chl_bus::export(commit).unwrap()).collect();
    let (_, opening) = chl_bus::read_opening(lines[0].as_bytes()).unwrap().unwrap();
    let anew = Given { log: MemoryLog::new(LEDGER), keys: Default::default(), ..given.clone() };
    let bus = Bus::open(anew.parts(None), &chl_bus::Options { opening, ..options() }).unwrap();
    let connection = chl_bus::replaying("anybody".parse().unwrap());
    let commands = lines[1..].iter().map(|line| ready(line, &connection)).collect();
    bus.client().submit_all(commands).unwrap();
    bus.reader().head()
}

#[test]
fn a_log_that_stays_away_fails_every_command_until_it_is_back() {
    let given = Given::new();
    drop(given.open());
    let (log, away) = (given.log.clone(), std::sync::Arc::new(std::sync::Mutex::new(true)));
    let is_away = std::sync::Arc::clone(&away);
    let mut opened = 0;
    let open = move || {
        opened += 1;
        if opened > 1 && *is_away.lock().unwrap() {
            return Err(LogError::from("the disk is gone"));
        }
        let mut faulty = FaultyLog::new(Box::new(log.clone()), 1, 0);
        if opened == 1 {
            faulty.fail_next(chl_log::Fault::Lost);
        }
        Ok::<Box<dyn EventLog>, LogError>(Box::new(faulty))
    };
    let parts = Parts { log: Box::new(open), ..given.parts(None) };
    let bus = Bus::open(parts, &options()).unwrap();
    for _ in 0..3 {
        let answer = crate::ledger::send(&bus, &[customer("acme")]).remove(0);
        assert_eq!(answer.code(), Some("log.unavailable"));
    }
    *away.lock().unwrap() = false;
    let answer = crate::ledger::send(&bus, &[customer("acme")]).remove(0);
    assert!(answer.is_accepted(), "{answer:?}");
    let again = crate::ledger::json(&crate::ledger::send(&bus, &[customer("acme")])[0]);
    assert_eq!(again["duplicate"], serde_json::json!(true));
}
