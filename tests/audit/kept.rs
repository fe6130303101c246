//! A ledger that is not what was signed of it is not opened.

use crate::stand::{Stand, copy_dir};
use std::fs;

#[test]
fn an_older_copy_is_refused_and_named_from_where() {
    let stand = Stand::with_sales(10);
    let (log, older) = (stand.desk.path("main/log"), stand.desk.path("older"));
    copy_dir(&log, &older);
    let ended = stand.commits();
    stand.sell(10, 30);
    let kept = stand.checkpoint("kept");
    let public = stand.desk.path("public");
    stand.audited(&["export", public.to_str().unwrap(), "--entries"]);
    // Somebody puts the older copy back, with all that was built since removed.
    fs::remove_dir_all(&log).unwrap();
    copy_dir(&older, &log);
    for cache in ["states.sqlite", "views.sqlite"] {
        let _gone = fs::remove_file(stand.desk.path("main").join(cache));
    }
    for call in [["log", "tail"].as_slice(), &["audit", "verify"], &["query", "balances"]] {
        let refused = stand.desk.run(call);
        assert_eq!(refused.code, 6, "{call:?}: {}", refused.err);
        let told = format!("position {ended} and what followed it are missing");
        assert!(refused.err.contains(&told), "{}", refused.err);
    }
    assert_eq!(stand.desk.submit(&crate::stand::sales(40, 41)).code, 6, "nothing is added to it");
    // Whoever removes what was signed here, too, is found out by a checkpoint kept elsewhere.
    fs::remove_dir_all(stand.desk.path("main/audit")).unwrap();
    assert_eq!(stand.audit(&["verify"]).code, 0);
    let against = ["verify", "--against", kept.to_str().unwrap()];
    let found = stand.audit_with_key(&against);
    assert_eq!(found.code, 6, "{}", found.err);
    assert!(found.err.contains(&format!("position {ended} and what followed")), "{}", found.err);
    // The same of what was published.
    let cut = stand.desk.path("cut");
    let old = stand.audited(&["keygen"]);
    let key = Stand::row(&old)["key"].as_str().unwrap().to_owned();
    stand.audited(&["export", cut.to_str().unwrap(), "--entries"]);
    let keys = stand.desk.path("keys");
    fs::write(&keys, format!("{key}\n{}\n", stand.key)).unwrap();
    let args = ["verify", "cut", "--key", "keys", "--against", "kept"];
    let found = stand.audit(&args);
    assert_eq!(found.code, 6, "{}", found.err);
    assert!(found.err.contains(&format!("position {ended} and what followed")), "{}", found.err);
}

#[test]
fn a_repair_that_gives_up_what_was_signed_gives_up_the_keys() {
    let stand = Stand::with_sales(10);
    let older = stand.desk.path("older");
    let log = stand.desk.path("main/log");
    copy_dir(&log, &older);
    let ended = stand.commits();
    stand.sell(10, 30);
    stand.checkpoint("kept");
    // The tail is lost, and the witness knows.
    let witness = fs::read(log.join("witness")).unwrap();
    fs::remove_dir_all(&log).unwrap();
    copy_dir(&older, &log);
    fs::write(log.join("witness"), witness).unwrap();
    let position = ended.to_string();
    let repaired = stand.desk.run(&[
        "log",
        "repair",
        "--accept-loss-after",
        &position,
        "--reason",
        "the disk died",
    ]);
    assert_eq!(repaired.code, 0, "{}", repaired.err);
    assert!(repaired.err.contains("checkpoints were signed of what is lost"), "{}", repaired.err);
    let refused = stand.audit(&["checkpoint"]);
    assert_eq!(refused.code, 2, "the old key signs no second history: {}", refused.err);
    assert!(stand.desk.path(&format!("main/audit-until-{ended}/signed")).exists());
    stand.audited(&["keygen"]);
    stand.audited(&["checkpoint"]);
    let found = stand.audit_with_key(&["verify", "--against", "kept"]);
    assert_eq!(found.code, 6, "an auditor sees it: {}", found.err);
}

#[test]
fn hashes_that_are_lost_are_made_again() {
    let stand = Stand::with_sales(20);
    let first = stand.audited(&["checkpoint"]).out;
    fs::remove_dir_all(stand.desk.path("main/hashes")).unwrap();
    assert_eq!(stand.audited(&["checkpoint"]).out, first);
    fs::write(stand.desk.path("main/hashes/level-0"), "damaged").unwrap();
    assert_eq!(stand.audited(&["checkpoint"]).out, first);
    fs::write(stand.desk.path("main/audit/signed"), "damaged").unwrap();
    assert_eq!(stand.audit(&["checkpoint"]).code, 6, "what was signed is not guessed");
}
