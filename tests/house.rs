//! The house's own rules, checked: floors and their imports, what is absent where, sizes, names.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The floors of the house: a crate, its floor, and the crates it may import.
const FLOORS: &[(&str, u8, &[&str])] = &[
    ("chl-events", 0, &[]),
    ("chl-commands", 1, &["chl-events"]),
    ("chl-aggregates", 2, &["chl-events", "chl-commands"]),
    ("chl-projections", 2, &["chl-events"]),
    ("chl-likeness", 2, &["chl-events"]),
    ("chl-log", 3, &["chl-events"]),
    ("chl-log-files", 3, &["chl-events", "chl-log"]),
    ("chl-log-nats", 3, &["chl-events", "chl-log", "chl-log-files"]),
    ("chl-log-sled", 3, &["chl-events", "chl-log", "chl-log-files"]),
    ("chl-proofs", 3, &["chl-events", "chl-log", "chl-log-files"]),
    ("chl-bus", 4, &["chl-events", "chl-commands", "chl-aggregates", "chl-log", "chl-log-files"]),
    ("chl-bus-nats", 4, &["chl-events", "chl-commands", "chl-bus", "chl-log"]),
    ("chl-runtime", 4, &["chl-events", "chl-projections", "chl-log"]),
    ("chl-export", 4, &["chl-events", "chl-projections", "chl-runtime"]),
];

/// What no crate of floors 0 to 2 depends on.
const IMPURE: &[&str] = &[
    "tokio",
    "rusqlite",
    "sled",
    "rand",
    "rand_chacha",
    "rustix",
    "tempfile",
    "metrics",
    "tracing",
];

/// Words that no source of floors 0 to 2 holds, and why.
const IMPURE_WORDS: &[(&str, &str)] = &[
    ("f32", "no float in a decision"),
    ("f64", "no float in a decision"),
    ("SystemTime", "time is injected"),
    ("Instant::now", "time is injected"),
    ("Timestamp::now", "time is injected"),
    ("std::fs", "no I/O"),
    ("std::net", "no I/O"),
    ("std::env", "no I/O"),
    ("HashMap", "its order reaches outputs"),
    ("HashSet", "its order reaches outputs"),
    ("thread_rng", "no randomness"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn manifest() -> serde_json::Value {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

struct Package {
    name: String,
    folder: PathBuf,
    normal: Vec<String>,
}

fn packages() -> Vec<Package> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let package = |package: &serde_json::Value| {
        let path = text(&package["manifest_path"]);
        let dependencies = package["dependencies"].as_array().unwrap();
        let normal = dependencies.iter().filter(|one| one["kind"].is_null());
        Package {
            name: text(&package["name"]),
            folder: Path::new(&path).parent().unwrap().into(),
            normal: normal.map(|one| text(&one["name"])).collect(),
        }
    };
    let packages: Vec<_> = manifest()["packages"].as_array().unwrap().iter().map(package).collect();
    assert!(packages.len() > FLOORS.len(), "the workspace lists its crates");
    packages
}

fn floor(name: &str) -> Option<u8> {
    FLOORS.iter().find(|(known, ..)| *known == name).map(|(_, floor, _)| *floor)
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            rust_files(&path, found);
        } else if name.ends_with(".rs") {
            found.push(path);
        }
    }
}

/// The sources of a crate without its tests: `(path, text)`.
fn sources(package: &Package) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    rust_files(&package.folder.join("src"), &mut files);
    files.into_iter().map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

/// A source without its comments and its test modules at the end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[test]
fn imports_run_downwards_only() {
    for package in packages() {
        let Some((_, _, allowed)) = FLOORS.iter().find(|(name, ..)| *name == package.name) else {
            let known = package.name == "channel-ledger"
                || package.folder.ends_with("benches/peers")
                || package.folder.ends_with("tests/nats_servers");
            assert!(known, "{} stands on no floor", package.name);
            continue;
        };
        for import in package.normal.iter().filter(|name| name.starts_with("chl-")) {
            assert!(allowed.contains(&import.as_str()), "{} may not import {import}", package.name);
        }
    }
}

#[test]
fn the_pure_floors_are_pure() {
    let mut read = 0;
    for package in packages().iter().filter(|one| floor(&one.name).is_some_and(|at| at <= 2)) {
        for import in &package.normal {
            assert!(!IMPURE.contains(&import.as_str()), "{} imports {import}", package.name);
        }
        for (path, text) in sources(package) {
            let code = code(&text);
            read += 1;
            for (word, why) in IMPURE_WORDS {
                assert!(!has_word(&code, word), "{}: {word}: {why}", path.display());
            }
        }
    }
    assert!(read > 30, "only {read} files were read");
}

