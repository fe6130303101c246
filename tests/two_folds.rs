//! What decisions are made on and what readers see are folded apart from one log: they say the same.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use serde_json::Value;
use std::collections::BTreeMap;

/// The last of each row of the states, by kind and key.
type States = BTreeMap<(String, String), Value>;

/// A year that was played, and what was due at its end recorded.
fn year() -> Desk {
    let desk = Desk::new();
    let size = ["--partners", "60", "--commands", "8000", "--seed", "3"];
    let run = desk.run(&[&["demo", &desk.data()][..], &size].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    desk
}

fn lines(desk: &Desk, args: &[&str]) -> Vec<Value> {
    let run = desk.run(&[&["--ledger", "demo"], args].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The states, built anew from the log.
fn states(desk: &Desk) -> States {
    let mut states = States::new();
    for event in lines(desk, &["replay"]) {
        for changed in event["changed"].as_array().expect("a list") {
            let key = (text(&changed["row"]).to_owned(), text(&changed["key"]).to_owned());
            states.insert(key, changed["after"].clone());
        }
    }
    states
}

/// Compares the state of each row of a read model; `shown` are the words that readers have for one
/// of the decisions' own.
fn same_states(
    desk: &Desk,
    states: &States,
    (kind, view, id): (&str, &str, &str),
    shown: &[[&str; 2]],
) {
    let rows = lines(desk, &["query", view]);
    assert!(rows.len() > 20, "{view}: {}", rows.len());
    for row in rows {
        let decided = &states[&(kind.to_owned(), text(&row[id]).to_owned())];
        let (decided, read) = (text(&decided["state"]), text(&row["state"]));
        let same = decided == read || shown.contains(&[decided, read]);
        assert!(same, "{kind} {} is {decided}, and {read} in {view}", row[id]);
    }
}

fn agree(desk: &Desk) {
    let states = states(desk);
    same_states(desk, &states, ("Partner", "partners", "partner"), &[]);
    same_states(desk, &states, ("Request", "requests", "request"), &[]);
    // What was paid is clawed back part by part.
    same_states(desk, &states, ("Claim", "claims", "claim"), &[["paid", "clawed_back"]]);
    // A conflict that lapses is looked up when its deal is decided.
    same_states(desk, &states, ("Deal", "deals", "deal"), &[["contested", "submitted"]]);
    let mut compared = 0;
    for row in lines(desk, &["query", "balances"]) {
        let of = |name: &str| text(&row[name]).to_owned();
        let fund = format!("{}/{}", of("programme"), of("partner"));
        let key = match (text(&row["fund"]), text(&row["lot"])) {
            ("coop", "total") => continue,
            ("coop", lot) => ("Lot".to_owned(), format!("{fund}/{lot}")),
            ("mdf", "total") => ("MdfFund".to_owned(), fund),
            _ => continue,
        };
        assert_eq!(states[&key]["available"]["amount"], row["available"], "{key:?}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}

#[test]
fn decisions_and_readers_see_the_same() {
    let desk = year();
    agree(&desk);
    let due = lines(&desk, &["due"]);
    let recorded = due.iter().filter(|row| !row["records_it"].is_null()).count();
    assert!(recorded > 50, "{recorded}");
    lines(&desk, &["due", "--sweep"]);
    let left = lines(&desk, &["due"]);
    assert!(left.iter().all(|row| row["records_it"].is_null()), "{left:#?}");
    agree(&desk);
}
