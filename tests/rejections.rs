//! Every rejection code has an executable example, every example its code, and the page that
//! lists them in order of precedence says what the program says.
//!
//! An example is a file of command lines for an empty ledger: all but the last are accepted, the
//! last is refused with the code the file is named after. `CHL_BLESS=1` writes the page anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "JSON objects are read by their keys")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

use chl_aggregates::{Class, CodeDoc};
use chl_bus::BusRejection;
use model::{coverage::INTERNAL, path::Ledger};
use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rejections")
}

fn examples() -> BTreeMap<String, Vec<String>> {
    let mut examples = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|one| one == "jsonl") {
            let code = path.file_stem().unwrap().to_string_lossy().into_owned();
            let lines = std::fs::read_to_string(&path).unwrap();
            examples.insert(code, lines.lines().map(str::to_owned).collect());
        }
    }
    examples
}

/// What an example comes to, where it is not what its name says.
fn flaw(code: &str, lines: &[String]) -> Option<String> {
    let ledger = Ledger::trusting();
    let answers = ledger.answers(lines);
    let last = answers.len().checked_sub(1)?;
    for (index, answer) in answers.iter().enumerate() {
        let told = || serde_json::to_string(answer).unwrap();
        if index == last && answer.code() != Some(code) {
            return Some(format!("{code}: its last line is answered {}", told()));
        }
        if index < last && !answer.is_accepted() {
            return Some(format!("{code}: line {} is answered {}", index + 1, told()));
        }
    }
    None
}

#[test]
fn every_code_has_an_example_and_every_example_its_code() {
    let examples = examples();
    let mut wrong: Vec<String> =
        examples.iter().filter_map(|(code, lines)| flaw(code, lines)).collect();
    let codes: Vec<&str> = BusRejection::all_codes().iter().map(|doc| doc.code).collect();
    for code in &codes {
        let internal = INTERNAL.iter().any(|(one, _)| one == code);
        if internal == examples.contains_key(*code) {
            wrong.push(format!("{code}: no example, or one for the ledger's own commands"));
        }
    }
    let unknown = examples.keys().filter(|code| !codes.contains(&code.as_str()));
    wrong.extend(unknown.map(|code| format!("{code}: an example of no code")));
    let internal = INTERNAL.iter().filter(|(code, _)| !codes.contains(code));
    wrong.extend(internal.map(|(code, _)| format!("{code}: listed, but no code")));
    assert!(wrong.is_empty(), "{} examples:\n{}", wrong.len(), wrong.join("\n"));
}

fn number(class: Class) -> (u8, &'static str) {
    match class {
        Class::Malformed => (1, "malformed"),
        Class::NotPermitted => (2, "not permitted"),
        Class::Unknown => (3, "unknown"),
        Class::AlreadyDone => (4, "already done"),
        Class::WrongState => (5, "wrong state"),
        Class::Terms => (6, "terms"),
        Class::Money => (7, "money"),
    }
}

fn row(doc: &CodeDoc) -> String {
    let (class, word) = number(doc.class);
    let meaning: Vec<&str> = doc.doc.split_whitespace().collect();
    let internal = INTERNAL.iter().find(|(code, _)| *code == doc.code);
    let example = internal.map_or_else(
        || format!("[example]({}.jsonl)", doc.code),
        |(_, by)| format!("none: only {by}, meets it"),
    );
    format!("| {class} {word} | `{}` | {} | {example} |", doc.code, meaning.join(" "))
}

/// The page as the program would write it.
fn page() -> String {
    let mut page = String::from(
        "# Rejections\n\n\
         A refused command is answered with one of these codes. They are stable. A lower class is\n\
         reported first; within a class the order is that of the table. Each has an example: lines\n\
         for an empty ledger, of which the last is refused with the code:\n\n\
         ```sh\nchl submit --trust-claims docs/rejections/CODE.jsonl\n```\n\n\
         `chl explain code CODE` shows both. `tests/rejections.rs` runs every example and keeps this\n\
         page.\n\n\
         | class | code | meaning | |\n| --- | --- | --- | --- |\n",
    );
    for doc in BusRejection::all_codes() {
        writeln!(page, "{}", row(doc)).unwrap();
    }
    page
}

#[test]
fn the_page_says_what_the_program_says() {
    let path = folder().join("README.md");
    let page = page();
    if std::env::var_os("CHL_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let same = kept == page;
    assert!(same, "docs/rejections/README.md is not up to date; run this test with CHL_BLESS=1");
}
