//! Terms looked at before they are published.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use serde_json::{Value, json};

/// Writes a version of the gold programme of the history with other co-op terms.
fn written(desk: &Desk, name: &str, coop: &Value) -> String {
    let document = json!({
        "programme": "gold", "version": 9, "effective_from": "2026-07-01", "currency": "USD",
        "terms": {
            "deal_registration": {"approval": "auto", "protection_days": 90}, "coop": coop,
        },
    });
    let path = desk.path(name);
    std::fs::write(&path, document.to_string()).expect("a scratch folder");
    path.display().to_string()
}

fn diff(desk: &Desk, old: &str, new: &str) -> Vec<Value> {
    let run = desk.run(&["programme", "diff", old, new]);
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines()
}

#[test]
fn what_differs_is_named_by_its_place() {
    let desk = Desk::with_history();
    let rate = |rate: &str| json!([{"bands": [{"from": "0", "rate": rate}]}]);
    let same = json!({"accrual": rate("0.02"), "match_rate": "0.50", "claim_days": 60});
    let same = written(&desk, "same.json", &same);
    assert!(diff(&desk, "gold", &same).is_empty(), "defaults written out are no difference");
    assert!(diff(&desk, "gold@1", "gold").is_empty());
    let other = json!({
        "accrual": [rate("0.03")[0], rate("0.05")[0]], "match_rate": "0.50", "claim_days": 60,
        "expiry_days": 90,
    });
    let other = written(&desk, "other.json", &other);
    let told = diff(&desk, &same, &other);
    let rules: Vec<&Value> = told.iter().map(|row| &row["rule"]).collect();
    let expected = ["/coop/accrual/0/bands/0/rate", "/coop/accrual/1", "/coop/expiry_days"];
    assert_eq!(rules, expected);
    assert_eq!((&told[0]["old"], &told[0]["new"]), (&json!("0.02"), &json!("0.03")));
    assert_eq!(told[1]["old"], Value::Null);
    assert_eq!((&told[2]["old"], &told[2]["new"]), (&json!(60), &json!(90)));
}

#[test]
fn what_is_no_version_is_said() {
    let desk = Desk::with_history();
    let bad = written(&desk, "bad.json", &json!({"match_rate": "2"}));
    for (wrong, code, said) in [
        ("silver", 2, "silver is neither a file nor a version of a programme in this ledger"),
        ("gold@7", 2, "gold@7 is neither a file nor a version"),
        ("gold@new", 2, "\"new\" in \"gold@new\" is no version"),
        (bad.as_str(), 3, "cannot be published; `chl programme check"),
    ] {
        let run = desk.run(&["programme", "diff", "gold", wrong]);
        assert_eq!(run.code, code, "{wrong}: {}", run.err);
        assert!(run.err.contains(said), "{}", run.err);
    }
}
