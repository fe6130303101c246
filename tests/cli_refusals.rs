//! The decision journal, asked: who was refused what, and when.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, Run};
use serde_json::{Value, json};

/// A ledger that refused four commands, and took one.
fn refusing() -> Desk {
    let desk = Desk::with_history();
    let lines = r#"{"id":"a","type":"AccrueCoop","data":{"partner":"p-1","programme":"gold","sale":"s-1","net_amount":{"amount":"5.00","currency":"USD"},"sold_on":"2026-03-02"}}
{"id":"w","type":"WithdrawClaim","data":{"claim":"nope","partner":"p-1","programme":"gold","fund":"coop","note":"Zaphod asked for it"}}
{"id":"s","type":"SuspendPartner","actor":"u-9","role":"partner","partner":"p-1","data":{"partner":"p-1"}}
{"id": Zaphod
{"id":"t","type":"RegisterCustomer","data":{"customer":"new","name":"New"}}
"#;
    let run = desk.run_with(&["submit", "--trust-claims"], lines.as_bytes());
    assert_eq!(run.code, 3, "{}", run.out);
    desk
}

fn ask(desk: &Desk, more: &[&str]) -> Run {
    desk.run(&[&["query", "refusals"], more].concat())
}

fn codes(run: &Run) -> Vec<Value> {
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines().iter().map(|row| row["code"].clone()).collect()
}

#[test]
fn every_refusal_can_be_found() {
    let desk = refusing();
    let all = ask(&desk, &[]);
    let mut found: Vec<String> = codes(&all).iter().map(|code| code.to_string()).collect();
    found.sort_unstable();
    let expected = [
        r#""claim.unknown""#,
        r#""command.malformed""#,
        r#""command.id_reused""#,
        r#""not_permitted.role""#,
    ];
    let mut expected: Vec<String> = expected.map(String::from).into();
    expected.sort_unstable();
    assert_eq!(found, expected, "{}", all.out);
    assert!(all.err.contains("the journal of this machine reaches back to 2"), "{}", all.err);
    let claim = ask(&desk, &["--where", "code=claim.unknown"]);
    let row = &claim.json_lines()[0];
    assert_eq!(row["data"]["note"], "Zaphod asked for it", "opened for the operator");
    assert_eq!((&row["type"], &row["id"]), (&json!("WithdrawClaim"), &json!("w")));
    let malformed = ask(&desk, &["--where", "code=command.malformed"]);
    assert_eq!(malformed.json_lines()[0]["bytes"], 13);
    assert_eq!(codes(&ask(&desk, &["--partner", "p-1"])).len(), 2, "all that name it");
    assert!(codes(&ask(&desk, &["--partner", "p-2"])).is_empty());
    assert_eq!(codes(&ask(&desk, &["--limit", "2"])).len(), 2);
    for (condition, found) in [
        ("bytes>=5", 1),
        ("bytes>=14", 0),
        ("bytes=13", 1),
        ("at>=2026-01-01", 4),
        ("at<=2026-01-01", 0),
        ("at<=2199-01-01T00:00:00.5Z", 4),
    ] {
        assert_eq!(codes(&ask(&desk, &["--where", condition])).len(), found, "{condition}");
    }
    assert!(codes(&ask(&desk, &["--as-of", "2026-01-01T00:00:00Z"])).is_empty());
    // The same through an owner, which notes more meanwhile.
    let owner = desk.serve();
    assert_eq!(desk.submit("{\"id\": 7}\n").code, 3);
    assert_eq!(codes(&ask(&desk, &[])).len(), 5);
    assert_eq!(owner.stop(), 0);
}

#[test]
fn what_does_not_apply_to_refusals_is_said() {
    let desk = Desk::with_history();
    let none = ask(&desk, &[]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert!(none.err.contains("has noted nothing yet"), "{}", none.err);
    let desk = refusing();
    for (wrong, said) in [
        (["--fund", "coop"], "filtered by --partner and --where alone"),
        (["--effective", "2026-01-01"], "nothing came of them"),
        (["--as-of", "3"], "--as-of takes an instant"),
        (["--where", "bytes=many"], "bytes: \"many\" is no whole number"),
        (["--where", "at>=yesterday"], "at: \"yesterday\" is no instant and no day"),
        (["--where", "colour=red"], "refusals have no column \"colour\", but at, code, type"),
    ] {
        let run = ask(&desk, &wrong);
        assert_eq!(run.code, 2, "{wrong:?}");
        assert!(run.err.contains(said), "{}", run.err);
    }
}

#[test]
fn refusals_are_exported_beside_the_read_models_with_their_texts_sealed() {
    let desk = refusing();
    let folder = desk.path("out");
    let folder = folder.to_str().unwrap_or_default();
    let run = desk.run(&["export", folder, "--format", "csv"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let rows = run.json_lines();
    let file = rows.iter().find(|row| row["view"] == "refusals").expect("it is told");
    assert_eq!((&file["file"], &file["rows"]), (&json!("refusals.csv"), &json!(4)));
    let text = std::fs::read_to_string(desk.path("out/refusals.csv")).expect("it is there");
    assert!(text.starts_with("at,code,type,id,"), "{text}");
    assert!(text.contains("claim.unknown") && text.contains("sealed"), "{text}");
    assert!(!text.contains("Zaphod"), "{text}");
    let alone = desk.run(&["export", &format!("{folder}-2"), "refusals"]);
    assert_eq!(alone.json_lines().len(), 1, "{}", alone.out);
    assert_eq!(alone.json_lines()[0]["file"], "refusals.parquet");
}
