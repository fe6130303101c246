//! Other tools read the file of read models while it is written, and come to the same sums.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{
    Desk,
    followed::{at, follow, own, stopped},
};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
};

const TOOLS: [&str; 3] = ["sqlite3", "pandas", "duckdb"];
/// How often each tool reads while commands come in.
const READS: usize = 4;
/// How many accruals are sent at a time.
const ACCRUALS: usize = 50;
/// What the script says of a tool that is not installed.
const NOT_INSTALLED: i32 = 77;

const POSTINGS: &str = "SELECT currency, sum(debit_minor) AS debit, sum(credit_minor) AS credit \
                        FROM postings GROUP BY currency ORDER BY currency";
const BALANCES: &str = "SELECT fund, currency, sum(available_minor) AS available, \
                        sum(paid_minor) AS paid FROM balances WHERE lot = 'total' \
                        GROUP BY fund, currency ORDER BY fund, currency";

/// What a script reads with a tool; none where that is not installed, which is a visible skip on a
/// desk and a failure in CI.
fn read(script: &str, tool: &str, place: &Path) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = root.join("target/nats/bin/python");
    let python = std::env::var_os("CHL_PYTHON").map_or(installed, PathBuf::from);
    let script = root.join("tests/tools").join(script);
    let run = Command::new(python).arg(script).arg(tool).arg(place).output();
    match run {
        Ok(run) if run.status.success() => Some(serde_json::from_slice(&run.stdout).unwrap()),
        Ok(run) if run.status.code() != Some(NOT_INSTALLED) => {
            panic!("{tool}: {}", String::from_utf8_lossy(&run.stderr))
        }
        Ok(_) | Err(_) => {
            let what = format!("{tool} is not installed; .ci/run installs it");
            assert!(std::env::var_os("CI").is_none(), "{what}");
            std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
            None
        }
    }
}

/// Sales of one partner, each with an accrual.
fn accruals(from: usize) -> String {
    let lines = (from..from + ACCRUALS).map(|number| {
        let net = format!("{}.{:02}", 100 + number, number % 100);
        let data = json!({
            "partner": "p-1", "programme": "gold", "sale": format!("t-{number}"),
            "net_amount": {"amount": net, "currency": "USD"}, "sold_on": "2026-03-05"
        });
        json!({"id": format!("t-{number}"), "type": "AccrueCoop", "data": data}).to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The same sums by `chl sql`, as of the position that a tool has seen.
fn told(desk: &Desk, position: u64) -> Value {
    let as_of = (position - 1).to_string();
    let rows = |statement: &str| -> Vec<Value> {
        let run = desk.run(&["sql", statement, "--as-of", &as_of]);
        assert_eq!(run.code, 0, "{}", run.err);
        let in_order = |row: Value, columns: &[&str]| -> Value {
            columns.iter().map(|column| row[*column].clone()).collect()
        };
        let columns: &[&str] = if statement == POSTINGS {
            &["currency", "debit", "credit"]
        } else {
            &["fund", "currency", "available", "paid"]
        };
        run.json_lines().into_iter().map(|row| in_order(row, columns)).collect()
    };
    json!({
        "position": [position, position],
        "postings": rows(POSTINGS),
        "balances": rows(BALANCES),
    })
}

#[test]
fn tools_read_while_the_ledger_writes_and_agree_to_the_cent() {
    let desk = Desk::with_history();
    let served = desk.serve();
    agree(&desk, &desk.path("main/views.sqlite"));
    assert_eq!(served.stop(), 0);
}

#[test]
fn tools_read_a_file_of_its_own_while_it_follows() {
    let desk = Desk::with_history();
    let served = desk.serve();
    let call = ["balances", "postings", "--into", "mine.sqlite"];
    let following = follow(&desk, &call);
    at(&desk, "mine.sqlite", own(&desk, &[]).0, &[]);
    agree(&desk, &desk.path("mine.sqlite"));
    assert_eq!((stopped(following), served.stop()), (0, 0));
}

/// Has every tool read a file while commands come in, and compares with the ledger's own sums.
fn agree(desk: &Desk, views: &Path) {
    let reading = AtomicUsize::new(TOOLS.len());
    let seen: Vec<Value> = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut from = 0;
            while reading.load(Ordering::Acquire) > 0 {
                let run = desk.submit(&accruals(from));
                assert_eq!(run.code, 0, "{}", run.err);
                from += ACCRUALS;
            }
            from
        });
        let reading = &reading;
        let readers = TOOLS.map(|tool| {
            scope.spawn(move || {
                let seen: Vec<Value> =
                    (0..READS).map_while(|_| read("read_views.py", tool, views)).collect();
                reading.fetch_sub(1, Ordering::Release);
                seen
            })
        });
        let seen = readers.into_iter().flat_map(|reader| reader.join().unwrap()).collect();
        assert!(writer.join().unwrap() > 0, "nothing was written meanwhile");
        seen
    });
    for sums in seen {
        let [low, high] = [0, 1].map(|at| sums["position"][at].as_u64().unwrap());
        assert_eq!(low, high, "all views stand at one position");
        for sum in sums["postings"].as_array().unwrap() {
            assert_eq!(sum[1], sum[2], "debits equal credits");
        }
        assert_eq!(sums, told(desk, low));
    }
}

