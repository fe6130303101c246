//! The program as a user meets it: commands in, answers out, mistakes on purpose, exit codes.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, PARTNER, partner_lines};
use serde_json::Value;

#[test]
fn answers_come_in_input_order_and_a_second_sending_changes_nothing() {
    let desk = Desk::new();
    let first = desk.submit(&partner_lines());
    assert_eq!(first.code, 0, "{}", first.err);
    let answers = first.json_lines();
    let ids: Vec<&str> = answers.iter().map(|answer| answer["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["1", "2", "3", "4"]);
    assert!(answers.iter().all(|answer| answer["outcome"] == "accepted"));
    assert!(answers.iter().all(|answer| answer["duplicate"] == false));
    assert!(first.err.contains("4 accepted, 0 rejected"), "{}", first.err);
    let again = desk.submit(&partner_lines());
    assert_eq!(again.code, 0, "{}", again.err);
    for (one, other) in answers.iter().zip(again.json_lines()) {
        assert_eq!(other["duplicate"], true);
        assert_eq!(one["position"], other["position"]);
        assert_eq!(one["recorded_at"], other["recorded_at"]);
    }
}

#[test]
fn a_broken_line_is_answered_with_its_place_and_stops_nothing() {
    let desk = Desk::new();
    let lines = format!(
        "{}\n\nno json\n{}\n{}\n",
        partner_lines().lines().next().unwrap(),
        r#"{"id":"b","type":"RecruitPartner","data":{"partner":"p-9","nmae":"x","types":[]}}"#,
        r#"{"id":"c","type":"ApplyForProgramme","data":{"partner":"p-1"}}"#,
    );
    let run = desk.submit(&lines);
    assert_eq!(run.code, 3);
    let answers = run.json_lines();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[1]["code"], "command.malformed");
    assert_eq!(answers[1]["line"], 3);
    assert!(answers[1]["message"].as_str().unwrap().contains("line 3 column 2"));
    assert_eq!(answers[2]["line"], 4);
    assert!(answers[2]["message"].as_str().unwrap().contains("data.nmae"), "{}", answers[2]);
    assert_eq!(answers[3]["outcome"], "accepted");
}

#[test]
fn exit_codes_tell_a_changed_stream_from_a_rejection() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&partner_lines()).code, 0);
    let stale =
        r#"{"id":"s","type":"SuspendPartner","expectedversion":1,"data":{"partner":"p-1"}}"#;
    let run = desk.submit(stale);
    assert_eq!(run.code, 4, "{}", run.err);
    assert_eq!(run.json_lines()[0]["code"], "stream.changed");
    let unknown = r#"{"id":"u","type":"SuspendPartner","data":{"partner":"p-2"}}"#;
    assert_eq!(desk.submit(&format!("{stale}\n{unknown}\n")).code, 3);
    assert_eq!(desk.run(&["query", "nothing"]).code, 2);
    assert_eq!(desk.run(&["query", "balances", "--where", "nope=1"]).code, 2);
    assert_eq!(desk.run(&["--ledger", "other", "query", "balances"]).code, 5);
    assert_eq!(desk.run(&["--ledger", "../x", "query", "balances"]).code, 2);
}

#[test]
fn a_dry_run_sees_its_own_lines_and_writes_nothing() {
    let desk = Desk::new();
    assert_eq!(desk.submit(PARTNER).code, 0);
    let lines: String = partner_lines().lines().skip(1).map(|line| format!("{line}\n")).collect();
    let run = desk.run_with(&["submit", "-", "--dry-run"], lines.as_bytes());
    assert_eq!(run.code, 0, "{}", run.err);
    for answer in run.json_lines() {
        assert_eq!(answer["outcome"], "accepted");
        assert_eq!(answer["dry_run"], true);
        assert_eq!(answer["position"], Value::Null);
    }
    let log = desk.run(&["log", "view"]);
    assert_eq!(log.json_lines().len(), 2, "the opening and the recruiting");
}

#[test]
fn claims_are_believed_only_when_asked_for() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&partner_lines()).code, 0);
    let line = r#"{"id":"t","type":"RegisterCustomer","actor":"svc-1","role":"service","data":{"customer":"acme","name":"Acme"}}"#;
    let refused = desk.submit(line);
    assert_eq!(refused.code, 3);
    assert_eq!(refused.json_lines()[0]["code"], "not_permitted.claim");
    let believed = desk.run_with(&["submit", "--trust-claims"], line.as_bytes());
    assert_eq!(believed.code, 0, "{}", believed.err);
    let view = desk.run(&["log", "view", "--type", "RegisterCustomer"]);
    assert_eq!(view.json_lines()[0]["actor"], "svc-1");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&partner_lines()).code, 0);
    let pipe = format!(
        "{} --data {} log view | head -n 1 >/dev/null; echo ${{PIPESTATUS[0]}}",
        cli::CHL,
        desk.data()
    );
    let run = std::process::Command::new("bash").args(["-c", &pipe]).output().unwrap();
    assert_eq!(String::from_utf8(run.stdout).unwrap().trim(), "0");
}

