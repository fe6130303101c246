//! `chl bench`: it measures, checks what it measured, and leaves nothing behind.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;

/// Enough for a few partners to live through a year.
const COMMANDS: &str = "600";

#[test]
fn a_row_for_each_number_in_flight_and_everything_held() {
    let desk = Desk::new();
    let asked = ["bench", "--commands", COMMANDS, "--in-flight", "1,16", "--validate"];
    let run = desk.run(&[&asked[..], &["--output", "jsonl"]].concat());
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    let rows = run.json_lines();
    assert_eq!(rows.len(), 2);
    for (row, in_flight) in rows.iter().zip([1, 16]) {
        let number = |column: &str| row[column].as_u64().unwrap();
        assert_eq!(number("in_flight"), in_flight);
        assert_eq!(number("accepted") + number("refused"), number("commands"));
        assert!(number("accepted") * 2 > number("commands"), "{row}");
        // Policies and the clock add commits of their own.
        assert!(number("commits") > number("accepted") / 2, "{row}");
        assert!(number("p50_us") > 0 && number("p50_us") <= number("p99_us"), "{row}");
        for rate in ["commands_per_second", "with_read_models_per_second", "raw_file_per_second"] {
            assert!(number(rate) > 0, "{row}");
        }
        assert!(number("with_read_models_per_second") <= number("commands_per_second"), "{row}");
        assert!(row["ratio"].as_str().unwrap().contains('.'), "{row}");
        assert_eq!(row["valid"], true, "{}", run.err);
    }
    // The same lines were sent each time, whatever their number in flight.
    assert_eq!(rows[0]["commits"], rows[1]["commits"]);
    assert_eq!(std::fs::read_dir(desk.path("")).unwrap().count(), 0, "something is left behind");
}

#[test]
fn without_validation_nothing_is_said_to_be_valid() {
    let desk = Desk::new();
    let run = desk.run(&["bench", "--commands", "100", "--in-flight", "8", "--output", "json"]);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    let rows: serde_json::Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!(rows[0]["valid"], serde_json::Value::Null);
    assert_eq!(desk.run(&["bench", "--in-flight", "0"]).code, 2, "none in flight goes nowhere");
}

#[test]
fn a_folder_of_ledgers_that_was_not_there_is_not_left_behind() {
    let desk = Desk::new();
    let data = desk.path("nowhere");
    let run = desk.run(&[
        "bench",
        "--data",
        data.to_str().unwrap(),
        "--commands",
        "100",
        "--in-flight",
        "8",
    ]);
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    assert!(!data.exists());
}
