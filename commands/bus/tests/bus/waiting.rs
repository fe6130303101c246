//! No answer of any kind leaves before what its decision saw is durable; blocks are handed on after
//! it; a clock that is not believed writes nothing; refusals are noted.

use crate::ledger::{
    Given, customer, json, line, march, operator, options, partner, ready, recruit, send,
};
use chl_bus::{Bus, Journal, JournalLimits, LogError, Parts, prepare, replaying};
use chl_events::Block;
use chl_log::{AppendError, Chain, EventLog, Head, MemoryLog, ReadLog, SettleError};
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

/// A log whose appends wait until they are let through.
struct Gated {
    log: MemoryLog,
    arrived: Sender<()>,
    gate: Arc<Mutex<Receiver<()>>>,
}

impl EventLog for Gated {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError> {
        self.arrived.send(()).unwrap();
        self.gate.lock().unwrap().recv().unwrap();
        self.log.append(expected, blocks)
    }

    fn chain(&self) -> Chain {
        self.log.chain()
    }

    fn settle(&mut self) -> Result<(), SettleError> {
        self.log.settle()
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        self.log.reader()
    }
}

#[test]
fn no_answer_leaves_before_what_it_saw_is_durable() {
    let given = Given::new();
    drop(given.open());
    let (arrived, arrives) = channel();
    let (let_through, gate) = channel();
    let (log, gate) = (given.log.clone(), Arc::new(Mutex::new(gate)));
    let open = move || {
        let (log, arrived, gate) = (log.clone(), arrived.clone(), Arc::clone(&gate));
        Ok::<Box<dyn EventLog>, LogError>(Box::new(Gated { log, arrived, gate }))
    };
    let bus = Bus::open(Parts { log: Box::new(open), ..given.parts(None) }, &options()).unwrap();
    let connection = operator();
    let ask = |text: &str| bus.client().send(vec![ready(text, &connection)]).unwrap();
    let accepted = ask(&recruit("p"));
    arrives.recv().unwrap();
    let refused =
        ask(&line("RecruitPartner", "x", r#"{"partner":"p","name":"P","types":["var"]}"#));
    let duplicate = ask(&recruit("p"));
    let moment = Duration::from_millis(50);
    for answer in [&accepted, &refused, &duplicate] {
        assert!(answer.recv_timeout(moment).is_err(), "an answer left too early");
    }
    let_through.send(()).unwrap();
    assert!(accepted.recv().unwrap()[0].is_accepted());
    assert_eq!(refused.recv().unwrap()[0].code(), Some("partner.known"));
    assert_eq!(json(&duplicate.recv().unwrap()[0])["duplicate"], json!(true));
}

#[test]
fn blocks_are_handed_on_in_order_and_without_a_gap() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &[customer("a")]);
    let following = bus.client().follow(1).unwrap();
    assert_eq!(following.from(), 2);
    send(&bus, &[customer("b")]);
    let taking = std::thread::spawn(move || {
        let from = following.from();
        (from, std::iter::from_fn(|| following.next(1)).flatten().collect::<Vec<_>>())
    });
    send(&bus, &[customer("c")]);
    bus.close();
    let (mut next, blocks) = taking.join().unwrap();
    for block in blocks {
        assert_eq!(block.first(), next);
        next = block.next();
    }
    assert_eq!(next, 4);
}

#[test]
fn a_clock_that_is_not_believed_writes_nothing() {
    let given = Given::new();
    given.clock.set(march(100_000));
    let bus = given.open();
    send(&bus, &[customer("a")]);
    given.clock.set(march(0));
    let behind = json(&send(&bus, &[customer("b")])[0]);
    assert_eq!((&behind["code"], &behind["retry"]), (&json!("clock.suspect"), &json!(true)));
    bus.client().believe_clock().unwrap();
    let believed = json(&send(&bus, &[customer("b")])[0]);
    assert_eq!(believed["recorded_at"], json!(march(100_000).to_string()));
    given.clock.set(march(200_000));
    assert_eq!(send(&bus, &[customer("c")])[0].code(), Some("clock.suspect"));
    given.clock.set(march(0));
    given.clock.advance(Duration::from_secs(200_000));
    assert!(send(&bus, &[customer("c")])[0].is_accepted(), "time that passed is believed");
}

#[test]
fn refusals_are_noted_without_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let given = Given::new();
    let journal = Arc::new(Journal::open(dir.path(), JournalLimits::default()).unwrap());
    let parts = Parts { journal: Some(journal), ..given.parts(None) };
    let bus = Bus::open(parts, &options()).unwrap();
    let secret = r#"{"partner":"nobody","note":"Zaphod"}"#;
    let refused = send(&bus, &[line("ApplyForProgramme", "a", secret)]);
    assert_eq!(refused[0].code(), Some("partner.unknown"));
    let malformed = bus.client().prepare(b"{\"id\": Zaphod", &operator(), march(7));
    assert_eq!(malformed.unwrap_err().code(), Some("command.malformed"));
    bus.close();
    let file = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap();
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(!text.contains("Zaphod"), "{text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let noted = |code: &str| lines.iter().find(|line| line["code"] == json!(code)).unwrap();
    assert_eq!(noted("partner.unknown")["actor"], json!("op"));
    assert_eq!(noted("command.malformed")["bytes"], json!(13));
}

#[test]
fn what_a_decision_refused_can_be_read_back_and_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let given = Given::new();
    let journal = Arc::new(Journal::open(dir.path(), JournalLimits::default()).unwrap());
    let parts = Parts { journal: Some(journal), ..given.parts(None) };
    let bus = Bus::open(parts, &options()).unwrap();
    let apply = line("ApplyForProgramme", "a", r#"{"partner":"p-1","note":"Zaphod"}"#);
    let first = send(&bus, std::slice::from_ref(&apply));
    assert_eq!(first[0].code(), Some("partner.unknown"));
    let denied = ready(&line("SuspendPartner", "s", r#"{"partner":"p-1"}"#), &partner("p-1"));
    assert!(!bus.client().submit_all(vec![denied]).unwrap()[0].is_accepted());
    drop(bus.client().prepare(b"{", &operator(), march(7)));
    send(&bus, &[recruit("p-1")]);
    bus.close();
    // The writer may be in the middle of a line.
    let file = std::fs::read_dir(dir.path()).unwrap().next().unwrap().unwrap().path();
    let mut text = std::fs::read_to_string(&file).unwrap();
    text.push_str("{\"at\":");
    std::fs::write(&file, text).unwrap();

    let noted: Vec<_> = chl_bus::noted(dir.path()).unwrap().map(Result::unwrap).collect();
    let codes: Vec<_> = noted.iter().map(|one| (one.code.as_str(), one.before)).collect();
    assert_eq!(codes.len(), 3, "{codes:?}");
    assert!(codes.contains(&("partner.unknown", Some(1))), "{codes:?}");
    assert!(codes.contains(&("command.malformed", None)), "{codes:?}");
    let document = noted.iter().find_map(|one| one.document.as_ref()).unwrap();
    let again = prepare(document.get().as_bytes(), &replaying("op".parse().unwrap())).unwrap();
    let sent = ready(&apply, &operator());
    assert_eq!(again.origin().actor, sent.origin().actor);
    let bus = given.open();
    let answer = bus.client().submit_all(vec![again]).unwrap().pop().unwrap();
    assert!(answer.is_accepted(), "{answer:?}");
    let duplicate = json(&send(&bus, &[apply])[0]);
    assert_eq!(duplicate["duplicate"], json!(true), "its texts are sealed as they would have been");
}
