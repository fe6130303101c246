//! An embedded ledger.

use crate::{
    cli::{Desk, Run, partner_lines, programme_lines},
    keys::keys,
    search::{files_with, holds},
    story,
};
use serde_json::{Value, json};

/// A call that must succeed.
fn done(desk: &Desk, call: &[&str]) -> Run {
    let run = desk.run(call);
    assert_eq!(run.code, 0, "{call:?}: {}{}", run.out, run.err);
    run
}

/// Everything that can be asked.
const ASKED: [&[&str]; 10] = [
    &["log", "view"],
    &["log", "export"],
    &["log", "export", "--commands"],
    &["query", "partners"],
    &["query", "deals"],
    &["query", "balances"],
    &["query", "postings"],
    &["audit", "person", "actor/u-anna"],
    &["audit", "person", "partner/p-z"],
    &["audit", "export", "--format", "hledger"],
];

fn asked(desk: &Desk) -> String {
    ASKED.iter().map(|call| desk.run(call)).map(|run| run.out + &run.err).collect()
}

#[test]
fn no_file_of_a_ledger_holds_a_text_or_key_of_who_was_forgotten() {
    // Small enough that parts of the log are sealed on the way.
    let desk = Desk::new().sealing_at(20_000);
    let history = desk.submit(&(partner_lines() + &programme_lines()));
    assert_eq!(history.code, 0, "{}", history.err);
    let served = desk.serve();
    let sent = desk.submit(&story::lines(&story::acts()));
    assert!(story::shows(&sent.out), "an operator reads texts: {}{}", sent.out, sent.err);
    assert_eq!(desk.submit(&story::refused()).code, 3);
    let named = done(&desk, &["query", "partners"]).json_lines();
    let named: Vec<_> = named.iter().map(|row| (&row["partner"], &row["name"])).collect();
    let expected = [(&json!("p-1"), &json!("Acme Resale")), (&json!("p-z"), &Value::Null)];
    assert_eq!(named, expected, "a person's name is in no read model");
    done(&desk, &["backup", "older"]);
    let keys = keys(&desk.path("main/vault.sqlite"));
    assert_eq!(keys.len(), 2);
    let mut sought = keys.clone();
    sought.extend(story::texts());
    let open = desk.path("main");
    assert_eq!(files_with(&open, &story::texts()), [""; 0], "a text stands in clear");
    assert_eq!(files_with(&open, &keys).len(), 1, "the vault alone has keys");
    let before = done(&desk, &["query", "balances"]).out;
    done(&desk, &["audit", "keygen"]);
    std::fs::write(desk.path("kept"), done(&desk, &["audit", "checkpoint"]).out).unwrap();

    let forgotten = desk.submit(&story::lines(&story::forgets()));
    assert_eq!(forgotten.code, 0, "{}{}", forgotten.out, forgotten.err);
    assert_eq!(desk.submit(&story::lines(&[story::acts_again()])).code, 0);
    assert_eq!(files_with(&open, &sought), [""; 0], "while the ledger runs");
    let again = desk.submit(&story::lines(&story::acts()));
    assert!(again.out.contains(r#""duplicate":true"#), "{}", again.out);
    assert!(!story::shows(&again.out), "{}", again.out);
    assert!(!story::shows(&asked(&desk)));
    done(&desk, &["rebuild"]);
    assert_eq!(served.stop(), 0);
    assert_eq!(files_with(&open, &sought), [""; 0], "once it is closed");

    done(&desk, &["backup", "newer"]);
    done(&desk, &["log", "export", "--vault", "vault-copy"]);
    done(&desk, &["export", "tables", "--format", "csv"]);
    done(&desk, &["audit", "export", "published", "--entries"]);
    done(&desk, &["--ledger", "second", "restore", "newer"]);
    done(&desk, &["--ledger", "second", "check"]);
    let held: Vec<String> = files_with(&desk.path(""), &sought);
    assert!(!held.is_empty(), "the search finds nothing at all");
    let older = desk.path("older").display().to_string();
    assert!(held.iter().all(|path| path.starts_with(&older)), "{held:?}");

    assert_eq!(done(&desk, &["query", "balances"]).out, before);
    done(&desk, &["check"]);
    done(&desk, &["audit", "verify", "--against", "kept"]);
}

#[test]
fn what_is_held_of_a_person_is_listed() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&story::lines(&story::acts())).code, 0);
    let held = |person: &str| done(&desk, &["audit", "person", person]).json_lines();
    let anna = held("actor/u-anna");
    let fields: Vec<_> = anna.iter().filter_map(|row| row["field"].as_str()).collect();
    assert_eq!(fields, ["data.note", "events[0].data.note", "reason"]);
    assert!(anna.iter().take(3).all(|row| row["position"] == 2), "{anna:?}");
    assert_eq!(anna[0]["command"], "ApplyForProgramme");
    let key = anna.last().unwrap().clone();
    assert_eq!((&key["key"], &key["destroyed"]), (&anna[0]["key"], &json!(false)));
    assert_eq!((&key["texts"], &key["forgotten"]), (&json!(3), &Value::Null));
    let named = held("partner/p-z");
    let fields: Vec<_> = named.iter().filter_map(|row| row["field"].as_str()).collect();
    assert_eq!(fields, ["data.name", "events[0].data.name"]);
    assert_ne!(named[0]["key"], anna[0]["key"]);

    assert_eq!(desk.submit(&story::lines(&story::forgets())).code, 0);
    assert_eq!(desk.submit(&story::lines(&[story::acts_again()])).code, 0);
    let anna = held("actor/u-anna");
    let keys: Vec<_> = anna.iter().filter(|row| row.get("destroyed").is_some()).collect();
    assert_eq!(keys.len(), 2, "{anna:?}");
    let old = keys.iter().find(|row| row["key"] == key["key"]).unwrap();
    let new = keys.iter().find(|row| row["key"] != key["key"]).unwrap();
    assert_eq!((&old["destroyed"], &old["forgotten"]), (&json!(true), &json!(3)));
    assert_eq!((&old["first_text"], &old["texts"]), (&json!(2), &json!(3)));
    assert_eq!((&new["destroyed"], &new["forgotten"]), (&json!(false), &Value::Null));
    assert_eq!((&new["first_text"], &new["texts"]), (&json!(5), &json!(2)));
    let table = done(&desk, &["--output", "table", "audit", "person", "partner/p-z"]);
    assert!(table.out.contains("events[0].data.name"), "{}", table.out);

    let nobody = desk.run(&["audit", "person", "actor/u-nobody"]);
    assert_eq!(nobody.code, 2);
    assert!(nobody.err.contains("nothing is held of actor/u-nobody"), "{}", nobody.err);
    let wrong = desk.run(&["audit", "person", "u-anna"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("actor/ID or partner/ID"), "{}", wrong.err);
}

