//! History as it stands, and kept safe: as-of, explanations, export, import, backup, repair.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, damage::lose_tail};
use serde_json::Value;

/// The root of the ledger's log, as `chl check` finds it.
fn root(desk: &Desk, ledger: &str) -> Value {
    let check = desk.run(&["--ledger", ledger, "check"]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    check.json_lines()[0]["found"].clone()
}

#[test]
fn both_axes_of_time() {
    let desk = Desk::with_history();
    let total = |args: &[&str]| {
        let all = [&["query", "balances", "--lot", "total"], args].concat();
        desk.run(&all).json_lines().first().map(|row| row["available"].clone())
    };
    assert_eq!(total(&[]), Some("1400.00".into()));
    let accrual = desk.run(&["log", "view", "--type", "AccrueCoop"]);
    let position = accrual.json_lines()[0]["position"].to_string();
    assert_eq!(total(&["--as-of", &position]), Some("5000.00".into()));
    assert_eq!(total(&["--as-of", "2020-01-01T00:00:00Z"]), None);
    assert_eq!(total(&["--effective", "2026-03-15"]), Some("5000.00".into()));
    assert_eq!(total(&["--effective", "2026-03-20"]), Some("1400.00".into()));
    let deals = desk.run(&["query", "deals", "--effective", "2026-03-20"]).json_lines();
    assert_eq!(deals[0]["effective_state"], "approved", "protected on the day asked for");
    let cards = ["query", "scorecards", "--period", "2026", "--effective", "2026-03-20"];
    assert_eq!(desk.run(&cards).code, 2);
    assert_eq!(desk.run(&["query", "scorecards", "--period", "2026"]).code, 0);
    assert_eq!(desk.run(&["query", "balances", "--as-of", "999"]).code, 2);
}

#[test]
fn a_number_is_explained_by_its_postings() {
    let desk = Desk::with_history();
    let run = desk.run(&["explain", "balance", "p-1", "gold", "coop"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let rows = run.json_lines();
    let of = |table: &str| rows.iter().filter(|row| row["table"] == table).collect::<Vec<_>>();
    assert!(of("postings").iter().any(|row| row["event"] == "CoopAccrued"));
    let available = of("sums").into_iter().find(|row| row["number"] == "available").unwrap();
    assert_eq!(available["postings"], "1400.00");
    assert_eq!(available["equal"], true);
    let deal = desk.run(&["explain", "deal", "d-1"]).json_lines();
    assert_eq!(deal[0]["event"], "DealRegistered");
    assert_eq!(deal[0]["reason"], "first meeting held", "opened for the operator");
    let claim = desk.run(&["explain", "claim", "c-1"]).json_lines();
    assert!(claim.iter().any(|row| row["event"] == "CoopClaimed"));
    assert_eq!(desk.run(&["explain", "deal", "nope"]).code, 2);
}

#[test]
fn personal_texts_are_sealed_in_the_log() {
    let desk = Desk::with_history();
    let view = desk.run(&["log", "view", "--type", "RegisterDeal"]);
    assert!(!view.out.contains("first meeting"));
    assert!(view.json_lines()[0]["reason"]["sealed"].is_string());
}

#[test]
fn an_export_becomes_the_same_ledger() {
    let desk = Desk::with_history();
    let (blocks, commands) = (desk.path("blocks.jsonl"), desk.path("commands.jsonl"));
    std::fs::write(&blocks, desk.run(&["log", "export", "--vault", "vault"]).out).unwrap();
    std::fs::write(&commands, desk.run(&["log", "export", "--commands"]).out).unwrap();
    let root = root(&desk, "main");
    for (ledger, export) in [("copied", &blocks), ("replayed", &commands)] {
        let export = export.to_str().unwrap();
        let args = ["--ledger", ledger, "log", "import", export, "--vault", "vault"];
        let run = desk.run(&args);
        assert_eq!(run.code, 0, "{ledger}: {}", run.err);
        assert_eq!(self::root(&desk, ledger), root, "{ledger}");
        let deal = desk.run(&["--ledger", ledger, "explain", "deal", "d-1"]).json_lines();
        assert_eq!(deal[0]["reason"], "first meeting held");
        assert_eq!(desk.run(&args).code, 2, "only into an empty one");
    }
    let cut: String = std::fs::read_to_string(&blocks).unwrap().lines().take(1).collect();
    std::fs::write(&blocks, cut).unwrap();
    let run = desk.run(&["--ledger", "cut", "log", "import", blocks.to_str().unwrap()]);
    assert_eq!(run.code, 6);
    assert_eq!(desk.run(&["--ledger", "cut", "query", "deals"]).code, 5, "nothing half is there");
}

#[test]
fn a_backup_is_restored() {
    let desk = Desk::with_history();
    let root = root(&desk, "main");
    let backup = desk.run(&["backup", "safe"]);
    assert_eq!(backup.code, 0, "{}", backup.err);
    assert_eq!(desk.run(&["backup", "safe"]).code, 0, "brought up to date");
    assert_eq!(desk.run(&["--ledger", "main", "restore", "safe"]).code, 2, "it is there");
    let restored = desk.run(&["--ledger", "second", "restore", "safe"]);
    assert_eq!(restored.code, 0, "{}", restored.err);
    assert_eq!(self::root(&desk, "second"), root);
    let deal = desk.run(&["--ledger", "second", "explain", "deal", "d-1"]).json_lines();
    assert_eq!(deal[0]["reason"], "first meeting held");
}

#[test]
fn a_lost_vault_is_named_before_anything_takes_its_place() {
    let desk = Desk::with_history();
    let vault = desk.path("main/vault.sqlite");
    std::fs::remove_file(&vault).unwrap();
    let more = r#"{"id":"more","type":"RegisterCustomer","data":{"customer":"c-9","name":"C"}}"#;
    let run = desk.submit(more);
    assert_eq!(run.code, 5, "{}{}", run.out, run.err);
    assert!(run.err.contains("vault.sqlite is missing"), "{}", run.err);
    assert!(!vault.exists(), "an empty vault took the lost one's place");
    std::fs::write(&vault, "").unwrap();
    assert_eq!(desk.submit(more).code, 0);
}

#[test]
fn damaged_states_are_built_anew() {
    let desk = Desk::with_history();
    std::fs::write(desk.path("main/states.sqlite"), "garbage, and long enough to be no database")
        .unwrap();
    let again = r#"{"id":"again","type":"RecruitPartner","data":{"partner":"p-1","name":"P","types":["var"]}}"#;
    let run = desk.submit(again);
    assert_eq!(run.code, 3, "{}{}", run.out, run.err);
    assert_eq!(run.json_lines()[0]["code"], "partner.known");
}

#[test]
fn a_backup_of_another_history_is_refused() {
    let desk = Desk::with_history();
    let copy = desk.path("copy").display().to_string();
    assert_eq!(desk.run(&["backup", &copy]).code, 0);
    assert_eq!(desk.run(&["--ledger", "other", "restore", &copy]).code, 0);
    let one = |id: &str| {
        format!(
            r#"{{"id":"{id}","type":"RegisterCustomer","data":{{"customer":"{id}","name":"C"}}}}"#
        )
    };
    assert_eq!(desk.submit(&one("here")).code, 0);
    let there = desk.run_with(&["--ledger", "other", "submit", "-"], one("there").as_bytes());
    assert_eq!(there.code, 0, "{}{}", there.out, there.err);
    assert_eq!(desk.run(&["--ledger", "other", "backup", &copy]).code, 0);
    let run = desk.run(&["backup", &copy]);
    assert_eq!(run.code, 6, "{}{}", run.out, run.err);
    assert!(run.err.contains("another history"), "{}", run.err);
}

#[test]
fn a_log_that_lost_its_tail_is_refused_and_repaired() {
    let desk = Desk::new();
    lose_tail(&desk, &cli::partner_lines(), &cli::programme_lines(), |_| {});

    let refused = desk.run(&["query", "deals"]);
    assert_eq!(refused.code, 6, "{}", refused.err);
    assert!(refused.err.contains("log repair"), "{}", refused.err);
    let shown = desk.run(&["log", "repair"]);
    assert_eq!(shown.code, 6, "{}", shown.err);
    assert!(shown.err.contains("position 5"), "{}", shown.err);
    let elsewhere = ["log", "repair", "--accept-loss-after", "3", "--reason", "x"];
    assert_eq!(desk.run(&elsewhere).code, 2);
    let accepted = ["log", "repair", "--accept-loss-after", "5", "--reason", "the disk died"];
    let repaired = desk.run(&accepted);
    assert_eq!(repaired.code, 0, "{}", repaired.err);
    assert_eq!(desk.run(&accepted).code, 2, "nothing is damaged any more");
    let log = desk.run(&["log", "tail", "-n", "1"]).json_lines();
    assert_eq!(log[0]["events"][0]["type"], "LogRepaired");
    assert_eq!(desk.run(&["query", "deals"]).json_lines().len(), 0);
    let commands = desk.run(&["log", "export", "--commands"]);
    assert_eq!((commands.code, commands.out.as_str()), (2, ""), "{}", commands.err);
    assert!(commands.err.contains("export its blocks instead"), "{}", commands.err);
    let blocks = desk.path("blocks.jsonl");
    std::fs::write(&blocks, desk.run(&["log", "export", "--bare"]).out).unwrap();
    let made = desk.run(&["--ledger", "copied", "log", "import", blocks.to_str().unwrap()]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(root(&desk, "copied"), root(&desk, "main"));
    let again = desk.submit(&(cli::partner_lines() + &cli::programme_lines()));
    assert_eq!(again.code, 0, "{}", again.out);
    assert_eq!(again.json_lines()[0]["duplicate"], true);
    assert_eq!(again.json_lines()[6]["duplicate"], false);
    assert_eq!(desk.run(&["check"]).code, 0);
}

#[test]
fn a_log_that_is_gone_is_no_ledger_that_is_not_there_yet() {
    let desk = Desk::with_history();
    let backup = desk.path("safe").display().to_string();
    assert_eq!(desk.run(&["backup", &backup]).code, 0);
    std::fs::remove_dir_all(desk.path("main/log")).unwrap();
    let more = r#"{"id":"more","type":"RegisterCustomer","data":{"customer":"c-9","name":"C"}}"#;
    for args in [
        ["query", "deals"].as_slice(),
        &["submit"],
        &["submit", "--dry-run"],
        &["restore", &backup],
        &["check"],
    ] {
        let run = desk.run_with(args, more.as_bytes());
        assert_eq!(run.code, 6, "{args:?}: {}{}", run.out, run.err);
        assert!(run.err.contains("has lost its log"), "{}", run.err);
        assert!(run.err.contains("the keys, the states, the views are still there"), "{}", run.err);
        assert!(!desk.path("main/log").exists(), "{args:?} began another ledger");
    }
    std::fs::rename(desk.path("main"), desk.path("away")).unwrap();
    assert_eq!(desk.run(&["restore", &backup]).code, 0);
    assert_eq!(desk.run(&["query", "deals"]).json_lines().len(), 1);
}

#[test]
fn a_demo_of_another_seed_is_not_shown_in_its_place() {
    let desk = Desk::new();
    let size = ["--partners", "12", "--commands", "400"];
    let made = desk.run(&[["demo", "there", "--seed", "7"].as_slice(), &size].concat());
    assert_eq!(made.code, 0, "{}", made.err);
    let other = desk.run(&["demo", "there", "--seed", "8"]);
    assert_eq!(other.code, 2, "{}", other.err);
    assert!(other.err.contains("was made from seed 7, not 8"), "{}", other.err);
    for args in [["demo", "there"].as_slice(), &["demo", "there", "--seed", "7"]] {
        let again = desk.run(args);
        assert_eq!(again.code, 0, "{}", again.err);
        assert!(again.err.contains("there already"), "{}", again.err);
        assert_eq!(again.out, made.out);
    }
}
