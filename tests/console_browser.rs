//! The console in a real browser, at the width of a phone and of a desk, light and dark: nothing it
//! complains of, nothing that scrolls sideways, and a conflict resolved by hand.
//!
//! `CHL_PICTURES` names a folder to keep the pictures in.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, contest_lines, partner_lines, programme_lines, watched::Watched};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// What the script says where the browser or its client is not installed.
const NOT_INSTALLED: i32 = 77;
/// The least contrast of text (WCAG 2.1, 1.4.3).
const CONTRAST: f64 = 4.5;

/// What the script saw; none without a browser, which is a visible skip on a desk and a failure in
/// CI.
fn browsed(arguments: &[&str]) -> Option<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let installed = root.join("target/nats/bin/python");
    let python = std::env::var_os("CHL_PYTHON").map_or(installed, PathBuf::from);
    let run = Command::new(python).arg(root.join("tests/tools/browse.py")).args(arguments).output();
    match run {
        Ok(run) if run.status.success() => Some(serde_json::from_slice(&run.stdout).unwrap()),
        Ok(run) if run.status.code() != Some(NOT_INSTALLED) => {
            panic!("{}", String::from_utf8_lossy(&run.stderr))
        }
        Ok(_) | Err(_) => {
            let what = "no Chromium or no client for it; .ci/run installs them";
            assert!(std::env::var_os("CI").is_none(), "{what}");
            std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
            None
        }
    }
}

#[test]
fn each_page_is_whole_in_a_browser_and_a_conflict_is_resolved_by_hand() {
    let desk = Desk::new();
    let lines = partner_lines() + &programme_lines() + &contest_lines();
    // The conflict is still open whenever the tests run.
    let run = desk.submit(&lines.replace("\"protection_days\":90", "\"protection_days\":3650"));
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    let door = Watched::for_callers(&desk);
    let rows = door.get_as("ana", "/v1/conflicts").json();
    let conflict = format!("/conflicts/{}", rows["rows"][0]["conflict"].as_str().unwrap());
    let pages = [
        "/",
        "/conflicts",
        &conflict,
        "/scorecards?period=2026-Q1",
        "/scorecards/p-1?period=2026-Q1",
        "/history?stream=customer/acme",
        "/lag",
    ];
    let kept =
        std::env::var_os("CHL_PICTURES").map_or_else(|| desk.path("pictures"), PathBuf::from);
    std::fs::create_dir_all(&kept).unwrap();
    let base = format!("http://{}", door.address);
    let kept = kept.display().to_string();
    let Some(told) = browsed(&[&[base.as_str(), "token-cm", &kept], &pages[..]].concat()) else {
        return;
    };
    assert_eq!(told["signed_in"], json!("/"), "{told}");
    let seen = told["seen"].as_array().unwrap();
    assert_eq!(seen.len(), (pages.len() + 1) * 4);
    for page in seen {
        assert_eq!(page["said"], json!([]), "the browser complains: {page}");
        assert!(page["wider"].as_f64().unwrap() <= 0.0, "it scrolls sideways: {page}");
        assert!(page["contrast"].as_f64().unwrap() >= CONTRAST, "it is hard to read: {page}");
        assert!(!page["title"].as_str().unwrap().is_empty(), "{page}");
        let first = match page["path"].as_str().unwrap() {
            // The field for the token has it already.
            "/sign-in" => "Sign in",
            whole if whole.starts_with("/scorecards/") => continue,
            _ => "Skip to the content",
        };
        assert_eq!(page["focus"], first, "{page}");
    }
    assert_eq!(told["resolved"], json!("The conflict is resolved."), "{told}");
    let row = door.get_as("ana", "/v1/conflicts").json()["rows"][0].clone();
    assert_eq!(
        (&row["resolution"], &row["resolved_by"]),
        (&json!("uphold_incumbent"), &json!("cm"))
    );
    assert_eq!(door.stop(), 0);
}
