//! The written pages say what is true: the reference is the catalog's, the README's tour runs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

fn written(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn the_reference_is_the_catalogs() {
    let out = Command::new(env!("CARGO_BIN_EXE_chl")).args(["schema", "--page"]).output().unwrap();
    let page = String::from_utf8(out.stdout).unwrap();
    assert!(
        page == written("docs/COMMANDS.md"),
        "docs/COMMANDS.md is not what the catalog says: chl schema --page > docs/COMMANDS.md"
    );
}

/// The shell lines of a page between its marks.
fn script(page: &str, mark: &str) -> String {
    let text = written(page);
    let [begin, end] = ["begin", "end"].map(|side| format!("<!-- {mark}: {side} -->"));
    let parts = text.split(&begin).skip(1);
    let parts = parts.map(|part| part.split(&end).next().unwrap());
    parts
        .flat_map(str::lines)
        .filter(|line| !line.starts_with("```"))
        .fold(String::new(), |script, line| script + line + "\n")
}

/// What a script shows that runs in a folder.
fn shown(dir: &Path, script: &str) -> String {
    let chl = Path::new(env!("CARGO_BIN_EXE_chl"));
    let path = format!("{}:{}", chl.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let out = Command::new("bash")
        .args(["-ec", script])
        .current_dir(dir)
        .env("PATH", path)
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{stdout}{stderr}");
    stdout.into_owned()
}

#[test]
fn a_person_is_forgotten_as_the_page_says() {
    let dir = tempfile::tempdir().unwrap();
    let told = shown(dir.path(), &script("docs/personal-data.md", "person"));
    let (before, after) = told.split_once(r#""id":"forget-1""#).unwrap();
    assert!(before.contains("Zoë Example") && before.contains("call after five"), "{before}");
    assert!(!after.contains("Zoë") && !after.contains("call after five"), "{after}");
    assert!(after.contains(r#""destroyed":true"#), "{after}");
}

#[test]
fn the_tour_of_the_readme_runs_and_shows_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let tour = script("README.md", "tour");
    assert!(tour.lines().count() > 20, "the tour is gone from the README");
    let told = shown(dir.path(), &tour);
    for expected in
        ["\"available\":\"1400.00\"", "\"held\":\"3600.00\"", "customer.unknown", "exit code 3"]
    {
        assert!(told.contains(expected), "the tour does not show {expected}:\n{told}");
    }
    // The page for auditors goes on with the tour's ledger.
    let calls = script("docs/audit.md", "audit");
    assert!(calls.lines().count() > 7, "the calls are gone from docs/audit.md");
    let told = shown(dir.path(), &calls);
    assert!(told.contains("\"checkpoints\":2"), "{told}");
    for made in
        ["checkpoint-2026-03", "public/tile/entries", "for-partners/tile/0", "c-1.tlog-proof"]
    {
        assert!(dir.path().join(made).exists(), "{made}");
    }
}
