//! Some read models in a file of their own, kept by a process of its own.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{
    Desk, contested,
    followed::{Dump, at, follow, own, stopped},
};
use rusqlite::Connection;
use serde_json::json;
use std::{os::unix::fs::symlink, process::Command};

/// What `balances deals` bring with them.
const TABLES: &[&str] = &["balances", "deals", "conflicts", "customers", "lots"];
const FOLLOW: &[&str] = &["balances", "deals", "--into", "mine.sqlite"];

fn accruals(from: u32, count: u32) -> String {
    let line = |number: u32| {
        let data = json!({
            "partner": "p-1", "programme": "gold", "sale": format!("w-{number}"),
            "net_amount": {"amount": "100.00", "currency": "USD"}, "sold_on": "2026-03-05"
        });
        format!("{}\n", json!({"id": format!("w-{number}"), "type": "AccrueCoop", "data": data}))
    };
    (from..from + count).map(line).collect()
}

fn accrue(desk: &Desk, from: u32, count: u32) -> Dump {
    let run = desk.submit(&accruals(from, count));
    assert_eq!(run.code, 0, "{}", run.err);
    own(desk, TABLES)
}

/// Follows once, and says how that ended.
fn once(desk: &Desk, call: &[&str]) -> cli::Run {
    desk.run(&[&["follow", "--once"], call].concat())
}

#[test]
fn a_file_of_its_own_follows_the_ledger_through_its_owner_and_without() {
    let desk = contested().sealing_at(20_000);
    let owner = desk.serve();
    let mut following = follow(&desk, FOLLOW);
    let whole = accrue(&desk, 0, 300);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole);

    // Killed, it goes on where the file stands.
    following.kill().expect("it is ours");
    following.wait().expect("it ends");
    let whole = accrue(&desk, 300, 300);
    let run = once(&desk, FOLLOW);
    assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
    assert!(run.err.contains(&format!("mine.sqlite holds {} commits", whole.0)), "{}", run.err);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole);

    // The owner leaves and another comes: it waits, and stands in nobody's way.
    let following = follow(&desk, FOLLOW);
    assert_eq!(owner.stop(), 0);
    let whole = accrue(&desk, 600, 50);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole);
    let owner = desk.serve();
    let whole = accrue(&desk, 650, 50);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole);
    owner.kill();
    let whole = accrue(&desk, 700, 50);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole);
    assert_eq!(stopped(following), 0, "told to stop it ends well");

    let file = Connection::open(desk.path("mine.sqlite")).expect("a file");
    let names = "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_schema \
                 WHERE type IN ('table', 'view') ORDER BY name)";
    let names: String = file.query_row(names, [], |row| row.get(0)).expect("its tables");
    assert_eq!(
        names,
        "_lag _meta balances balances_now conflicts conflicts_now customers deals deals_now lots"
    );
}

