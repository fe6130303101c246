//! Standing by: a second process that follows the log and takes it over.

use crate::ledger::{Given, customer, deal, json, line, market, options, recruit, send};
use chl_bus::{Bus, Options, Standby};
use chl_events::Block;
use chl_log::{AppendError, Chain, EventLog, Head, ReadLog, SettleError};
use serde_json::json;
use std::sync::Arc;

#[test]
fn a_standby_goes_on_where_the_writer_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (writers, standbys) = (Given::new(), dir.path().join("standby"));
    let writer = writers.open();
    let other = Given { keys: Arc::default(), ..writers.clone() };
    let small = Options { flush_bytes: 1, state_bytes: 1, ..options() };
    let parts = other.parts(Some(&standbys));
    let mut standby = Standby::open(parts, writers.log.reader(), &small).unwrap();
    for lines in [market(), vec![deal("d1", "p", "acme")], vec![customer("x"), recruit("y")]] {
        send(&writer, &lines);
        standby.follow().unwrap();
    }
    // What came last it has not seen before it takes over.
    send(&writer, &[customer("z")]);
    writer.close();
    let bus = Bus::take_over(standby).unwrap();
    let again = send(&bus, &[deal("d1", "p", "acme"), customer("z")]);
    assert!(again.iter().all(|answer| json(answer)["duplicate"] == json!(true)), "{again:?}");
    let taken = deal("d1", "p", "acme").replace("RegisterDeal-d1", "another");
    assert_eq!(json(&send(&bus, &[taken])[0])["code"], json!("deal.id_taken"));
    let next = send(&bus, &[customer("new")]);
    assert_eq!(json(&next[0])["position"], json!(writers.log.head().next - 1));
    bus.close();
    // Its states are those that the log gives.
    let built = dir.path().join("built");
    let anew = Given { keys: Arc::default(), ..writers };
    Bus::open(anew.parts(Some(&built)), &options()).unwrap().close();
    assert_eq!(crate::states::dump(&standbys), crate::states::dump(&built));
}

#[test]
fn a_standby_of_an_empty_log_opens_it() {
    let given = Given::new();
    let standby = Standby::open(given.parts(None), given.log.reader(), &options()).unwrap();
    let bus = Bus::take_over(standby).unwrap();
    assert_eq!(given.log.head().next, 1);
    assert!(send(&bus, &[customer("x")])[0].is_accepted());
}

#[test]
fn a_writer_that_was_overtaken_acknowledges_nothing_of_its_own() {
    let given = Given::new();
    let deposed = given.open();
    send(&deposed, &[customer("a")]);
    let other = Given { keys: Arc::default(), ..given.clone() };
    let writer = other.open();
    // The other's commits stand where the deposed one would put its own.
    let lines: Vec<String> = ["b", "c", "d", "e"].map(customer).into();
    send(&writer, &lines);
    let before = given.log.head();
    let again = line("RegisterCustomer", "c-a", r#"{"customer":"z","name":"z"}"#);
    let refused = line("ApplyForProgramme", "1", r#"{"partner":"nobody"}"#);
    let answers = send(&deposed, &[refused, recruit("x"), again, recruit("y")]);
    for answer in answers.iter().map(json) {
        assert_eq!(answer["outcome"], json!("failed"), "{answer}");
        assert_eq!(answer["retry"], json!(true), "{answer}");
    }
    assert_eq!(given.log.head(), before, "nothing of it is in the log");
    // Then it has seen what the other did, and goes on behind it.
    let answers = send(&deposed, &[customer("b"), recruit("x")]);
    assert_eq!(json(&answers[0])["duplicate"], json!(true));
    assert_eq!(json(&answers[1])["position"], json!(before.next));
}

/// A log that others may have taken over: it says so when it is asked.
struct Deposed(Box<dyn EventLog>);

impl EventLog for Deposed {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError> {
        self.0.append(expected, blocks)
    }

    fn confirm(&mut self) -> Result<Head, AppendError> {
        Err(AppendError::Unavailable(Arc::new(std::io::Error::other("another node goes on"))))
    }

    fn chain(&self) -> Chain {
        self.0.chain()
    }

    fn settle(&mut self) -> Result<(), SettleError> {
        self.0.settle()
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        self.0.reader()
    }
}

#[test]
fn a_refusal_does_not_leave_a_writer_that_was_deposed() {
    let given = Given::new();
    let mut parts = given.parts(None);
    let log = given.log.clone();
    parts.log = Box::new(move || Ok(Box::new(Deposed(Box::new(log.clone())))));
    let bus = Bus::open(parts, &options()).unwrap();
    let unknown = line("ApplyForProgramme", "1", r#"{"partner":"nobody"}"#);
    let answer = json(&send(&bus, &[unknown])[0]);
    assert_eq!(
        (&answer["outcome"], &answer["retry"]),
        (&json!("failed"), &json!(true)),
        "{answer}"
    );
}
