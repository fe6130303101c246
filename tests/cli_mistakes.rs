//! What people get wrong at the command line, and what they are told.

mod cli;

use cli::{Desk, PARTNER};

#[test]
fn what_is_asked_for_and_cannot_be_is_named() {
    let desk = Desk::with_history();
    let file = desk.path("file");
    std::fs::write(&file, "a file").expect("a scratch folder");
    let file = file.display().to_string();
    for (call, said) in [
        (&["export", &file][..], "is a file, not a folder"),
        (&["backup", &file], "is a file, not a folder"),
        (&["audit", "export", &file], "is a file, not a folder"),
        (&["log", "view", "--type", "RegisterDeals"], "of the type \"RegisterDeals\""),
        (&["export", "out", "refusals", "--as-of", "3"], "refusals are exported as of now alone"),
    ] {
        let run = desk.run(call);
        assert_eq!(run.code, 2, "{call:?}: {}", run.err);
        assert!(run.err.contains(said), "{}", run.err);
    }
    let missing = desk.run(&["--ledger", "other", "query", "balances"]);
    assert_eq!(missing.code, 5);
    assert!(missing.err.contains("\"other\" yet (there is main)"), "{}", missing.err);
}

#[test]
fn an_answer_without_rows_says_so() {
    let desk = Desk::with_history();
    for call in [
        &["log", "view", "--stream", "coop/gold/nobody"][..],
        &["replay", "--stream", "coop/gold/nobody"],
        &["replay", "--from", "3", "--until", "2"],
    ] {
        let run = desk.run(call);
        assert_eq!((run.code, run.out.as_str()), (0, ""), "{call:?}");
        assert!(run.err.contains("what was asked for"), "{}", run.err);
    }
}

#[test]
fn a_ledger_that_is_new_is_announced() {
    let desk = Desk::new();
    let made = desk.submit(PARTNER);
    assert!(made.err.contains("\"main\" is a new ledger, in "), "{}", made.err);
    let again = desk.submit(PARTNER);
    assert!(!again.err.contains("new ledger"), "{}", again.err);
}