#[test]
fn a_file_begun_without_an_owner_is_read_by_every_tool() {
    let desk = contested().sealing_at(20_000);
    let whole = accrue(&desk, 0, 500);
    let sealed = std::fs::read_dir(desk.path("main/log/sealed")).expect("a folder").count();
    assert!(sealed > 0, "some of it is sealed");
    assert_eq!(once(&desk, FOLLOW).code, 0);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole);

    for call in [["query", "deals"].as_slice(), &["query", "balances", "--partner", "p-1"]] {
        let asked = [call, &["--views", "mine.sqlite"]].concat();
        let (of_file, of_ledger) = (desk.run(&asked), desk.run(call));
        assert_eq!((of_file.code, of_ledger.code), (0, 0), "{}", of_file.err);
        assert_eq!(of_file.out, of_ledger.out);
        assert!(of_file.err.contains(&format!("as of position {}", whole.0 - 1)));
    }
    let sum = ["sql", "SELECT sum(accrued_minor) AS sum, max(lot_state) AS state FROM balances"];
    let of_file = desk.run(&[sum.as_slice(), &["--views", "mine.sqlite"]].concat());
    assert_eq!(of_file.out, desk.run(&sum).out, "{}", of_file.err);
    let unknown = desk.run(&["query", "deals", "--customer", "x", "--views", "mine.sqlite"]);
    assert!(unknown.err.contains("no deal of a customer x"), "{}", unknown.err);
    for (wrong, said) in [
        (["query", "claims", "--views", "mine.sqlite"].as_slice(), "claims is not in this file"),
        (&["query", "deals", "--views", "none.sqlite"], "none.sqlite"),
        (&["query", "deals", "--views", "mine.sqlite", "--as-of", "3"], "cannot be used with"),
        (&["sql", "SELECT * FROM claims", "--views", "mine.sqlite"], "no such table: claims"),
        (&["sql", "DELETE FROM deals", "--views", "mine.sqlite"], "only reading is allowed"),
        (&["sql", "SELECT * FROM scorecards", "--views", "mine.sqlite"], "not in this file"),
        (
            &["query", "scorecards", "--period", "2026-Q1", "--views", "mine.sqlite"],
            "claims is not in this file; it keeps balances, deals",
        ),
    ] {
        let run = desk.run(wrong);
        assert_eq!(run.code, 2, "{wrong:?}: {}", run.err);
        assert!(run.err.contains(said), "{said}: {}", run.err);
    }
}

#[test]
fn what_is_not_this_calls_to_write_is_left_as_it_is() {
    let desk = Desk::with_history();
    assert_eq!(once(&desk, &["lots", "--into", "mine.sqlite"]).code, 0);
    let of_another = ["--ledger", "another"];
    let begun = [of_another.as_slice(), &["submit"]].concat();
    assert_eq!(desk.run_with(&begun, cli::PARTNER.as_bytes()).code, 0);
    let call = ["follow", "--once", "lots", "--into", "mine.sqlite"];
    let other = desk.run(&[of_another.as_slice(), &call].concat());
    assert_eq!(other.code, 6, "{}", other.err);
    assert!(other.err.contains("are of ledger"), "{}", other.err);
    let told = desk.run(&[of_another.as_slice(), &call, &["--rebuild"]].concat());
    assert_eq!(told.code, 0, "told to, it takes the file: {}", told.err);

    std::fs::write(desk.path("letter"), "dear partner").expect("it can be written");
    symlink("main/views.sqlite", desk.path("astray")).expect("a link");
    for (into, code, said) in [
        ("letter", 2, "no file of read models"),
        ("astray", 2, "no file of read models"),
        ("main/mine.sqlite", 2, "the ledger's folder is its own"),
        ("main/views.sqlite", 2, "the ledger's folder is its own"),
        ("nowhere/mine.sqlite", 2, "no such folder"),
        ("/", 2, "no such folder"),
    ] {
        let run = once(&desk, &["lots", "--into", into]);
        assert_eq!(run.code, code, "{into}: {}", run.err);
        assert!(run.err.contains(said), "{into}: {}", run.err);
    }
    assert_eq!(std::fs::read(desk.path("letter")).expect("it is there"), b"dear partner");
    for wrong in [["follow", "--into", "x"].as_slice(), &["follow", "nothing", "--into", "x"]] {
        assert_eq!(desk.run(wrong).code, 2);
    }
    let nobody = desk.run(&["--ledger", "none", "follow", "lots", "--into", "x", "--once"]);
    assert_eq!(nobody.code, 5, "{}", nobody.err);
    assert!(nobody.err.contains("there is no ledger"), "{}", nobody.err);
}

