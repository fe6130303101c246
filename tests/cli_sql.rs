//! `chl sql`: what a foreign statement may do, and what other tools read in the same file.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use serde_json::json;

/// Statements that would write, reach for a file, change a setting, or never end.
const REFUSED: &[&str] = &[
    "INSERT INTO deals SELECT * FROM deals",
    "UPDATE postings SET debit_minor = 0",
    "DELETE FROM postings",
    "REPLACE INTO _meta SELECT * FROM _meta",
    "DROP TABLE balances",
    "ALTER TABLE balances RENAME TO mine",
    "CREATE TABLE mine (x)",
    "CREATE TEMP TABLE mine (x)",
    "CREATE TEMP VIEW mine AS SELECT 1",
    "CREATE INDEX mine ON postings (position)",
    "CREATE TRIGGER mine AFTER INSERT ON deals BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE mine USING fts5(x)",
    "WITH gone AS (SELECT 1) DELETE FROM postings",
    "ATTACH DATABASE 'other.sqlite' AS other",
    "ATTACH DATABASE ':memory:' AS other",
    "DETACH DATABASE main",
    "VACUUM",
    "VACUUM INTO 'copy.sqlite'",
    "REINDEX",
    "ANALYZE",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "SAVEPOINT mine",
    "PRAGMA query_only = OFF",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA database_list",
    "SELECT * FROM pragma_database_list",
    "SELECT load_extension('mine')",
    "SELECT readfile('/etc/hostname')",
    "SELECT writefile('mine', 'x')",
    "SELECT edit('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT 1; DROP TABLE balances",
    "SELECT zeroblob(1000000000)",
    "SELECT printf('%.*c', 1000000000, 'x')",
    "SELECT group_concat(a.account || b.account, hex(zeroblob(4000000))) FROM postings a, postings b",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, hex(zeroblob(99999)) FROM n",
    "EXPLAIN QUERY PLAN DELETE FROM postings",
];

#[test]
fn a_foreign_statement_reads_and_nothing_else() {
    let desk = Desk::with_history();
    let before = desk.run(&["rebuild"]).out;
    let listed = || {
        let files = std::fs::read_dir(desk.data()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let files = listed();
    for statement in REFUSED {
        let run = desk.run(&["sql", statement, "--time-limit", "1"]);
        assert_eq!((run.code, run.out.as_str()), (2, ""), "{statement}: {}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{statement}: {}", run.err);
    }
    assert_eq!(files, listed(), "no statement leaves a file");
    assert_eq!(before, desk.run(&["rebuild"]).out, "nothing has changed");
}

#[test]
fn what_depends_on_the_moment_is_the_same_in_sql_as_in_json() {
    let desk = Desk::with_history();
    assert_eq!(desk.submit(&cli::contest_lines()).code, 0);
    for day in ["2026-03-25", "2026-05-29", "2026-08-01"] {
        for (view, key, columns) in [
            ("deals", "deal", ["effective_state", "days_left", "age_days"].as_slice()),
            ("conflicts", "conflict", &["effective_state", "age_days", "overdue"]),
            ("claims", "claim", &["age_days"]),
            ("balances", "lot", &["lot_state"]),
        ] {
            let asked = desk.run(&["query", view, "--effective", day]).json_lines();
            let statement = format!("SELECT {key}, {} FROM {view} ORDER BY 1", columns.join(", "));
            let sql = desk.run(&["sql", &statement, "--effective", day]).json_lines();
            assert_eq!(asked.len(), sql.len());
            assert!(!asked.is_empty(), "{view} on {day}");
            for (asked, sql) in asked.iter().zip(&sql) {
                for column in columns {
                    // SQL has numbers in the place of true and false.
                    let as_number = asked[column].as_bool().map(|yes| json!(i64::from(yes)));
                    let expected = as_number.unwrap_or_else(|| asked[column].clone());
                    assert_eq!(sql[column], expected, "{view}.{column} on {day}");
                }
            }
        }
    }
}
