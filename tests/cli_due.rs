//! What comes, and what is over: listed by moment, recorded by a sweep.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, Run};
use serde_json::Value;

fn due(desk: &Desk, more: &[&str]) -> Run {
    desk.run(&[&["due"], more].concat())
}

fn what(run: &Run) -> Vec<Value> {
    assert_eq!(run.code, 0, "{}", run.err);
    run.json_lines().iter().map(|row| row["what"].clone()).collect()
}

#[test]
fn what_is_due_is_listed_by_its_moment() {
    let desk = Desk::with_history();
    assert!(what(&due(&desk, &["--until", "2026-03-30"])).is_empty());
    let spring = due(&desk, &["--until", "2026-05-30"]);
    assert_eq!(what(&spring), ["earning_period_ends", "protection_ends"]);
    let [closing, protection] = [0, 1].map(|at| spring.json_lines()[at].clone());
    assert_eq!(closing["id"], "20260101-20260331");
    assert_eq!(closing["partner"], "p-1");
    assert_eq!(protection["due_at"], "2026-05-30T09:00:00Z");
    assert_eq!(protection["records_it"], "ExpireDeal");
    // To the instant: protection holds until nine.
    let before = due(&desk, &["--until", "2026-05-30T08:59:59Z"]);
    assert_eq!(what(&before), ["earning_period_ends"]);
    assert_eq!(what(&due(&desk, &["--until", "2027-01-01"])).len(), 3, "the lot expires, too");
    let wrong = due(&desk, &["--until", "tomorrow"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("\"tomorrow\" is neither a day"), "{}", wrong.err);
    assert_eq!(due(&desk, &["--until", "2026-05-30", "--sweep"]).code, 2);
}

#[test]
fn nothing_is_swept_by_read_models_that_stand_still() {
    let desk = Desk::with_history();
    let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON deals \
                  BEGIN SELECT RAISE(ABORT, 'no more'); END";
    let views = rusqlite::Connection::open(desk.path("main/views.sqlite")).expect("it is there");
    views.execute_batch(refuse).expect("the table is there");
    let deal = r#"{"id":"n","type":"RegisterDeal","data":{"deal":"d-9","customer":"acme","partner":"p-1","programme":"gold","product_line":"new","value":{"amount":"5.00","currency":"USD"}}}"#;
    assert_eq!(desk.submit(deal).code, 0);
    let swept = due(&desk, &["--sweep"]);
    assert_eq!((swept.code, swept.out.as_str()), (6, ""), "{}", swept.err);
    for said in ["deals is frozen as of position", "`chl rebuild deals`"] {
        assert!(swept.err.contains(said), "{}", swept.err);
    }
    let listed = due(&desk, &[]);
    assert!(!what(&listed).is_empty(), "what is there is still told");
    assert!(listed.err.contains("deals is frozen"), "{}", listed.err);
}

#[test]
fn a_sweep_records_what_is_over_once() {
    let desk = Desk::with_history();
    let swept = due(&desk, &["--sweep"]);
    assert_eq!(swept.code, 0, "{}\n{}", swept.out, swept.err);
    let recorded = desk.run(&["log", "view", "--output", "csv"]).out;
    for event in ["DealExpired", "CoopPeriodClosed"] {
        assert!(recorded.contains(event), "{event}: {recorded}");
    }
    assert!(what(&due(&desk, &[])).is_empty());
    let again = due(&desk, &["--sweep"]);
    assert_eq!((again.code, again.out.as_str()), (0, ""), "{}", again.err);
}
