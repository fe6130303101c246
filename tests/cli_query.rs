//! Questions to the read models: what is, what was, and what was asked for by mistake.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, contest_lines};
use serde_json::Value;

/// A desk with two partners' deals at one slot.
fn contested() -> Desk {
    let desk = Desk::with_history();
    let run = desk.submit(&contest_lines());
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    desk
}

#[test]
fn a_conflict_lapses_when_its_incumbents_protection_runs_out() {
    let desk = contested();
    let on = |view: &str, day: &str| {
        let run = desk.run(&["query", view, "--effective", day]);
        assert_eq!(run.code, 0, "{}", run.err);
        run.json_lines()
    };
    for (day, conflict, challenger) in
        [("2026-05-29", "open", "contested"), ("2026-05-30", "lapsed", "submitted")]
    {
        assert_eq!(on("conflicts", day)[0]["effective_state"], conflict);
        assert_eq!(on("conflicts", day)[0]["state"], "open", "the clock has recorded nothing yet");
        assert_eq!(on("deals", day)[1]["effective_state"], challenger);
        let open = desk.run(&["query", "conflicts", "--effective", day, "--state", "open"]);
        assert_eq!(open.json_lines().len(), usize::from(conflict == "open"));
        let statement = "SELECT c.effective_state AS c, d.effective_state AS d FROM conflicts c \
                         JOIN deals d ON d.deal = c.challenger";
        let sql = desk.run(&["sql", statement, "--effective", day]);
        assert_eq!(sql.json_lines()[0]["c"], conflict, "{}", sql.err);
        assert_eq!(sql.json_lines()[0]["d"], challenger);
    }
    let extended = r#"{"id":"x","type":"ExtendDeal","time":"2026-05-01T09:00:00Z","data":{"deal":"d-1","customer":"acme"}}"#;
    let run = desk.submit(extended);
    assert_eq!(run.code, 0, "{}", run.out);
    let kept: Value = on("conflicts", "2026-05-30")[0].clone();
    assert_eq!(kept["effective_state"], "open", "an extension keeps it open: {kept}");
    assert_eq!(kept["guarded_until"], "2026-05-30T09:00:00Z", "the evidence stays");
}

#[test]
fn a_filter_that_nothing_can_meet_is_told_from_one_that_nothing_meets() {
    let desk = Desk::with_history();
    for (args, said) in [
        (["query", "deals", "--state", "bogus"], "submitted, contested, approved"),
        (["query", "conflicts", "--state", "bogus"], "open, escalated, resolved, lapsed"),
        (["query", "balances", "--fund", "bogus"], "coop, mdf, rebate"),
        (["query", "balances", "--where", "currency=XXQ"], "ISO 4217"),
        (["query", "deals", "--limit", "0"], "--limit"),
        (["query", "deals", "--limit", "-1"], "invalid value '-1' for '--limit"),
        (["log", "tail", "--lines", "-1"], "invalid value '-1' for '--lines"),
    ] {
        let run = desk.run(&args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.err);
        assert!(run.err.contains(said), "{args:?}: {}", run.err);
    }
    for (option, id, said) in [
        ("--partner", "p-999", "no partner p-999 in this ledger"),
        ("--programme", "tin", "no programme tin in this ledger"),
        ("--customer", "nobody", "no deal of a customer nobody in this ledger"),
    ] {
        let run = desk.run(&["query", "deals", option, id]);
        assert_eq!((run.code, run.out.as_str()), (0, ""), "{}", run.err);
        assert!(run.err.contains(said), "{}", run.err);
    }
    let cards = desk.run(&["query", "scorecards", "--period", "2026", "--programme", "tin"]);
    assert_eq!((cards.code, cards.out.as_str()), (0, ""), "{}", cards.err);
    assert!(cards.err.contains("no programme tin"), "{}", cards.err);
    let beyond = desk.run(&["log", "view", "999"]);
    assert_eq!((beyond.code, beyond.out.as_str()), (0, ""));
    assert!(beyond.err.contains("the log ends at position 10"), "{}", beyond.err);
    let none = desk.run(&["query", "deals", "--partner", "p-1", "--state", "won"]);
    assert_eq!(none.code, 0, "{}", none.err);
    assert!(!none.err.contains("in this ledger"), "{}", none.err);
}

#[test]
fn what_is_wrong_with_a_statement_is_said() {
    let desk = Desk::with_history();
    for (statement, said) in [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM nonsuch", "no such table: nonsuch"),
        ("DELETE FROM deals", "only reading is allowed"),
    ] {
        let run = desk.run(&["sql", statement]);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains(said), "{}", run.err);
    }
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT max(i) FROM n";
    let run = desk.run(&["sql", endless, "--time-limit", "1"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("stopped after 1 s"), "{}", run.err);
}

#[test]
fn an_answer_of_several_tables_is_noted_once_and_is_one_table_as_csv() {
    let desk = Desk::with_history();
    for what in [["balance", "p-1", "gold", "coop"].as_slice(), &["deal", "d-1"], &["claim", "c-1"]]
    {
        let run = desk.run(&[["explain"].as_slice(), what].concat());
        assert_eq!(run.err.matches("as of position").count(), 1, "{}", run.err);
        let csv = desk.run(&[["--output", "csv", "explain"].as_slice(), what].concat());
        assert_eq!(csv.code, 0, "{}", csv.err);
        let first = if what[0] == "balance" { "position,event_no" } else { "position,time" };
        assert!(csv.out.starts_with(first), "{}", csv.out);
        assert!(!csv.out.contains("\n\n"), "one table: {}", csv.out);
        assert!(csv.err.contains("CSV holds one table; left out: "), "{}", csv.err);
    }
}

#[test]
fn named_read_models_are_rebuilt_and_compared() {
    let desk = Desk::with_history();
    let views = |run: &cli::Run| -> Vec<Value> {
        run.json_lines().iter().map(|row| row["view"].clone()).collect()
    };
    let named = desk.run(&["rebuild", "deals", "balances"]);
    assert_eq!(named.code, 0, "{}", named.err);
    assert_eq!(views(&named), ["balances", "deals"]);
    let unknown = desk.run(&["rebuild", "nothing"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("balances, postings, deals"), "{}", unknown.err);
    // Somebody has written into the file of the views.
    let file = rusqlite::Connection::open(desk.path("main/views.sqlite")).expect("it is there");
    file.execute("UPDATE claims SET activity='travel'", []).expect("the table is there");
    drop(file);
    let differs = desk.run(&["rebuild", "deals"]);
    assert_eq!(differs.code, 6, "{}", differs.err);
    assert_eq!(views(&differs), ["deals", "claims"], "one that differed is shown in any case");
    assert_eq!(differs.json_lines()[1]["equal"], false);
    assert_eq!(desk.run(&["query", "claims"]).json_lines()[0]["activity"], "ad");
    assert_eq!(desk.run(&["rebuild"]).code, 0);
}
