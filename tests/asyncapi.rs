//! The AsyncAPI document is the catalog's, names every subject of the bus, and is one for the
//! official parser, too.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::{Map, Value};
use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn printed() -> String {
    let call = ["schema", "--asyncapi"];
    let out = Command::new(env!("CARGO_BIN_EXE_chl")).args(call).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn document() -> Value {
    serde_json::from_str(&printed()).unwrap()
}

fn object<'a>(document: &'a Value, pointer: &str) -> &'a Map<String, Value> {
    document.pointer(pointer).and_then(Value::as_object).unwrap_or_else(|| panic!("no {pointer}"))
}

#[test]
fn the_page_is_what_the_program_prints() {
    let page = std::fs::read_to_string(root().join("docs/asyncapi.json")).unwrap();
    assert!(
        page == printed(),
        "docs/asyncapi.json is not what the catalog says: chl schema --asyncapi > docs/asyncapi.json"
    );
}

#[test]
fn every_command_and_event_is_a_message_of_its_channels() {
    let document = document();
    let messages = object(&document, "/components/messages");
    let commands: BTreeSet<&str> = chl_commands::Command::kinds().map(|kind| kind.name).collect();
    let events: BTreeSet<&str> = chl_events::Event::kinds().map(|kind| kind.name).collect();
    assert!(commands.is_disjoint(&events), "a message has one meaning");
    for (channel, names) in
        [("commands", &commands), ("queue", &commands), ("trusted", &commands), ("events", &events)]
    {
        let travel = object(&document, &format!("/channels/{channel}/messages"));
        let travel: BTreeSet<&str> = travel.keys().map(String::as_str).collect();
        assert_eq!(travel, *names, "{channel}");
    }
    for name in commands.iter().chain(&events) {
        assert_eq!(messages[*name]["name"], **name);
        let schema = object(&document, &format!("/components/schemas/{name}"));
        assert_eq!(schema["type"], "object", "{name}");
    }
    // The data is what `chl schema NAME` prints, but for where its parts are.
    let own = &document["components"]["schemas"]["RegisterDeal"];
    let call = ["schema", "RegisterDeal"];
    let out = Command::new(env!("CARGO_BIN_EXE_chl")).args(call).output().unwrap();
    let alone: Value = serde_json::from_slice(&out.stdout).unwrap();
    let listed = alone["properties"].to_string().replace("#/$defs/", "#/components/schemas/");
    assert_eq!(own["properties"].to_string(), listed);
    assert_eq!(own["required"], alone["required"]);
}

#[test]
fn every_subject_of_the_bus_has_a_channel() {
    let page = std::fs::read_to_string(root().join("docs/bus.md")).unwrap();
    let table = page.split("## Subjects").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let written: BTreeSet<String> = rows.map(str::to_owned).collect();
    assert!(written.len() > 5, "{written:?}");
    let document = document();
    let addresses = object(&document, "/channels").values();
    let addresses = addresses.filter_map(|channel| channel["address"].as_str());
    let words = [
        ("{ledger}", "LEDGER"),
        ("{actor}", "ACTOR"),
        ("{command}", "TYPE"),
        ("{event}", "TYPE"),
        ("{view}", "VIEW"),
        ("{partner}", "PARTNER"),
        ("{stream}", "STREAM…"),
    ];
    let spelt = |address: &str| {
        words.iter().fold(address.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    assert_eq!(addresses.map(spelt).collect::<BTreeSet<_>>(), written);
}

/// What the official parser has against a document, on its standard error.
const PARSE: &str = r#"
const { Parser } = require("@asyncapi/parser");
const text = require("fs").readFileSync(0, "utf8");
new Parser().parse(text).then(({ document, diagnostics }) => {
  const wrong = diagnostics.filter((one) => one.severity === 0);
  for (const one of wrong) console.error(one.path.join("/"), one.message);
  process.exitCode = document && wrong.length === 0 ? 0 : 1;
});
"#;

#[test]
fn the_official_parser_takes_it() {
    let modules: PathBuf = root().join("examples/typescript");
    if !modules.join("node_modules/@asyncapi/parser").is_dir() {
        let what = "nothing to parse AsyncAPI with; .ci/run installs it";
        assert!(std::env::var_os("CI").is_none(), "{what}");
        std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
        return;
    }
    let parsed = |text: &str| {
        let mut node = Command::new("node");
        node.args(["-e", PARSE]).current_dir(&modules);
        node.stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut node = node.spawn().unwrap();
        node.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = node.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (right, told) = parsed(&printed());
    assert!(right, "{told}");
    // And it does look: a channel that is not there is found.
    let (wrong, told) = parsed(&printed().replace("#/channels/answers", "#/channels/nothing"));
    assert!(!wrong && told.contains("nothing"), "{told}");
}
