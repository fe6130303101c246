//! `chl whatif` on whole histories: the demo's year, generated ones, the CRM sample. The same terms
//! make no difference; another rate makes the difference that a walk over the log finds.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

mod cli;

use cli::{Desk, sample::sample};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The commits of a ledger that hold a type of event.
fn view(desk: &Desk, ledger: &str, kind: &str) -> Vec<Value> {
    let run = desk.run(&["--ledger", ledger, "log", "view", "--type", kind]);
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines()
}

/// The newest version of each programme, with where it was published and how many there are.
fn versions(desk: &Desk, ledger: &str) -> BTreeMap<String, (Value, String, usize)> {
    let mut versions = BTreeMap::new();
    for commit in view(desk, ledger, "PublishProgramme") {
        let data = commit["data"].clone();
        let programme = data["programme"].as_str().unwrap().to_owned();
        let position = commit["position"].to_string();
        let count = versions.get(&programme).map_or(0, |(_, _, count)| *count);
        versions.insert(programme, (data, position, count + 1));
    }
    assert!(!versions.is_empty());
    versions
}

fn ask(desk: &Desk, ledger: &str, terms: &Value, options: &[&str]) -> Vec<Value> {
    let file = desk.path("other.json");
    fs::write(&file, terms.to_string()).unwrap();
    let (file, programme) = (file.display().to_string(), terms["programme"].as_str().unwrap());
    let args = ["--ledger", ledger, "whatif", "--programme", programme, "--terms", &file];
    let run = desk.run(&[&args, options].concat());
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    run.json_lines()
}

/// Asks for the terms that are in force already: nothing is different, and the history is the same.
fn assert_same(desk: &Desk, ledger: &str) {
    for (terms, position, count) in versions(desk, ledger).values() {
        let from = ["--from", position];
        let rows = ask(desk, ledger, terms, if *count > 1 { &from } else { &[] });
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!(
            (&rows[0]["table"], &rows[0]["same_history"]),
            (&json!("summary"), &json!(true))
        );
    }
}

/// What the sales of a programme accrue at a rate, less what accrued, in cents: every sale rounded by
/// itself, half to even; those that were undone do not count.
fn naive_difference(desk: &Desk, ledger: &str, programme: &str, rate: &str) -> i128 {
    let rate: Decimal = rate.parse().unwrap();
    let undone: BTreeSet<u64> = view(desk, ledger, "ReverseEntry")
        .iter()
        .map(|commit| commit["data"]["position"].as_u64().unwrap())
        .collect();
    let mut difference = 0;
    for commit in view(desk, ledger, "CoopAccrued") {
        if undone.contains(&commit["position"].as_u64().unwrap()) {
            continue;
        }
        for event in commit["events"].as_array().unwrap() {
            if event["type"] != "CoopAccrued" || event["data"]["programme"] != programme {
                continue;
            }
            let amount = |field: &str| -> Decimal {
                event["data"][field]["amount"].as_str().unwrap().parse().unwrap()
            };
            let now = amount("net_amount") * rate;
            let now = now.round_dp_with_strategy(2, RoundingStrategy::MidpointNearestEven);
            let cents = (now - amount("amount")) * Decimal::ONE_HUNDRED;
            difference += cents.normalize().mantissa();
            assert_eq!(cents.normalize().scale(), 0);
        }
    }
    difference
}

#[test]
fn the_demos_year() {
    let desk = Desk::new();
    let run = desk.run(&["demo"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_same(&desk, "demo");
    let mut terms = versions(&desk, "demo")["accelerate"].0.clone();
    terms["terms"]["coop"]["accrual"][0]["bands"][0]["rate"] = json!("0.03");
    let rows = ask(&desk, "demo", &terms, &["--only", "totals"]);
    let accrued = rows.iter().find(|row| row["figure"] == "accrued" && row["fund"] == "coop");
    let difference: Decimal = accrued.unwrap()["difference"].as_str().unwrap().parse().unwrap();
    let expected = Decimal::new(
        i64::try_from(naive_difference(&desk, "demo", "accelerate", "0.03")).unwrap(),
        2,
    );
    assert_eq!(difference, expected);
    assert!(difference > Decimal::ZERO);
}

#[test]
fn generated_histories() {
    for seed in [3, 17, 92] {
        let history = model::history::tell(seed);
        let begins = model::world::BEGINS;
        let opened = json!({
            "specversion": "1.0", "id": "opened", "source": "/ledger", "type": "LedgerOpened",
            "recordedtime": begins, "actor": "op-1", "role": "operator",
            "data": { "name": "main", "origin": "test", "ledger": "07".repeat(16), "format": 1 },
        });
        let lines = format!("{opened}\n{}\n", history.lines.join("\n"));
        let desk = Desk::new();
        let run = desk.run_with(&["log", "import"], lines.as_bytes());
        assert_eq!(run.code, 3, "some are refused: {}", run.err);
        assert_same(&desk, "main");
    }
}

#[test]
fn the_crm_sample() {
    let Some(folder) = sample() else { return };
    let desk = Desk::new();
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/crm-pipeline.toml");
    let files = ["accounts.csv", "products.csv", "sales_teams.csv", "sales_pipeline.csv"];
    let files: Vec<String> =
        files.iter().map(|file| folder.join(file).display().to_string()).collect();
    let mut args = vec!["import", "csv", "--map", map];
    args.extend(files.iter().map(String::as_str));
    assert_eq!(desk.run(&args).code, 0);
    assert_same(&desk, "main");
}