#[test]
fn the_catalog_and_the_codes_explain_themselves() {
    let desk = Desk::new();
    let schema = desk.run(&["schema", "registerdeal"]);
    assert_eq!(schema.code, 0, "{}", schema.err);
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    assert!(schema["properties"]["value"].is_object());
    assert_eq!(schema["additionalProperties"], false);
    let unknown = desk.run(&["schema", "Deal"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("RegisterDeal"), "{}", unknown.err);
    let code = desk.run(&["explain", "code", "stream.changed"]);
    assert_eq!(code.code, 0);
    assert_eq!(code.json_lines()[0]["class"], "wrong_state");
    let example = code.json_lines()[0]["example"].as_str().unwrap().to_owned();
    let met = Desk::new().run_with(&["submit", "--trust-claims"], example.as_bytes());
    assert_eq!(met.json_lines().last().unwrap()["code"], "stream.changed");
    let unmet = desk.run(&["explain", "code", "no.such"]);
    assert_eq!(unmet.code, 2);
    let all = desk.run(&["explain", "code"]).json_lines();
    assert!(all.len() > 50);
    assert!(desk.run(&["completions", "bash"]).out.contains("_chl"));
}

#[test]
fn formats_agree() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&partner_lines()).code, 0);
    let jsonl = desk.run(&["query", "partners"]).json_lines();
    let json = desk.run(&["--output", "json", "query", "partners"]);
    assert_eq!(serde_json::from_str::<Vec<Value>>(&json.out).unwrap(), jsonl);
    let csv = desk.run(&["--output", "csv", "query", "partners"]);
    let header = csv.out.lines().next().unwrap();
    let columns: Vec<&String> = jsonl[0].as_object().unwrap().keys().collect();
    assert_eq!(header.split(',').count(), columns.len());
    let table = desk.run(&["--output", "table", "query", "partners"]);
    assert!(table.out.contains("p-1"));
    let sql = desk.run(&["sql", "SELECT partner, state FROM partners"]).json_lines();
    assert_eq!(sql[0]["state"], jsonl[0]["state"]);
    let write = desk.run(&["sql", "DELETE FROM partners"]);
    assert_eq!(write.code, 2, "{}", write.err);
}

#[test]
fn a_dry_run_needs_no_ledger_and_makes_none() {
    let desk = Desk::new();
    let lines = partner_lines() + r#"{"id":"u","type":"SuspendPartner","data":{"partner":"p-2"}}"#;
    let run = desk.run_with(&["submit", "--dry-run"], lines.as_bytes());
    assert_eq!(run.code, 3, "{}", run.err);
    let answers = run.json_lines();
    assert_eq!(answers[3]["outcome"], "accepted", "line 4 sees line 1: {}", answers[3]);
    assert_eq!(answers[3]["dry_run"], true);
    assert_eq!(answers[4]["code"], "partner.unknown");
    assert_eq!(std::fs::read_dir(desk.path("")).unwrap().count(), 0, "nothing was made");
    assert_eq!(desk.run_with(&["submit", "--dry-run"], partner_lines().as_bytes()).code, 0);
}

#[test]
fn what_cannot_be_read_is_a_mistake_of_the_call() {
    let desk = Desk::new();
    std::fs::create_dir(desk.path("folder")).unwrap();
    for (args, said) in [
        (["submit", "folder"].as_slice(), "folder is a folder"),
        (&["submit", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (&["log", "import", "folder"], "folder is a folder"),
        (&["log", "import", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
    ] {
        let run = desk.run(args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.err);
        assert!(run.err.contains(said), "{args:?}: {}", run.err);
        assert!(!desk.path("main").exists(), "{args:?} made a ledger");
    }
}

#[test]
fn a_mark_before_the_first_line_says_nothing() {
    let desk = Desk::new();
    let run = desk.submit(&format!("\u{feff}{}", partner_lines()));
    assert_eq!(run.code, 0, "{}{}", run.out, run.err);
    assert_eq!(run.json_lines().len(), 4);
}
