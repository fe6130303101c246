//! The OpenAPI document is the catalog's, has what the door has, and is one for others' validators.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{CHL, Desk, watched::Watched};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn printed() -> String {
    let out = Command::new(CHL).args(["schema", "--openapi"]).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

#[test]
fn the_page_is_what_the_program_prints_and_the_door_shows() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let printed = printed();
    assert!(
        std::fs::read_to_string(page).unwrap() == printed,
        "docs/openapi.json is not what the catalog says: chl schema --openapi > docs/openapi.json"
    );
    let desk = Desk::new();
    let door = Watched::for_callers(&desk);
    assert_eq!(door.get("/v1/openapi.json").0, 401);
    let shown = door.get_as("p-1-app", "/v1/openapi.json");
    assert_eq!((shown.status, shown.body), (200, printed));
    assert_eq!(door.stop(), 0);
}

/// Every reference in a document.
fn references(document: &Value, to: &mut BTreeSet<String>) {
    match document {
        Value::Object(fields) => {
            to.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|value| references(value, to));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, to)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn it_has_every_command_and_every_parameter_and_no_reference_into_the_void() {
    let document: Value = serde_json::from_str(&printed()).unwrap();
    let mut all = BTreeSet::new();
    references(&document, &mut all);
    assert!(all.len() > 50, "{all:?}");
    for reference in &all {
        let found = document.pointer(reference.strip_prefix('#').unwrap());
        assert!(found.is_some(), "{reference} is nowhere");
    }
    let body = "/paths/~1v1~1commands/post/requestBody/content/application~1json/schema";
    let mapping = document.pointer(&format!("{body}/discriminator/mapping")).unwrap();
    let mapped: BTreeSet<&str> = mapping.as_object().unwrap().keys().map(String::as_str).collect();
    let commands: BTreeSet<&str> = chl_commands::Command::kinds().map(|kind| kind.name).collect();
    assert_eq!(mapped, commands);
    let parameters = document["paths"]["/v1/{view}"]["get"]["parameters"].as_array().unwrap();
    let in_query = parameters.iter().filter(|one| one["in"] == "query");
    let names: BTreeSet<&str> = in_query.map(|one| one["name"].as_str().unwrap()).collect();
    for name in ["partner", "where", "as_of", "effective", "limit", "cursor", "ledger"] {
        assert!(names.contains(name), "{name} is missing in {names:?}");
    }
}

#[test]
fn a_validator_of_others_takes_it() {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nats/bin/python");
    let python = std::env::var_os("CHL_PYTHON").map_or(installed, PathBuf::from);
    let validates = |text: &str| {
        let mut call = Command::new(&python);
        call.args(["-m", "openapi_spec_validator", "-"]).stdin(Stdio::piped());
        let mut call = call.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        call.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = call.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let there = Command::new(&python).args(["-c", "import openapi_spec_validator"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        let what = "nothing to validate OpenAPI with; .ci/run installs it";
        assert!(std::env::var_os("CI").is_none(), "{what}");
        std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
        return;
    }
    let (right, told) = validates(&printed());
    assert!(right, "{told}");
    // And it does look: an operation without responses is none.
    let (wrong, told) = validates(&printed().replace("\"responses\"", "\"answers\""));
    assert!(!wrong, "{told}");
}