#[test]
fn an_export_holds_what_the_views_hold() {
    let desk = Desk::with_history();
    assert_eq!(desk.submit(&cli::contest_lines()).code, 0);
    let sums = "SELECT currency, count(*) AS n, sum(debit_minor) AS debit FROM postings GROUP BY 1";
    let sums = desk.run(&["sql", sums]).json_lines();
    let money = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
    let postings = sums.iter().map(|row| {
        let debit = row["debit"].as_i64().unwrap();
        let sums = json!([row["n"], money(debit), money(debit), debit]);
        (row["currency"].as_str().unwrap().to_owned(), sums)
    });
    let deals = desk.run(&["query", "deals"]).json_lines();
    let deals = deals
        .iter()
        .map(|deal| json!([deal["deal"], deal["value"]["amount"], deal["value"]["currency"]]));
    let expected = json!({
        "postings": postings.collect::<serde_json::Map<_, _>>(),
        "deals": deals.collect::<Vec<_>>(),
    });
    for (format, tool) in [("csv", "csv"), ("parquet", "duckdb")] {
        let folder = desk.path(format).display().to_string();
        let run = desk.run(&["export", &folder, "--format", format]);
        assert_eq!(run.code, 0, "{}", run.err);
        let manifest = std::fs::read(desk.path(&format!("{format}/export.json"))).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        assert_eq!(manifest["files"].as_array().unwrap().len(), run.json_lines().len());
        for part in manifest["files"].as_array().unwrap() {
            let file = desk.path(format).join(part["file"].as_str().unwrap());
            assert_eq!(file.metadata().unwrap().len(), part["bytes"].as_u64().unwrap(), "{part}");
        }
        if let Some(found) = read("read_export.py", tool, &desk.path(format)) {
            assert_eq!(found, expected, "{format}");
        }
        let again = desk.run(&["export", &folder]);
        assert_eq!((again.code, again.err.contains("is not empty")), (2, true), "{}", again.err);
    }
}

#[test]
fn scorecards_are_exported_for_every_period_with_facts() {
    let desk = Desk::with_history();
    let folder = desk.path("cards").display().to_string();
    let run = desk.run(&["export", &folder, "scorecards", "--format", "csv"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let [part] = run.json_lines().try_into().unwrap_or_else(|parts| panic!("{parts:?}"));
    assert_eq!((&part["view"], &part["file"]), (&json!("scorecards"), &json!("scorecards.csv")));
    let cards = std::fs::read_to_string(desk.path("cards/scorecards.csv")).unwrap();
    assert!(cards.starts_with("partner,programme,period,programme_version,total,"), "{cards}");
    assert_eq!(part["rows"], json!(cards.lines().count() - 1));
    for period in ["2026-03", "2026-Q1", "2026-H1", "2026"] {
        let asked = desk.run(&["query", "scorecards", "--period", period]).json_lines();
        let total = asked[0]["total"].as_str().unwrap_or_default();
        let days = asked[0]["period"].as_str().unwrap();
        let row = format!("p-1,gold,{days},1,{total},");
        assert!(cards.lines().any(|line| line.starts_with(&row)), "{row} in\n{cards}");
    }
    let all = desk.path("all").display().to_string();
    let parts = desk.run(&["export", &all]).json_lines();
    assert!(
        parts.iter().any(|other| {
            other["file"] == "scorecards.parquet" && other["rows"] == part["rows"]
        })
    );
}

#[test]
fn an_export_of_an_earlier_position_holds_what_was_there() {
    let desk = Desk::with_history();
    let folder = desk.path("before").display().to_string();
    let run =
        desk.run(&["export", &folder, "deals", "balances", "--format", "csv", "--as-of", "3"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let rows = run.json_lines();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows.iter().all(|row| row["rows"] == json!(0)), "{rows:?}");
    let deals = std::fs::read_to_string(desk.path("before/deals.csv")).unwrap();
    assert!(deals.starts_with("deal,") && deals.lines().count() == 1, "{deals}");
}
