//! The main job on real input: the CRM sample through its map, against figures computed here.
//!
//! The figures are computed by a walk over the export that shares no code with the ledger. The
//! sample is not part of the project: it is read from `CHL_TEST_DATA`, else from beside the
//! checkout; without it the tests are skipped, visibly.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, sample::sample};
use jiff::{ToSpan, civil::Date};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

const MAP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/crm-pipeline.toml");
const FILES: [&str; 4] = ["accounts.csv", "products.csv", "sales_teams.csv", "sales_pipeline.csv"];

/// A row of the pipeline.
struct Opportunity {
    agent: String,
    slot: (String, String),
    stage: String,
    engaged: Option<Date>,
    closed: Option<Date>,
    value: u64,
}

/// What the walk over the export finds.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    free: usize,
    contested: usize,
    won: usize,
    lost: usize,
    outside: usize,
    won_usd: u64,
    coop_cents: u64,
}

fn opportunities(folder: &Path) -> Vec<Opportunity> {
    let mut reader = csv::Reader::from_path(folder.join("sales_pipeline.csv")).unwrap();
    let columns = reader.headers().unwrap().clone();
    let at = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let places = ["sales_agent", "product", "account", "deal_stage", "engage_date", "close_date"];
    let [agent, product, account, stage, engaged, closed] = places.map(at);
    let value = at("close_value");
    let row = |row: csv::StringRecord| Opportunity {
        agent: row[agent].into(),
        slot: (row[account].into(), row[product].replace("GTXPro", "GTX Pro")),
        stage: row[stage].into(),
        engaged: row[engaged].parse().ok(),
        closed: row[closed].parse().ok(),
        value: row[value].parse().unwrap_or(0),
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}

/// Walks day by day: closings free their slots, then registrations come, in the export's order.
fn figures(rows: &[Opportunity], protection_days: i64) -> Figures {
    let counts = |row: &&Opportunity| row.engaged.is_some() && !row.slot.0.is_empty();
    let deals: Vec<(usize, &Opportunity)> =
        rows.iter().enumerate().filter(|(_, row)| counts(row)).collect();
    let mut days: BTreeMap<Date, [Vec<usize>; 2]> = BTreeMap::new();
    for (at, row) in &deals {
        days.entry(row.engaged.unwrap()).or_default()[1].push(*at);
        if let Some(closed) = row.closed {
            days.entry(closed).or_default()[0].push(*at);
        }
    }
    let mut guards: BTreeMap<&(String, String), Vec<(usize, Date)>> = BTreeMap::new();
    let (mut free, mut contested) = (0, 0);
    for (day, [closings, registrations]) in &days {
        for at in closings {
            guards.entry(&rows[*at].slot).or_default().retain(|(deal, _)| deal != at);
        }
        for at in registrations {
            let row = &rows[*at];
            let slot = guards.entry(&row.slot).or_default();
            slot.retain(|(_, until)| day < until);
            if slot.iter().any(|(deal, _)| rows[*deal].agent != row.agent) {
                contested += 1;
            } else {
                free += 1;
                slot.push((*at, day.checked_add(protection_days.days()).unwrap()));
            }
        }
    }
    let stage = |name: &str| rows.iter().filter(|row| row.stage == name).count();
    let won_usd = rows.iter().filter(|row| row.stage == "Won").map(|row| row.value).sum();
    Figures {
        free,
        contested,
        won: stage("Won"),
        lost: stage("Lost"),
        outside: rows.len() - deals.len(),
        won_usd,
        // Two percent of whole dollars are twice as many cents.
        coop_cents: won_usd * 2,
    }
}

#[test]
fn the_walk_finds_the_published_figures() {
    let Some(folder) = sample() else { return };
    let published = Figures {
        free: 2_920,
        contested: 4_292,
        won: 4_238,
        lost: 2_473,
        outside: 1_588,
        won_usd: 10_005_534,
        coop_cents: 20_011_068,
    };
    assert_eq!(figures(&opportunities(&folder), 90), published);
}

/// Imports the sample with a map; the answers by count.
fn import(desk: &Desk, folder: &Path, map: &Path) -> BTreeMap<String, u64> {
    let files = FILES.map(|file| folder.join(file).display().to_string());
    let map = map.display().to_string();
    let mut args = vec!["--output", "jsonl", "import", "csv", "--map", &map];
    args.extend(files.iter().map(String::as_str));
    let run = desk.run(&args);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    let answers = run.json_lines().into_iter().filter(|row| row.get("answer").is_some());
    answers.map(|row| (text(&row["answer"]), row["count"].as_u64().unwrap())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn query(desk: &Desk, args: &[&str]) -> Vec<Value> {
    let run = desk.run(&[&["--output", "jsonl", "query"], args].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines()
}

/// An amount of the ledger, in cents.
fn cents(amount: &Value) -> u64 {
    let amount = text(amount);
    let (whole, fraction) = amount.split_once('.').unwrap();
    assert_eq!(fraction.len(), 2, "{amount}");
    format!("{whole}{fraction}").parse().unwrap()
}

/// The figures as the ledger has them.
fn ledger_figures(desk: &Desk) -> Figures {
    let deals = query(desk, &["deals"]);
    let contested = query(desk, &["conflicts"]).len();
    let state = |name: &str| deals.iter().filter(|deal| deal["state"] == name).count();
    let won = deals.iter().filter(|deal| deal["state"] == "won");
    let won_cents: u64 = won.map(|deal| cents(&deal["won_value"]["amount"])).sum();
    assert_eq!(won_cents % 100, 0);
    let funds = query(desk, &["balances", "--fund", "coop", "--lot", "total"]);
    let rejects = csv::Reader::from_path(desk.path("sales_pipeline.rejects.csv")).unwrap();
    Figures {
        free: deals.len() - contested,
        contested,
        won: state("won"),
        lost: state("lost"),
        outside: rejects.into_records().count(),
        won_usd: won_cents / 100,
        coop_cents: funds.iter().map(|fund| cents(&fund["accrued"])).sum(),
    }
}

#[test]
fn the_import_comes_to_the_same_figures_and_changes_nothing_the_second_time() {
    let Some(folder) = sample() else { return };
    let desk = Desk::new();
    let first = import(&desk, &folder, Path::new(MAP));
    assert_eq!(first.keys().collect::<Vec<_>>(), ["accepted"], "{first:?}");
    let expected = figures(&opportunities(&folder), 90);
    assert_eq!(ledger_figures(&desk), expected);
    let second = import(&desk, &folder, Path::new(MAP));
    assert_eq!(second.keys().collect::<Vec<_>>(), ["already applied"], "{second:?}");
    assert_eq!(first.values().sum::<u64>(), second.values().sum::<u64>());
    assert_eq!(ledger_figures(&desk), expected);
}

#[test]
fn another_window_comes_by_changing_one_term() {
    let Some(folder) = sample() else { return };
    let map = std::fs::read_to_string(MAP).unwrap();
    let term = "protection_days = 90";
    assert_eq!(map.matches(term).count(), 1);
    let desk = Desk::new();
    let other = desk.path("other.toml");
    std::fs::write(&other, map.replace(term, "protection_days = 60")).unwrap();
    import(&desk, &folder, &other);
    let (found, expected) = (ledger_figures(&desk), figures(&opportunities(&folder), 60));
    assert_ne!(expected.free, figures(&opportunities(&folder), 90).free);
    assert_eq!(found, expected);
}

/// What the map's programme grades by: the win rate alone.
const GRADES: &str = "\
[feeds.commands.data.terms.scorecard]
metrics = [{ metric = \"win_rate\", lo = \"0\", hi = \"1\", weight = \"1\" }]

[feeds.commands.data.terms.coop]
";

/// What a script that shares no code with the ledger finds of every agent.
fn scripted(folder: &Path) -> Option<BTreeMap<String, Value>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/crm_scorecards.py");
    let python = std::env::var_os("CHL_PYTHON").unwrap_or_else(|| "python3".into());
    let period = ["2017-01-01", "2017-12-31"];
    match std::process::Command::new(python).arg(script).arg(folder).args(period).output() {
        Ok(run) => {
            assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
            Some(serde_json::from_slice(&run.stdout).unwrap())
        }
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "python3: {error}");
            std::io::stderr().write_all(b"SKIPPED: python3 is not installed\n").unwrap();
            None
        }
    }
}

#[test]
fn scorecards_are_what_a_separate_script_finds() {
    let Some(folder) = sample() else { return };
    let Some(expected) = scripted(&folder) else { return };
    let map = std::fs::read_to_string(MAP).unwrap();
    let coop = "[feeds.commands.data.terms.coop]\n";
    assert_eq!(map.matches(coop).count(), 1);
    let desk = Desk::new();
    let graded = desk.path("graded.toml");
    std::fs::write(&graded, map.replace(coop, GRADES)).unwrap();
    import(&desk, &folder, &graded);
    let cards = query(&desk, &["scorecards", "--period", "2017"]);
    assert_eq!(cards.len(), expected.len(), "every agent is enrolled, with sales or without");
    let columns = ["win_rate", "cycle_days", "cycle_days_mean", "percentile"];
    for card in &cards {
        let agent = &expected[card["partner"].as_str().unwrap()];
        for column in columns {
            assert_eq!(card[column], agent[column], "{column} of {}", card["partner"]);
        }
    }
    let told = |column: &str| expected.values().filter(|one| !one[column].is_null()).count();
    assert!(columns.into_iter().all(|column| told(column) > 20), "too few figures to compare");
}
