//! Questions to the read models: what is, what was, and what was asked for by mistake.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

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
