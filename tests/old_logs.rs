//! Logs of earlier releases, for ever: each is opened, verified, and comes to the root and the rows
//! that the release itself found.
//!
//! `tests/fixtures/logs/README.md` says how a release adds its own. No log is ever changed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use chl_events::Event;
use cli::{Desk, damage::lose_tail, partner_lines, programme_lines};
use rusqlite::{Connection, OpenFlags, types::Value as Cell};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The release that this is.
const RELEASE: &str = env!("CARGO_PKG_VERSION");
/// A year with every event but the one that only a damaged log has: a backup.
const YEAR: &str = "year";
/// A log that was repaired, as an export: what was lost cannot be decided again.
const REPAIRED: &str = "repaired.jsonl";
/// What the release found in both.
const FACTS: &str = "facts.json";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/logs")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Calls the program on a ledger; it must succeed.
fn run(desk: &Desk, ledger: &str, call: &[&str]) -> Vec<Value> {
    let run = desk.run(&[&["--ledger", ledger], call].concat());
    assert_eq!(run.code, 0, "{call:?}: {}\n{}", run.out, run.err);
    run.json_lines()
}

/// The rows of every read model, by the columns that a release names, or by all that are shown.
fn rows(desk: &Desk, ledger: &str, named: Option<&Value>) -> Value {
    run(desk, ledger, &["query", "balances"]);
    let file = desk.path(ledger).join("views.sqlite");
    let file = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let tables: Vec<String> = match named {
        Some(named) => named.as_object().unwrap().keys().cloned().collect(),
        None => strings(&file, "SELECT name FROM sqlite_schema WHERE type = 'table'")
            .into_iter()
            .filter(|name| !name.starts_with('_') && !name.starts_with("sqlite_"))
            .collect(),
    };
    let mut found = Map::new();
    for table in tables {
        let shown = format!("SELECT name FROM pragma_table_info('{table}') WHERE type <> 'BLOB'");
        let columns = named.map(|named| serde_json::from_value(named[&table]["columns"].clone()));
        let columns: Vec<String> = columns.map_or_else(|| strings(&file, &shown), Result::unwrap);
        let (count, sha256) = digest(&file, &table, &columns.join(", "));
        found.insert(table, json!({ "columns": columns, "rows": count, "sha256": sha256 }));
    }
    Value::Object(found)
}

