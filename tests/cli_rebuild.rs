//! Read models built anew beside those that are kept, which go on: paced, killed, of another version.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

/// The files of the read models, save for what SQLite keeps beside them.
fn files(desk: &Desk) -> BTreeSet<String> {
    let folder = std::fs::read_dir(desk.path("main")).expect("there is a ledger");
    let names = folder.map(|file| file.expect("a name").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("views.sqlite") && !name.contains("lite-")).collect()
}

fn current(desk: &Desk) -> PathBuf {
    std::fs::read_link(desk.path("main/views.sqlite")).expect("a link")
}

fn accrual(number: u32) -> String {
    let data = json!({
        "partner": "p-1", "programme": "gold", "sale": format!("r-{number}"),
        "net_amount": {"amount": "100.00", "currency": "USD"}, "sold_on": "2026-03-05"
    });
    format!("{}\n", json!({"id": format!("r-{number}"), "type": "AccrueCoop", "data": data}))
}

/// Begins a rebuild that takes very long, and waits until its file is there.
fn begin_slow(desk: &Desk) -> Child {
    let before = files(desk).len();
    let mut command = desk.command(&["rebuild", "--rate", "1"]);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while files(desk).iter().filter(|name| !name.contains('-')).count() == before {
        thread::sleep(Duration::from_millis(10));
    }
    child
}

#[test]
fn a_rebuild_holds_up_nobody_and_is_gone_with_its_owner() {
    let desk = Desk::with_history();
    assert_eq!(desk.run(&["query", "deals"]).code, 0);
    let owner = desk.serve();
    let kept = current(&desk);
    let mut rebuilding = begin_slow(&desk);
    let sent = desk.run_with(&["submit", "--wait", "balances"], accrual(1).as_bytes());
    assert_eq!(sent.code, 0, "{}", sent.err);
    let balances = desk.run(&["query", "balances", "--lot", "total"]);
    assert_eq!(balances.json_lines()[0]["accrued"], "5002.00", "{}", balances.err);
    assert!(rebuilding.try_wait().expect("it is ours").is_none(), "it was over too soon");
    assert_eq!(current(&desk), kept, "what is not complete is not shown");

    owner.kill();
    assert!(!rebuilding.wait().expect("it ends").success());
    let balances = desk.run(&["query", "balances", "--lot", "total"]);
    assert_eq!(balances.json_lines()[0]["accrued"], "5002.00", "{}", balances.err);
    assert_eq!(files(&desk).iter().filter(|name| !name.contains('-')).count(), 2, "no litter");

    let run = desk.run(&["rebuild", "--rate", "100000"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(run.json_lines().iter().all(|view| view["equal"] == true));
    assert_ne!(current(&desk), kept);
    for wrong in [["rebuild", "--rate", "0"], ["rebuild", "--rate", "fast"]] {
        assert_eq!(desk.run(&wrong).code, 2);
    }
}

#[test]
fn a_file_of_another_version_answers_until_the_new_one_is_complete() {
    let desk = Desk::with_history();
    let deals = desk.run(&["query", "deals"]);
    let before = current(&desk);
    let old = rusqlite::Connection::open(desk.path("main/views.sqlite")).expect("a file");
    old.execute_batch("UPDATE _meta SET schema_version = 2; ALTER TABLE deals ADD COLUMN x")
        .expect("it can be made another");
    assert_eq!(desk.run(&["query", "deals"]).out, deals.out, "built anew on the way");
    assert_ne!(current(&desk), before);
    let count = |file: &rusqlite::Connection| -> i64 {
        file.query_row("SELECT count(*) FROM deals", [], |row| row.get(0)).expect("a number")
    };
    assert_eq!(count(&old), 1, "who had the old one open reads on");
    let new = rusqlite::Connection::open(desk.path("main/views.sqlite")).expect("a file");
    assert!(new.prepare("SELECT x FROM deals").is_err());
    assert_eq!(count(&new), 1);
}