#[test]
fn adapters_and_json_stay_in_their_rooms() {
    for package in packages() {
        // What a NATS server shows of itself is JSON; the log's own bytes are not.
        let shown = package.name == "chl-log-nats";
        let json = shown || matches!(floor(&package.name), None | Some(1 | 4));
        let names = |one: &str| package.normal.iter().any(|name| name == one);
        assert!(!names("sled") || package.name == "chl-log-sled", "{} names sled", package.name);
        let on_nats = ["chl-log-nats", "chl-bus-nats"].contains(&package.name.as_str());
        assert!(!names("async-nats") || on_nats, "{}", package.name);
        assert!(!names("serde_json") || json, "{} speaks JSON", package.name);
    }
}

#[test]
fn only_the_program_names_an_adapter() {
    for package in packages().iter().filter(|one| floor(&one.name).is_some()) {
        let adapter = |name: &String| {
            let shown = ["axum", "metrics-exporter-prometheus", "tracing-subscriber"];
            shown.contains(&name.as_str())
                || ["chl-log-sled", "chl-log-nats", "chl-bus-nats"].contains(&name.as_str())
        };
        assert!(!package.normal.iter().any(adapter), "{}", package.name);
    }
}

#[test]
fn files_are_of_one_thought_and_names_say_something() {
    let mut files = Vec::new();
    rust_files(root(), &mut files);
    assert!(files.len() > 60, "only {} files were found", files.len());
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display();
        let table = text.starts_with("//! Table");
        assert!(text.lines().count() <= 500 || table, "{shown} has more than 500 lines");
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let empty = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
        assert!(!empty.contains(&stem), "{shown} is a name without a thought");
        assert!(
            !text.contains(&format!("#[{}(", "allow")),
            "{shown}: expect with a reason instead"
        );
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("//!"), "{shown} does not say what it is");
    }
}

#[test]
fn no_crate_re_exports_anothers_types() {
    for package in packages() {
        if floor(&package.name).is_none() {
            continue;
        }
        for (path, text) in sources(&package) {
            for line in code(&text).lines() {
                let line = line.trim_start();
                let foreign = line.starts_with("pub use ") && {
                    let first = line.trim_start_matches("pub use ").split("::").next().unwrap();
                    let own = ["crate", "self", "super"].contains(&first);
                    let lib = path.ends_with("src/lib.rs") || path.ends_with("mod.rs");
                    !own && !lib && !text.contains(&format!("mod {first}"))
                };
                assert!(!foreign, "{}: {line}", path.display());
                assert!(!line.starts_with("pub use chl_"), "{}: {line}", path.display());
            }
        }
    }
}

#[test]
fn every_dependency_is_used_from_one_table_and_has_its_reason() {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = text.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    let mut stated = BTreeSet::new();
    for line in table.lines().filter(|line| line.contains('=') && !line.starts_with('#')) {
        let name = line.split_whitespace().next().unwrap();
        assert!(name.starts_with("chl-") || line.contains("# "), "{name} has no reason");
        stated.insert(name.to_owned());
    }
    let mut used = BTreeMap::new();
    let manifest = manifest();
    for package in manifest["packages"].as_array().unwrap() {
        for dependency in package["dependencies"].as_array().unwrap() {
            used.insert(dependency["name"].as_str().unwrap().to_owned(), package["name"].clone());
        }
    }
    for (name, by) in &used {
        assert!(stated.contains(name), "{by} depends on {name} outside the table");
    }
    for name in stated {
        assert!(used.contains_key(&name), "{name} is stated and not used");
    }
}

#[test]
fn the_written_pages_know_every_type_on_the_wire() {
    let wire = std::fs::read_to_string(root().join("docs/WIRE.md")).unwrap();
    for kind in chl_events::Event::kinds() {
        let row = format!("| {} | {} | {} |", kind.tag, kind.version, kind.name);
        assert!(wire.contains(&row), "docs/WIRE.md has no row {row:?}");
    }
    for kind in chl_commands::Command::kinds() {
        let row = format!("| {} | {} | {} |", kind.tag, kind.version, kind.name);
        assert!(wire.contains(&row), "docs/WIRE.md has no row {row:?}");
    }
}
