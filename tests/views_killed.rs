//! Read models survive a kill at any moment: what is found afterwards is what a rebuild makes.
//!
//! `CHL_VIEW_KILLS` says how often, `CHL_SEED` when.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::{
    io::Write,
    process::{Child, Stdio},
    time::Duration,
};

/// How many accruals are on their way when a writer is killed.
const ACCRUALS: u64 = 20_000;
/// A process is killed within so many milliseconds.
const WITHIN: u64 = 700;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn accruals(round: u64) -> String {
    let lines = (0..ACCRUALS).map(|number| {
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
            std::thread::spawn(move || lines.write_all(accruals(round).as_bytes()));
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
    let left = std::fs::read_dir(desk.path("main")).unwrap();
    let files = left.map(|file| file.unwrap().file_name().into_string().unwrap());
    let views: Vec<String> = files.filter(|name| name.starts_with("views.sqlite")).collect();
    // The link, the file, and what SQLite keeps beside it.
    assert!(views.len() <= 4, "what a killed rebuild left is removed: {views:?}");
}
