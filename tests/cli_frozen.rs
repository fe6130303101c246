//! A read model that fails, as users and monitors meet it: the others go on, and everybody is told.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, contest_lines};
use serde_json::{Value, json};

/// Makes SQLite refuse whatever is written into a read model from now on.
fn refuse(desk: &Desk, table: &str) {
    let file = rusqlite::Connection::open(desk.path("main/views.sqlite")).expect("it is there");
    let trigger = format!(
        "CREATE TRIGGER refuse BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no more'); END"
    );
    file.execute_batch(&trigger).expect("the table is there");
}

fn accrual(number: u32) -> String {
    let data = json!({
        "partner": "p-1", "programme": "gold", "sale": format!("f-{number}"),
        "net_amount": {"amount": "100.00", "currency": "USD"}, "sold_on": "2026-03-05"
    });
    format!("{}\n", json!({"id": format!("f-{number}"), "type": "AccrueCoop", "data": data}))
}

fn deal(number: u32) -> String {
    let data = json!({
        "deal": format!("f-{number}"), "customer": "acme", "partner": "p-1", "programme": "gold",
        "product_line": format!("line-{number}"), "value": {"amount": "5.00", "currency": "USD"}
    });
    format!("{}\n", json!({"id": format!("d-{number}"), "type": "RegisterDeal", "data": data}))
}

fn total(desk: &Desk) -> Value {
    let run = desk.run(&["query", "balances", "--lot", "total"]);
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines()[0]["accrued"].clone()
}

#[test]
fn a_frozen_read_model_is_named_and_the_others_go_on() {
    let desk = Desk::with_history();
    assert_eq!(desk.submit(&contest_lines()).code, 0);
    assert_eq!(desk.run(&["query", "deals"]).json_lines().len(), 2);
    refuse(&desk, "deals");
    let owner = desk.serve();
    let run = desk.submit(&(deal(1) + &accrual(1)));
    assert_eq!(run.code, 0, "{}", run.err);
    let waited = desk.run_with(&["submit", "--wait", "deals,balances"], accrual(2).as_bytes());
    assert_eq!(waited.code, 0, "{}", waited.err);
    let answer = &waited.json_lines()[0];
    assert_eq!(answer["outcome"], "accepted");
    assert_eq!(answer["behind"][0]["view"], "deals", "{answer}");
    assert_eq!(answer["behind"][0]["event"], "DealRegistered");
    assert_eq!(answer["behind"].as_array().map(Vec::len), Some(1));
    assert!(waited.err.contains("deals is frozen"), "{}", waited.err);

    let deals = desk.run(&["query", "deals"]);
    assert_eq!((deals.code, deals.json_lines().len()), (0, 2), "{}", deals.err);
    for said in
        ["deals is frozen as of position", "DealRegistered at ", "no more", "`chl rebuild deals`"]
    {
        assert!(deals.err.contains(said), "{said}: {}", deals.err);
    }
    assert!(deals.err.contains("behind the ledger by"), "{}", deals.err);
    assert_eq!(total(&desk), "5004.00");
    let balances = desk.run(&["query", "balances"]);
    assert!(!balances.err.contains("frozen"), "{}", balances.err);
    let sql = desk.run(&["sql", "SELECT count(*) AS n FROM deals, balances"]);
    assert!(sql.err.contains("deals is frozen"), "{}", sql.err);
    let meta = desk
        .run(&["sql", "SELECT * FROM _meta WHERE frozen_reason IS NOT NULL AND view = 'deals'"]);
    let meta = &meta.json_lines()[0];
    assert_eq!((&meta["view"], &meta["failed_event"]), (&json!("deals"), &json!("DealRegistered")));
    assert!(meta["frozen_reason"].as_str().is_some_and(|reason| reason.contains("no more")));
    let check = desk.run(&["check"]);
    assert_eq!(check.code, 6);
    let rows = check.json_lines();
    let following = rows.iter().find(|row| row["check"] == "read models follow").expect("a row");
    assert_eq!(following["holds"], false);

    // It stays so after a restart, until it is built anew.
    assert_eq!(owner.stop(), 0);
    let deals = desk.run(&["query", "deals"]);
    assert!(deals.err.contains("deals is frozen"), "{}", deals.err);
    let rebuilt = desk.run(&["rebuild", "deals"]);
    assert_eq!(rebuilt.code, 0, "{}", rebuilt.err);
    assert_eq!(rebuilt.json_lines()[0]["equal"], Value::Null);
    assert!(rebuilt.err.contains("there was nothing to compare: deals is frozen"));
    let deals = desk.run(&["query", "deals"]);
    assert_eq!(deals.json_lines().len(), 3);
    assert!(!deals.err.contains("frozen"), "{}", deals.err);
    assert_eq!(desk.run(&["check"]).code, 0);
}

#[test]
fn who_is_answered_reads_what_was_written() {
    let desk = Desk::with_history();
    let owner = desk.serve();
    for number in 0..20 {
        let run =
            desk.run_with(&["submit", "--wait", "balances,postings"], accrual(number).as_bytes());
        assert_eq!(run.code, 0, "{}", run.err);
        let answer = &run.json_lines()[0];
        assert_eq!(answer["behind"], Value::Null, "{answer}");
        let position = answer["position"].as_i64().expect("an accepted command has one");
        // Another process, straight from the file.
        let file = rusqlite::Connection::open(desk.path("main/views.sqlite")).expect("a file");
        let shown: i64 = file
            .query_row("SELECT min(position) FROM _meta", [], |row| row.get(0))
            .expect("a position");
        assert!(shown > position, "{shown} of {position}");
    }
    assert_eq!(owner.stop(), 0);
    let alone = desk.run_with(&["submit", "--wait", "deals"], deal(7).as_bytes());
    assert_eq!(alone.code, 0, "{}", alone.err);
    for (wrong, said) in [
        (["submit", "--wait", "nothing"].as_slice(), "possible values: balances"),
        (&["submit", "--wait", "deals", "--dry-run"], "cannot be used with"),
        (&["submit", "--wait", "deals", "--as", "svc"], "cannot be used with"),
    ] {
        let run = desk.run_with(wrong, b"");
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains(said), "{}", run.err);
    }
}
