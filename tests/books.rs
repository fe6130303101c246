//! The exported books: accepted by hledger and by Beancount, and what was changed in them is caught.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, Run};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// A tool that checks books.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tool {
    Hledger,
    Beancount,
}

impl Tool {
    const ALL: [Self; 2] = [Self::Hledger, Self::Beancount];

    fn name(self) -> &'static str {
        match self {
            Self::Hledger => "hledger",
            Self::Beancount => "beancount",
        }
    }

    /// What runs its check of a file; none where it is not installed, which is a visible skip on a
    /// desk and a failure in CI.
    fn check(self, books: &Path) -> Option<Command> {
        let mut command = match self {
            Self::Hledger => {
                let mut hledger = Command::new("hledger");
                hledger.args(["check", "--strict", "ordereddates", "--file"]);
                hledger
            }
            Self::Beancount => {
                let installed =
                    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats/bin/python");
                let python = std::env::var_os("CHL_PYTHON").map_or(installed, PathBuf::from);
                Command::new(python.with_file_name("bean-check"))
            }
        };
        command.arg(books);
        if Command::new(command.get_program()).arg("--version").output().is_ok() {
            return Some(command);
        }
        let what = format!("{} is not installed; .ci/run installs it", self.name());
        assert!(std::env::var_os("CI").is_none(), "{what}");
        std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
        None
    }

    /// What it says against the books; empty when it accepts them.
    fn against(self, books: &Path) -> Option<String> {
        let run = self.check(books)?.output().unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success() || !said.is_empty(), "{} failed without a word", self.name());
        Some(if run.status.success() { String::new() } else { said })
    }
}

/// The ledger of the demo.
const DEMO: [&str; 2] = ["--ledger", "demo"];

