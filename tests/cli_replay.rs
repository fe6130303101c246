//! `chl replay`: what each event changes in the states that decisions are made on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

fn replay(desk: &Desk, options: &[&str]) -> Vec<Value> {
    let run = desk.run(&[&["replay"], options].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines()
}

/// The rows of a kind that an event changed: before and after.
fn changed<'a>(event: &'a Value, kind: &str) -> Vec<(&'a Value, &'a Value)> {
    let rows = event["changed"].as_array().unwrap().iter().filter(|row| row["row"] == kind);
    rows.map(|row| (&row["before"], &row["after"])).collect()
}

#[test]
fn a_stream_is_shown_before_and_after_each_event() {
    let desk = Desk::with_history();
    let events = replay(&desk, &["--stream", "coop/gold/p-1"]);
    let types: Vec<_> = events.iter().map(|event| event["type"].clone()).collect();
    assert_eq!(types, ["CoopLotOpened", "CoopAccrued", "CoopClaimed"]);
    let available = |row: &Value| row["available"]["amount"].clone();
    let lot = changed(&events[0], "Lot");
    assert_eq!((lot[0].0, available(lot[0].1)), (&Value::Null, json!("0.00")));
    let lot = changed(&events[1], "Lot");
    assert_eq!((available(lot[0].0), available(lot[0].1)), (json!("0.00"), json!("5000.00")));
    let lot = changed(&events[2], "Lot");
    assert_eq!((available(lot[0].0), available(lot[0].1)), (json!("5000.00"), json!("1400.00")));
    let claim = changed(&events[2], "Claim");
    assert_eq!(claim[0].0, &Value::Null);
    assert_eq!(claim[0].1["state"], "submitted");
}

#[test]
fn it_ends_where_it_is_asked_to() {
    let desk = Desk::with_history();
    let all = replay(&desk, &[]);
    let last = all.last().unwrap()["position"].as_u64().unwrap();
    let part = replay(&desk, &["--from", "3", "--until", "5"]);
    let positions: BTreeSet<_> =
        part.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, BTreeSet::from([3, 4, 5]));
    let at = part.last().unwrap()["recorded_at"].as_str().unwrap();
    let until = replay(&desk, &["--until", at]);
    assert_eq!(until.last().unwrap()["position"], 5);
    assert_eq!(replay(&desk, &["--until", "2020-01-01T00:00:00Z"]), Vec::<Value>::new());
    let beyond = desk.run(&["replay", "--until", "999"]);
    assert_eq!(beyond.code, 2);
    assert!(beyond.err.contains(&format!("the last position is {last}")), "{}", beyond.err);
    assert_eq!(desk.run(&["replay", "--until", "soon"]).code, 2);
}

#[test]
fn in_a_pipe_a_step_waits_for_nobody() {
    let desk = Desk::with_history();
    let all = replay(&desk, &[]);
    assert_eq!(replay(&desk, &["--step"]), all);
    let served = desk.serve();
    assert_eq!(replay(&desk, &["--step"]), all, "through the owner");
    assert_eq!(served.stop(), 0);
    let told = desk.run(&["--output", "table", "replay", "--stream", "customer/acme"]);
    assert!(told.out.contains("v2: RegisterDeal by tester"), "{}", told.out);
    assert!(told.out.contains("\n  + Deal d-1 {"), "{}", told.out);
}

#[test]
fn sealed_texts_stay_sealed() {
    let desk = Desk::with_history();
    let line = r#"{"id":"w","type":"WithdrawDeal","time":"2026-03-05T09:00:00Z","data":{"deal":"d-1","customer":"acme","note":"Zaphod called"}}"#;
    assert_eq!(desk.submit(&format!("{line}\n")).code, 0);
    let run = desk.run(&["replay"]);
    assert!(run.code == 0 && run.out.contains("DealWithdrawn"), "{}", run.err);
    assert!(!run.out.contains("Zaphod") && !run.out.contains("ciphertext"), "{}", run.out);
}

#[test]
fn each_event_finds_what_the_one_before_left() {
    let desk = Desk::new();
    let run = desk.run(&["demo", "--partners", "30", "--commands", "3000"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let mut rows: BTreeMap<(String, String), Value> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    for event in replay(&desk, &["--ledger", "demo"]) {
        for row in event["changed"].as_array().unwrap() {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            let known = rows.insert((text("row"), text("key")), row["after"].clone());
            assert_eq!(known.unwrap_or_default(), row["before"], "{event}");
            assert_ne!(row["before"], row["after"]);
            kinds.insert(text("row"));
        }
    }
    for kind in ["Deal", "Slot", "Conflict", "Lot", "Claim", "Request", "Allocation", "Version"] {
        assert!(kinds.contains(kind), "{kinds:?}");
    }
}
