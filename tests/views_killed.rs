//! Read models survive a kill at any moment: what is found afterwards is what a rebuild makes.
//!
//! `CHL_VIEW_KILLS` says how often, `CHL_SEED` when.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cli;

use cli::{
    Desk,
    followed::{at, follow, own},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::{
    io::Write,
    process::{Child, Stdio},
    time::Duration,
};

/// How many accruals are on their way when a writer is killed.
const ACCRUALS: u64 = 20_000;
/// How many are while a follower is.
const FEW: u64 = 2_000;
/// A process is killed within so many milliseconds.
const WITHIN: u64 = 700;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn accruals(round: u64, count: u64) -> String {
    let lines = (0..count).map(|number| {
        let data = json!({
            "partner": "p-1", "programme": "gold", "sale": format!("k-{round}-{number}"),
            "net_amount": {"amount": "100.00", "currency": "USD"}, "sold_on": "2026-03-05"
        });
        let line = json!({"id": format!("k-{round}-{number}"), "type": "AccrueCoop", "data": data});
        format!("{line}\n")
    });
    lines.collect()
}

fn start(desk: &Desk, call: &[&str]) -> Child {
    let mut command = desk.command(call);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a process after a while; says whether it was still at work.
fn killed(mut process: Child, after: Duration) -> bool {
    std::thread::sleep(after);
    let at_work = process.try_wait().unwrap().is_none();
    process.kill().unwrap();
    process.wait().unwrap();
    at_work
}

/// How many commits the views stand for, once they are held against a rebuild.
fn verified(desk: &Desk, when: &str) -> u64 {
    let run = desk.run(&["rebuild"]);
    assert_eq!(run.code, 0, "{when}: {}\n{}", run.out, run.err);
    let views = run.json_lines();
    assert!(views.len() > 10, "{when}: {views:?}");
    assert!(views.iter().all(|view| view["equal"] == json!(true)), "{when}: {views:?}");
    let positions =
        desk.run(&["sql", "SELECT min(position) AS low, max(position) AS high FROM _meta"]);
    let positions = positions.json_lines();
    let position = positions.first().unwrap();
    assert_eq!(position["low"], position["high"], "{when}");
    position["high"].as_u64().unwrap()
}

#[test]
fn read_models_are_whole_after_a_kill_at_any_moment() {
    let (kills, seed) = (from_environment("CHL_VIEW_KILLS", 6), from_environment("CHL_SEED", 1));
    let mut dice = StdRng::seed_from_u64(seed);
    let desk = Desk::with_history();
    let mut at_work = 0;
    let mut before = verified(&desk, "before the first kill");
    for round in 0..kills {
        let after = Duration::from_millis(dice.random_range(1..WITHIN));
        let projecting = round % 2 == 0;
        let process = if projecting {
            let mut submitting = start(&desk, &["submit"]);
            let mut lines = submitting.stdin.take().unwrap();
            // The writer dies with the pipe full: that the lines end there is what is wanted.
            std::thread::spawn(move || lines.write_all(accruals(round, ACCRUALS).as_bytes()));
            submitting
        } else {
            start(&desk, &["rebuild"])
        };
        at_work += u64::from(killed(process, after));
        let when = format!("seed {seed}, kill {round}, projecting: {projecting}, {after:?}");
        let position = verified(&desk, &when);
        assert!(position >= before, "{when}: {position} after {before}");
        before = position;
    }
    println!("{kills} kills with seed {seed}, {at_work} of them at work, {before} commits");
    assert!(at_work * 2 >= kills, "most were over before they were killed");
    let views = left(&desk, "main", "views.sqlite");
    // The link, the file, and what SQLite keeps beside it.
    assert!(views.len() <= 4, "what a killed rebuild left is removed: {views:?}");
}

/// Files of a folder whose names begin so.
fn left(desk: &Desk, folder: &str, begins: &str) -> Vec<String> {
    let files = std::fs::read_dir(desk.path(folder)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(begins)).collect()
}

#[test]
fn a_followers_file_is_whole_after_a_kill_at_any_moment() {
    let (kills, seed) = (from_environment("CHL_VIEW_KILLS", 6), from_environment("CHL_SEED", 1));
    let mut dice = StdRng::seed_from_u64(seed);
    let desk = Desk::with_history();
    let all = desk.run(&["sql", "SELECT view FROM _meta"]).json_lines();
    let all: Vec<&str> = all.iter().map(|view| view["view"].as_str().unwrap()).collect();
    let mut at_work = 0;
    for round in 0..kills {
        // In turn with an owner, while it is built anew, and without an owner.
        let owner = (round % 3 < 2).then(|| desk.serve());
        let lines = accruals(round, FEW);
        let mut submitting = start(&desk, &["submit"]);
        let mut to = submitting.stdin.take().unwrap();
        let sending = std::thread::spawn(move || to.write_all(lines.as_bytes()));
        let anew = (round % 3 == 1).then_some("--rebuild");
        let mut call = [all.as_slice(), &["--into", "mine.sqlite"]].concat();
        call.extend(anew);
        let after = Duration::from_millis(dice.random_range(1..WITHIN));
        at_work += u64::from(killed(follow(&desk, &call), after));
        sending.join().unwrap().unwrap();
        assert!(submitting.wait().unwrap().success());

        let when = format!("seed {seed}, kill {round}, {after:?}");
        let run =
            desk.run(&[["follow", "--once", "--into", "mine.sqlite"].as_slice(), &all].concat());
        assert_eq!(run.code, 0, "{when}: {}", run.err);
        let whole = own(&desk, &all);
        assert!(at(&desk, "mine.sqlite", whole.0, &all) == whole, "{when}");
        assert!(owner.is_none_or(|owner| owner.stop() == 0), "{when}");
    }
    println!("{kills} kills with seed {seed}, {at_work} of them at work");
    assert!(at_work * 2 >= kills, "most were over before they were killed");
    let files = left(&desk, ".", "mine.sqlite");
    // The link, the file, what SQLite keeps beside it, and the lock.
    assert!(files.len() <= 5, "what a killed build left is removed: {files:?}");
}
