//! `chl duplicates`: what it finds, what it reports, and that nobody is asked twice.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::Desk;
use serde_json::{Value, json};

fn customers() -> String {
    let known = [
        ("c-1", "Müller & Söhne GmbH", Some("mueller.test")),
        ("c-2", "Mueller und Soehne", None),
        ("c-3", "Granite Logistics, Inc.", None),
        ("c-4", "GRANITE LOGISTICS", None),
        ("c-5", "Granite Optics Ltd", None),
    ];
    let lines = known.into_iter().map(|(customer, name, domain)| {
        let data = json!({"customer": customer, "name": name, "domain": domain});
        json!({"id": customer, "type": "RegisterCustomer", "data": data}).to_string() + "\n"
    });
    lines.collect()
}

fn asked(desk: &Desk, args: &[&str]) -> Vec<Value> {
    let run = desk.run(&[&["--output", "jsonl"], args].concat());
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    run.json_lines()
}

#[test]
fn pairs_are_listed_reported_once_and_decided() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&customers()).code, 0);
    let pairs = asked(&desk, &["duplicates"]);
    let names: Vec<_> = pairs.iter().map(|pair| (&pair["customer"], &pair["other"])).collect();
    assert_eq!(names, [(&json!("c-1"), &json!("c-2")), (&json!("c-3"), &json!("c-4"))]);
    assert_eq!(pairs[0]["score"], 100, "{}", pairs[0]);
    assert_eq!(pairs[0]["evidence"], json!(["same_name:100"]));

    let told = asked(&desk, &["duplicates", "--report"]);
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|answer| answer["outcome"] == "accepted"), "{told:?}");
    assert!(asked(&desk, &["duplicates", "--report"]).is_empty(), "nobody is asked twice");
    let open = ["query", "conflicts", "--where", "kind=possible_duplicate", "--state", "open"];
    assert_eq!(asked(&desk, &open).len(), 2);

    let merge = json!({"survivor": "c-1", "absorbed": "c-2", "note": "one tax number"});
    let apart = json!({"customer": "c-3", "other": "c-4", "note": "two tax numbers"});
    let lines = [("MergeCustomers", merge), ("KeepCustomersApart", apart)]
        .map(|(name, data)| json!({"id": name, "type": name, "data": data}).to_string() + "\n");
    assert_eq!(desk.submit(&lines.concat()).code, 0);
    assert!(asked(&desk, &open).is_empty());
    assert!(asked(&desk, &["duplicates"]).is_empty());
    let wrong = desk.run(&["duplicates", "--min-score", "101"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}
