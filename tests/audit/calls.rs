//! Keys, checkpoints and published logs, as the calls show them.

use crate::{
    cli::Desk,
    stand::{Stand, copy_dir},
};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

#[test]
fn a_checkpoint_is_signed_kept_elsewhere_and_verified() {
    let stand = Stand::with_sales(20);
    let kept = stand.checkpoint("kept");
    let text = fs::read_to_string(&kept).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[1]), ("main", stand.commits().to_string().as_str()));
    assert!(lines[3].is_empty() && lines[4].starts_with("\u{2014} main "), "{text}");
    stand.sell(20, 25);
    let kept = kept.to_str().unwrap();
    let verified = Stand::row(&stand.audit_with_key(&["verify", "--against", kept]));
    assert_eq!(verified["commits"], stand.commits());
    assert_eq!(verified["checkpoints"], 2, "the one kept elsewhere, and the one kept here");
    // A checkpoint that was changed is believed by nobody.
    fs::write(kept, text.replace("main\n", "mine\n")).unwrap();
    assert_eq!(stand.audit(&["verify", "--against", kept]).code, 6);
    fs::write(kept, "no checkpoint").unwrap();
    assert_eq!(stand.audit(&["verify", "--against", kept]).code, 6);
    assert_eq!(stand.audit(&["verify", "--against", "nowhere"]).code, 2);
    assert_eq!(stand.audit(&["verify", "--key", "no key"]).code, 2);
}

#[test]
fn nothing_is_signed_without_a_key_that_is_its_owners_alone() {
    let desk = Desk::with_history();
    for call in [["audit", "checkpoint"].as_slice(), &["audit", "export", "public"]] {
        let run = desk.run(call);
        assert_eq!(run.code, 2, "{}", run.err);
        assert!(run.err.contains("chl audit keygen"), "{}", run.err);
    }
    let stand = Stand { key: String::new(), desk };
    let first = Stand::row(&stand.audited(&["keygen"]));
    let file = first["private_file"].as_str().unwrap();
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!first["key"].as_str().unwrap().contains("PRIVATE"));
    fs::set_permissions(file, Permissions::from_mode(0o640)).unwrap();
    let refused = stand.audit(&["checkpoint"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("others may read this private key (mode 640)"), "{}", refused.err);
    fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    // Rotation: both sign, then the new one alone; what the old one signed is still believed.
    let old = stand.checkpoint("old");
    let second = Stand::row(&stand.audited(&["keygen"]));
    let both = fs::read_to_string(stand.checkpoint("both")).unwrap();
    assert_eq!(both.lines().filter(|line| line.starts_with('\u{2014}')).count(), 2);
    fs::remove_file(file).unwrap();
    let new = stand.checkpoint("new");
    for kept in [&old, &new] {
        stand.audited(&["verify", "--against", kept.to_str().unwrap()]);
    }
    let public = stand.desk.path("public");
    let public = public.to_str().unwrap();
    stand.audited(&["export", public, "--entries"]);
    let verify = |key: &serde_json::Value| {
        stand.audit(&["verify", public, "--key", key.as_str().unwrap()]).code
    };
    assert_eq!((verify(&second["key"]), verify(&first["key"])), (0, 6));
    assert_eq!(stand.audit(&["verify", public]).code, 2, "nothing is proved without a key");
    let keys = stand.desk.path("keys");
    fs::write(&keys, format!("{}\n\n{}\n", first["key"], second["key"]).replace('"', "")).unwrap();
    let keys = keys.to_str().unwrap();
    let against = ["verify", public, "--key", keys, "--against", old.to_str().unwrap()];
    stand.audited(&against);
}

#[test]
fn a_published_log_is_gone_on_with_and_needs_no_ledger() {
    let stand = Stand::with_sales(300);
    let public = stand.desk.path("public");
    let public = public.to_str().unwrap();
    let first = Stand::row(&stand.audited(&["export", public, "--entries"]));
    let kept = stand.checkpoint("kept");
    stand.sell(300, 500);
    let second = Stand::row(&stand.audited(&["export", public, "--entries"]));
    assert!(second["files_kept"].as_u64().unwrap() >= 2, "{second}");
    assert!(second["commits"].as_u64() > first["commits"].as_u64());
    let elsewhere = Desk::new();
    copy_dir(public.as_ref(), &elsewhere.path("public"));
    let args =
        ["audit", "verify", "public", "--key", &stand.key, "--against", kept.to_str().unwrap()];
    let verified = elsewhere.run(&args);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let row = Stand::row(&verified);
    assert_eq!((&row["commits"], &row["root"]), (&second["commits"], &second["root"]));
    assert_eq!((&row["entries"], &row["checkpoints"]), (&true.into(), &2.into()));
    // Hashes alone, for partners.
    let hashes = stand.desk.path("hashes-only");
    let hashes = hashes.to_str().unwrap();
    stand.audited(&["export", hashes]);
    assert!(!stand.desk.path("hashes-only/tile/entries").exists());
    let row = Stand::row(&stand.audit_with_key(&["verify", hashes]));
    assert_eq!(row["entries"], false);
    // A folder of something else is left alone.
    assert_eq!(stand.audit(&["export", &stand.desk.data()]).code, 2);
}

#[test]
fn a_served_ledger_signs_at_its_cadence_and_through_its_owner() {
    let stand = Stand::new();
    let served = stand.desk.serve_with(&["--checkpoint-every".into(), "1".into()]);
    let newest = stand.desk.path("main/audit/checkpoint");
    let began = std::time::Instant::now();
    while !newest.exists() {
        assert!(began.elapsed().as_secs() < 60, "no checkpoint was signed");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    stand.sell(0, 3);
    let text = stand.audited(&["checkpoint"]).out;
    assert_eq!(text.lines().nth(1), Some(stand.commits().to_string().as_str()));
    let made = Stand::row(&stand.audited(&["keygen"]));
    assert!(made["key"].as_str().unwrap().starts_with("main+"));
    assert_eq!(Stand::row(&stand.audited(&["verify"]))["commits"], stand.commits());
    stand.audited(&["export", "public"]);
    assert_eq!(stand.audit_with_key(&["verify", "public"]).code, 0);
    assert_eq!(served.stop(), 0);
    assert_eq!(stand.audit(&["verify"]).code, 0);
}