fn strings(file: &Connection, query: &str) -> Vec<String> {
    let mut query = file.prepare(query).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// How many rows a table has, and the digest of them all, in the order of their columns.
fn digest(file: &Connection, table: &str, columns: &str) -> (usize, String) {
    let query = format!("SELECT {columns} FROM {table} ORDER BY {columns}");
    let mut query = file.prepare(&query).unwrap();
    let width = query.column_count();
    let mut rows = query.query([]).unwrap();
    let (mut count, mut sha256) = (0, Sha256::new());
    while let Some(row) = rows.next().unwrap() {
        for column in 0..width {
            sha256.update(canonical(row.get(column).unwrap()));
            sha256.update("\t");
        }
        sha256.update("\n");
        count += 1;
    }
    (count, data_encoding::HEXLOWER.encode(&sha256.finalize()))
}

/// A cell's own text, in which nothing ends a cell or a row.
fn canonical(cell: Cell) -> String {
    match cell {
        Cell::Null => "\\N".into(),
        Cell::Integer(number) => number.to_string(),
        Cell::Text(text) => text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n"),
        Cell::Real(_) | Cell::Blob(_) => panic!("no read model shows {cell:?}"),
    }
}

/// What a ledger is found to be.
fn facts(desk: &Desk, ledger: &str, named: Option<&Value>) -> Value {
    let check = run(desk, ledger, &["check"]);
    let views = rows(desk, ledger, named);
    json!({ "commits": check[0]["counted"], "root": check[0]["found"], "views": views })
}

/// The types of the events of a ledger.
fn types(desk: &Desk, ledger: &str) -> BTreeSet<String> {
    let commits = run(desk, ledger, &["log", "view"]);
    let events = commits.iter().flat_map(|commit| commit["events"].as_array().unwrap());
    events.map(|event| event["type"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn logs_of_earlier_releases_are_what_they_were() {
    let mut releases = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        releases += 1;
        let facts_then: Value =
            serde_json::from_slice(&fs::read(folder.join(FACTS)).unwrap()).unwrap();
        let desk = Desk::new();
        run(&desk, YEAR, &["restore", &text(&folder.join(YEAR))]);
        run(&desk, "repaired", &["log", "import", &text(&folder.join(REPAIRED))]);
        let mut facts_now = Map::new();
        for ledger in [YEAR, "repaired"] {
            let now = facts(&desk, ledger, Some(&facts_then[ledger]["views"]));
            facts_now.insert(ledger.into(), now);
            run(&desk, ledger, &["audit", "verify"]);
        }
        let facts_now = Value::Object(facts_now);
        if std::env::var_os("CHL_BLESS").is_some() {
            fs::write(folder.join(FACTS), format!("{facts_now:#}\n")).unwrap();
        } else {
            assert_eq!(facts_now, facts_then, "{}", text(&folder));
        }
        again(&desk, &facts_then[YEAR]["root"]);
    }
    assert!(releases > 0, "no release has left a log");
}

/// Moves a year to other ledgers: its blocks, and its commands, which are decided again.
fn again(desk: &Desk, root: &Value) {
    let (vault, lines) = (text(&desk.path("vault.copy")), desk.path("lines.jsonl"));
    let export = desk.run(&["--ledger", YEAR, "log", "export", "--bare"]);
    fs::write(&lines, &export.out).unwrap();
    run(desk, "moved", &["log", "import", &text(&lines)]);
    let export = desk.run(&["--ledger", YEAR, "log", "export", "--commands", "--vault", &vault]);
    assert_eq!(export.code, 0, "{}", export.err);
    fs::write(&lines, &export.out).unwrap();
    run(desk, "decided", &["log", "import", "--vault", &vault, &text(&lines)]);
    for ledger in ["moved", "decided"] {
        assert_eq!(run(desk, ledger, &["check"])[0]["found"], *root, "{ledger}");
    }
}

/// Leaves this release's logs behind, once.
#[test]
#[ignore = "a release runs it once, to leave its logs behind"]
fn leave_this_releases_logs() {
    let folder = fixtures().join(RELEASE);
    assert!(!folder.exists(), "{} is there; a fixture is never changed", text(&folder));
    let (desk, broken) = (Desk::new(), Desk::new());
    make_year(&desk);
    lose_tail(&broken, &partner_lines(), &programme_lines(), |_| {});
    run(&broken, "main", &["log", "repair", "--accept-loss-after", "5", "--reason", "no power"]);
    let seen = &types(&desk, "demo") | &types(&broken, "main");
    let all: BTreeSet<String> = Event::kinds().map(|kind| kind.name.to_owned()).collect();
    assert_eq!(seen, all, "every type of event");
    let export = broken.run(&["log", "export"]);
    let found = json!({
        YEAR: facts(&desk, "demo", None), "repaired": facts(&broken, "main", None),
    });
    run(&desk, "demo", &["backup", &text(&folder.join(YEAR))]);
    fs::write(folder.join(REPAIRED), export.out).unwrap();
    fs::write(folder.join(FACTS), format!("{found:#}\n")).unwrap();
}

/// Plays a small year, and what the demo leaves out.
fn make_year(desk: &Desk) {
    run(desk, "demo", &["demo", "--partners", "20", "--commands", "1200"]);
    let mut lines = String::new();
    let mut say = |kind: &str, data: Value| {
        let id = lines.lines().count().to_string();
        let line = json!({ "id": id, "type": kind, "data": data, "onbehalfof": "u-17",
            "reason": "to be remembered" });
        lines.push_str(&format!("{line}\n"));
    };
    for partner in ["x-1", "x-2"] {
        let recruit = json!({ "partner": partner, "name": "Later", "types": ["isv"] });
        say("RecruitPartner", recruit);
        for step in [
            "ApplyForProgramme",
            "ApprovePartner",
            "ActivatePartner",
            "SuspendPartner",
            "ReinstatePartner",
        ] {
            say(step, json!({ "partner": partner }));
        }
    }
    say("AttachParent", json!({ "partner": "x-1", "parent": "x-2" }));
    say("DetachParent", json!({ "partner": "x-1", "parent": "x-2" }));
    say("ForgetPerson", json!({ "person": "actor/u-17" }));
    sent(desk, &lines);

    let disputed = run(desk, "demo", &["query", "claims", "--state", "rejected"]);
    let disputed = disputed.iter().any(|claim| {
        let of = |field: &str| claim[field].clone();
        let data = json!({ "claim": of("claim"), "partner": of("partner"),
            "programme": of("programme"), "fund": of("fund") });
        let line = json!({ "id": of("claim"), "type": "DisputeClaim", "data": data });
        let run = desk.run_with(&["--ledger", "demo", "submit"], line.to_string().as_bytes());
        run.code == 0
    });
    assert!(disputed, "no claim can be disputed any more");

    let (partner, programme, period) = ("p-0005", "accelerate", "2025-Q2");
    let publish = ["scorecard", partner, "--programme", programme, "--period", period, "--publish"];
    run(desk, "demo", &publish);
    let of = json!({ "partner": partner, "programme": programme, "period": period,
        "metric": "win_rate", "note": "one is missing" });
    let mut ruling = of.clone();
    ruling["ruling"] = json!("corrected");
    ruling["value"] = json!("0.5");
    let line = |kind: &str, data: Value| json!({ "id": kind, "type": kind, "data": data });
    let lines = [line("DisputeScorecard", of), line("SettleScorecardDispute", ruling)];
    sent(desk, &lines.map(|line| format!("{line}\n")).concat());
}

fn sent(desk: &Desk, lines: &str) {
    let run = desk.run_with(&["--ledger", "demo", "submit"], lines.as_bytes());
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
}
