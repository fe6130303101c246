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

/// The shell lines between the tour's marks.
fn tour() -> String {
    let readme = written("README.md");
    let parts = readme.split("<!-- tour: begin -->").skip(1);
    let parts = parts.map(|part| part.split("<!-- tour: end -->").next().unwrap());
    let script: String = parts
        .flat_map(str::lines)
        .filter(|line| !line.starts_with("```"))
        .fold(String::from("set -e\n"), |script, line| script + line + "\n");
    assert!(script.lines().count() > 20, "the tour is gone from the README");
    script
}

#[test]
fn the_tour_of_the_readme_runs_and_shows_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    let chl = Path::new(env!("CARGO_BIN_EXE_chl"));
    let path = format!("{}:{}", chl.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let out = Command::new("bash")
        .args(["-c", &tour()])
        .current_dir(dir.path())
        .env("PATH", path)
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{stdout}{stderr}");
    for shown in
        ["\"available\":\"1400.00\"", "\"held\":\"3600.00\"", "customer.unknown", "exit code 3"]
    {
        assert!(stdout.contains(shown), "the tour does not show {shown}:\n{stdout}");
    }
}