#[test]
fn an_older_vault_brings_no_destroyed_key_back() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&story::lines(&story::acts())).code, 0);
    let vault = desk.path("main/vault.sqlite");
    let older = std::fs::read(&vault).unwrap();
    let sought = keys(&vault);
    assert_eq!(desk.submit(&story::lines(&story::forgets())).code, 0);
    done(&desk, &["backup", "newer"]);
    let export = done(&desk, &["log", "export"]).out;
    // Whoever would open a text or hand out a key destroys it first, also without an owner.
    for read in [&["explain", "deal", "d-1"][..], &["query", "refusals"], &["backup", "later"]] {
        std::fs::write(&vault, &older).unwrap();
        let run = desk.run(read);
        assert!(!story::shows(&(run.out + &run.err)), "{read:?}");
        assert!(!holds(&std::fs::read(&vault).unwrap(), &sought), "{read:?}");
    }
    assert_eq!(files_with(&desk.path("later"), &sought), [""; 0]);
    // Put back beside the log, into a backup that is restored, and beside a log that is imported.
    std::fs::write(&vault, &older).unwrap();
    assert!(holds(&older, &sought));
    assert_eq!(desk.submit(&story::lines(&[story::acts_again()])).code, 0);
    assert!(!holds(&std::fs::read(&vault).unwrap(), &sought));
    std::fs::write(desk.path("newer/vault.sqlite"), &older).unwrap();
    done(&desk, &["--ledger", "second", "restore", "newer"]);
    assert_eq!(files_with(&desk.path("second"), &sought), [""; 0]);
    std::fs::write(desk.path("export"), export).unwrap();
    std::fs::write(desk.path("older.sqlite"), &older).unwrap();
    let import = ["--ledger", "third", "log", "import", "export", "--vault", "older.sqlite"];
    done(&desk, &import);
    assert_eq!(files_with(&desk.path("third"), &sought), [""; 0]);
}

#[test]
fn a_history_is_imported_to_the_same_root_without_any_key() {
    let desk = Desk::new();
    let acts = story::lines(&[story::acts(), story::forgets(), vec![story::acts_again()]].concat());
    assert_eq!(desk.submit(&acts).code, 0);
    let found =
        |ledger: &str| done(&desk, &["--ledger", ledger, "check"]).json_lines()[0]["found"].clone();
    for (ledger, form) in [("blocks", "--bare"), ("commands", "--commands")] {
        std::fs::write(desk.path("export"), done(&desk, &["log", "export", form]).out).unwrap();
        done(&desk, &["--ledger", ledger, "log", "import", "export"]);
        assert_eq!(found(ledger), found("main"), "{ledger}");
    }
}