/// A year of money, small enough to be checked many times, with the books of its first half closed.
fn year() -> Desk {
    let desk = Desk::new();
    let run = desk.run(&["demo", &desk.data(), "--partners", "12", "--commands", "1500"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let close = r#"{"id": "close", "type": "ClosePeriod", "data": {"through": "2025-06-30"}}"#;
    let run = desk.run_with(&[&DEMO[..], &["submit"]].concat(), close.as_bytes());
    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(closing(&desk, &["2025-06-30", "--record"]).code, 0);
    desk
}

/// What `chl audit closing` says.
fn closing(desk: &Desk, args: &[&str]) -> Run {
    desk.run(&[&DEMO[..], &["audit", "closing"], args].concat())
}

fn books(desk: &Desk, tool: Tool, more: &[&str]) -> String {
    let mut args = vec!["audit", "export", "--format", tool.name()];
    args.extend(DEMO);
    args.extend(more);
    let run = desk.run(&args);
    assert_eq!(run.code, 0, "{}", run.err);
    run.out
}

/// What somebody might do to books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    Cent,
    Transaction,
    Balance,
}

/// The books with one thing changed, by where chance points.
fn changed(books: &str, tool: Tool, change: Change, chance: &mut ChaCha8Rng) -> String {
    let mut blocks: Vec<String> = books.split("\n\n").map(str::to_owned).collect();
    let marker = match (change, tool) {
        (Change::Cent | Change::Transaction, _) => " * ",
        (Change::Balance, Tool::Hledger) => " = ",
        (Change::Balance, Tool::Beancount) => " balance ",
    };
    let holds = |block: &&mut String| block.contains(marker) && !block.contains("closing balances");
    let count = blocks.iter_mut().filter(holds).count();
    let block = blocks.iter_mut().filter(holds).nth(chance.random_range(0..count)).unwrap();
    if change == Change::Transaction {
        block.clear();
        return blocks.join("\n\n");
    }
    let mut lines: Vec<String> = block.lines().map(str::to_owned).collect();
    let amounts: Vec<usize> = match (change, tool) {
        (Change::Balance, Tool::Beancount) => indices(&lines, " balance "),
        _ => (0..lines.len()).filter(|at| is_posting(&lines[*at])).collect(),
    };
    let line = &mut lines[amounts[chance.random_range(0..amounts.len())]];
    *line = match (change, tool) {
        (Change::Balance, Tool::Hledger) => {
            let (before, balance) = line.split_once(" = ").unwrap();
            format!("{before} = {}", plus_one(balance))
        }
        (Change::Balance, Tool::Beancount) | (Change::Cent, _) => {
            let (account, amount) = line.rsplit_once("  ").unwrap();
            format!("{account}  {}", plus_one(amount))
        }
        (Change::Transaction, _) => unreachable!("it went above"),
    };
    *block = lines.join("\n");
    blocks.join("\n\n")
}

fn indices(lines: &[String], marker: &str) -> Vec<usize> {
    (0..lines.len()).filter(|at| lines[*at].contains(marker)).collect()
}

fn is_posting(line: &str) -> bool {
    line.starts_with("  ") && line.trim_start().contains("  ")
}

/// The first number of a text, one unit of its last digit more.
fn plus_one(text: &str) -> String {
    let (number, rest) = text.split_once(' ').unwrap();
    let scale = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let digits: i128 = number.replace('.', "").parse().unwrap();
    let more = digits + 1;
    let sign = if more < 0 { "-" } else { "" };
    let padded = format!("{:0width$}", more.abs(), width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    let point = if number.contains('.') { "." } else { "" };
    format!("{sign}{whole}{point}{fraction} {rest}")
}

#[test]
fn other_peoples_tools_accept_the_books_of_any_period() {
    let desk = year();
    let day = |sql: &str| {
        let run = desk.run(&[&DEMO[..], &["sql", sql]].concat());
        run.json_lines()[0]["day"].as_str().unwrap().to_owned()
    };
    let middle = day("SELECT min(posted_on) AS day FROM postings WHERE position > \
                      (SELECT max(position) / 2 FROM postings)");
    let end = day("SELECT max(posted_on) AS day FROM postings");
    for tool in Tool::ALL {
        let path = desk.path("books");
        for more in [&[][..], &["--from", &middle], &["--from", &middle, "--to", &end]] {
            let books = books(&desk, tool, more);
            assert!(books.contains(" * "), "{books}");
            // The accounts over all others hold what was recorded when the half year was closed.
            let closed = ["period closed", "2025-07-01 balance Liabilities:Accrued "];
            let told = closed.iter().any(|closed| books.contains(closed));
            let covered = more.is_empty() || middle.as_str() <= "2025-06-30";
            assert_eq!(told, covered, "{more:?}\n{books}");
            std::fs::write(&path, &books).unwrap();
            if let Some(said) = tool.against(&path) {
                assert_eq!(said, "", "{} {more:?}", tool.name());
            }
        }
    }
}

#[test]
fn what_is_changed_in_the_books_is_caught() {
    let rounds = std::env::var("CHL_BOOKS").map_or(6, |rounds| rounds.parse().unwrap());
    let seed = std::env::var("CHL_SEED").map_or(1, |seed| seed.parse().unwrap());
    let desk = year();
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut caught: BTreeMap<(Change, &str), (usize, usize)> = BTreeMap::new();
    for tool in Tool::ALL {
        let books = books(&desk, tool, &[]);
        let path = desk.path("books");
        for round in 0..rounds {
            let change = [Change::Cent, Change::Transaction, Change::Balance][round % 3];
            let changed = changed(&books, tool, change, &mut chance);
            assert_ne!(changed, books);
            std::fs::write(&path, changed).unwrap();
            let Some(said) = tool.against(&path) else { break };
            let of = caught.entry((change, tool.name())).or_default();
            of.0 += usize::from(!said.is_empty());
            of.1 += 1;
            assert_ne!(said, "", "seed {seed}, round {round}: {change:?} of {}", tool.name());
        }
    }
    let mut told = std::io::stdout();
    writeln!(told, "seed {seed}").unwrap();
    for ((change, tool), (caught, tried)) in caught {
        writeln!(told, "{change:?} of {tool}: {caught} of {tried} caught").unwrap();
    }
}

#[test]
fn what_was_recorded_of_a_closed_period_is_checked_against_the_postings() {
    let desk = year();
    let checked = |desk: &Desk| {
        let run = desk.run(&[&DEMO[..], &["check"]].concat());
        let rows = run.json_lines();
        let row = rows.iter().find(|row| row["check"] == "closing balances").unwrap();
        (run.code, row["holds"].clone(), row["counted"].clone(), row["found"].clone())
    };
    // The year's opening is the first.
    assert_eq!(checked(&desk), (0, true.into(), 2.into(), "".into()));
    let false_lines = [
        r#"{"id": "c2", "type": "ClosePeriod", "data": {"through": "2025-07-31"}}"#,
        r#"{"id": "s2", "type": "RecordClosingBalances", "data": {"through": "2025-07-31", "balances": []}}"#,
    ];
    let run = desk.run_with(&[&DEMO[..], &["submit"]].concat(), false_lines.join("\n").as_bytes());
    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(checked(&desk), (6, false.into(), 3.into(), "2025-07-31".into()));
    let lines = [
        r#"{"id": "r2", "type": "ReopenPeriod", "onbehalfof": "controller", "data": {"from": "2025-07-01", "reason": "stated wrongly"}}"#,
    ];
    let run = desk.run_with(&[&DEMO[..], &["submit"]].concat(), lines.join("\n").as_bytes());
    assert_eq!(run.code, 0, "{}", run.out);
    assert_eq!(checked(&desk), (0, true.into(), 2.into(), "".into()));
}

#[test]
fn a_closed_period_is_summed_up_and_recorded_as_often_as_it_is_closed() {
    let desk = year();
    let shown = closing(&desk, &["2025-06-30"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    let rows = shown.json_lines();
    let sum = |side: &str| {
        let of_books = rows.iter().filter(|row| row["book"] == "books" && row["side"] == side);
        let cents = of_books.map(|row| row["amount"].as_str().unwrap().replace('.', ""));
        cents.map(|cents| cents.parse::<i64>().unwrap()).sum::<i64>()
    };
    assert!(sum("debit") > 0, "{}", shown.out);
    assert_eq!(sum("debit"), sum("credit"), "{}", shown.out);

    let again = closing(&desk, &["2025-06-30", "--record"]);
    assert_eq!(again.json_lines()[0]["duplicate"], true, "{}", again.out);
    let other = closing(&desk, &["2025-05-31"]);
    assert_eq!(other.code, 2);
    assert!(other.err.contains("closed through 2025-06-30, not 2025-05-31"), "{}", other.err);
    let lines = [
        r#"{"id": "r", "type": "ReopenPeriod", "onbehalfof": "controller", "data": {"from": "2025-06-01", "reason": "an invoice"}}"#,
        r#"{"id": "c", "type": "ClosePeriod", "data": {"through": "2025-06-30"}}"#,
    ];
    let run = desk.run_with(&[&DEMO[..], &["submit"]].concat(), lines.join("\n").as_bytes());
    assert_eq!(run.code, 0, "{}", run.out);
    let anew = closing(&desk, &["2025-06-30", "--record"]);
    assert_eq!(anew.json_lines()[0]["duplicate"], false, "{}", anew.out);
    let open = Desk::with_history();
    let run = open.run(&["audit", "closing", "2026-03-31"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("the books are not closed; ClosePeriod"), "{}", run.err);
}

#[test]
fn books_are_not_made_of_postings_that_stand_still() {
    let desk = year();
    let views = desk.path("demo/views.sqlite");
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON postings \
                  BEGIN SELECT RAISE(ABORT, 'no more'); END";
    rusqlite::Connection::open(&views).unwrap().execute_batch(refuse).unwrap();
    let budget = r#"{"id": "late-budget", "type": "CreateMdfBudget", "data": {"budget": "late", "programme": "accelerate", "period": "2025", "amount": {"amount": "5.00", "currency": "USD"}}}"#;
    let run = desk.run_with(&[&DEMO[..], &["submit"]].concat(), budget.as_bytes());
    assert_eq!(run.code, 0, "{}", run.out);
    for call in [&["export", "--format", "hledger"][..], &["closing", "2025-06-30"]] {
        let run = desk.run(&[&DEMO[..], &["audit"], call].concat());
        assert_eq!((run.code, run.out.as_str()), (6, ""), "{}", run.err);
        for said in ["postings is frozen as of position", "`chl rebuild postings`"] {
            assert!(run.err.contains(said), "{}", run.err);
        }
    }
    let run = desk.run(&[&DEMO[..], &["rebuild", "postings"]].concat());
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(books(&desk, Tool::Hledger, &[]).contains("late-budget"));
}

#[test]
fn a_period_that_ends_before_it_begins_is_refused() {
    let desk = Desk::with_history();
    let span = ["--from", "2026-04-01", "--to", "2026-03-01"];
    let run = desk.run(&[&["audit", "export", "--format", "hledger"][..], &span].concat());
    assert_eq!(run.code, 2);
    assert!(run.err.contains("--from 2026-04-01 is after --to 2026-03-01"), "{}", run.err);
    let run = desk.run(&["audit", "export", "--from", "2026-04-01"]);
    assert_eq!(run.code, 2, "{}", run.err);
}