#[test]
fn a_ledger_cut_short_or_of_another_history_is_refused() {
    let desk = Desk::with_history();
    accrue(&desk, 0, 20);
    let older = desk.path("older").display().to_string();
    let copied =
        Command::new("cp").args(["-a", "main", &older]).current_dir(desk.path(".")).status();
    assert!(copied.expect("cp runs").success());
    let whole = accrue(&desk, 20, 20);
    let call = ["follow", "--once", "balances", "deals", "--into", "mine.sqlite"];
    assert_eq!(desk.run(&call).code, 0);
    let from_older =
        |more: &[&str]| desk.run(&[["--ledger", "older"].as_slice(), &call, more].concat());

    let short = from_older(&[]);
    assert_eq!(short.code, 6, "{}", short.err);
    assert!(
        short.err.contains("beyond the log") && short.err.contains("--rebuild"),
        "{}",
        short.err
    );
    let submit = ["--ledger", "older", "submit"];
    assert_eq!(desk.run_with(&submit, accruals(900, 50).as_bytes()).code, 0);
    let forked = from_older(&[]);
    assert_eq!(forked.code, 6, "{}", forked.err);
    assert!(forked.err.contains("a history that differs"), "{}", forked.err);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole, "the file is left as it is");
    assert_eq!(from_older(&["--rebuild"]).code, 0, "told to, it follows the other history");
    assert_eq!(desk.run(&call).code, 6);
}

#[test]
fn one_process_keeps_a_file_and_other_views_are_built_beside() {
    let desk = Desk::with_history();
    let whole = accrue(&desk, 0, 10);
    let following = follow(&desk, FOLLOW);
    at(&desk, "mine.sqlite", whole.0, TABLES);
    let second = once(&desk, FOLLOW);
    assert_eq!(second.code, 5, "{}", second.err);
    assert!(second.err.contains("another process keeps this file"), "{}", second.err);
    assert_eq!(stopped(following), 0);

    let current = || std::fs::read_link(desk.path("mine.sqlite")).expect("a link");
    let before = current();
    let claims = once(&desk, &["claims", "--into", "mine.sqlite"]);
    assert_eq!(claims.code, 0, "{}", claims.err);
    assert!(claims.err.contains("the file keeps balances, deals"), "{}", claims.err);
    let between = current();
    assert_ne!(between, before);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, &["claims"]), own(&desk, &["claims"]));
    let db = Connection::open(desk.path("mine.sqlite")).expect("a file");
    db.execute_batch("UPDATE _meta SET schema_version = 1").expect("it can be made another");
    let anew = once(&desk, &["claims", "--into", "mine.sqlite"]);
    assert_eq!(anew.code, 0, "{}", anew.err);
    assert!(anew.err.contains("schema version 1"), "{}", anew.err);
    assert_ne!(current(), between);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, &["claims"]), own(&desk, &["claims"]));
}

#[test]
fn a_read_model_that_fails_in_the_file_is_frozen_and_named() {
    let desk = Desk::with_history();
    let owner = desk.serve();
    assert_eq!(once(&desk, FOLLOW).code, 0);
    let db = Connection::open(desk.path("mine.sqlite")).expect("a file");
    db.execute_batch(
        "CREATE TRIGGER refuse BEFORE INSERT ON balances BEGIN SELECT RAISE(ABORT, 'no more'); END",
    )
    .expect("the table is there");
    let whole = accrue(&desk, 0, 5);
    let run = once(&desk, FOLLOW);
    assert_eq!(run.code, 6, "{}", run.err);
    for said in ["balances is frozen as of position", "no more", "`chl follow --rebuild`"] {
        assert!(run.err.contains(said), "{said}: {}", run.err);
    }
    let others = &TABLES[1..];
    assert_eq!(at(&desk, "mine.sqlite", whole.0, others).1, whole.1[1..]);
    let query = desk.run(&["query", "balances", "--views", "mine.sqlite"]);
    assert_eq!(query.code, 0, "{}", query.err);
    assert!(query.err.contains("balances is frozen"), "{}", query.err);
    let own = desk.run(&["query", "balances"]);
    assert!(!own.err.contains("frozen"), "the ledger's own goes on: {}", own.err);

    let anew = once(&desk, &[FOLLOW, &["--rebuild"]].concat());
    assert_eq!(anew.code, 0, "{}", anew.err);
    assert_eq!(at(&desk, "mine.sqlite", whole.0, TABLES), whole);
    assert_eq!(owner.stop(), 0);
}
