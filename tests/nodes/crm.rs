//! The CRM sample over the bus: the same figures as the embedded import, and a history that an
//! embedded ledger makes again from its commands, with the same root.

use crate::node::Node;
use chl_bus::{Place, Vault};
use chl_nats_servers::{Servers, Shape};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const CHL: &str = env!("CARGO_BIN_EXE_chl");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const FILES: [&str; 4] = ["accounts.csv", "products.csv", "sales_teams.csv", "sales_pipeline.csv"];

/// The sample and a Python that has the client; none is told past the capture of the output.
fn wanted() -> Option<(PathBuf, PathBuf)> {
    let beside = || Path::new(ROOT).join("../shared/data");
    let data = std::env::var_os("CHL_TEST_DATA").map_or_else(beside, PathBuf::from);
    let sample = data.join("crm-pipeline");
    let installed = Path::new(ROOT).join("target/nats/bin/python");
    let python = std::env::var_os("CHL_PYTHON").map_or(installed, PathBuf::from);
    let client = Command::new(&python).args(["-c", "import nats"]).output();
    let missing = if !sample.join("sales_pipeline.csv").is_file() {
        "the CRM sample"
    } else if !client.is_ok_and(|import| import.status.success()) {
        "a Python with nats-py"
    } else {
        return Some((sample, python));
    };
    let skipped = format!("SKIPPED: {missing} is not here\n");
    std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    None
}

fn run(command: &mut Command) -> Output {
    let output = command.env("LOGNAME", "tester").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

fn embedded(folder: &Path, call: &[&str]) -> Vec<u8> {
    run(Command::new(CHL).arg("--data").arg(folder).args(call).current_dir(folder)).stdout
}

fn rows(folder: &Path, call: &[&str]) -> Vec<Value> {
    let out = String::from_utf8(embedded(folder, call)).unwrap();
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_sample_over_the_bus_is_the_same_history() {
    let Some((sample, python)) = wanted() else { return };
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let [import, again] = ["import", "again"].map(|name| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    });
    // The commands of an embedded import, as any service would send them.
    let map = format!("{ROOT}/examples/crm-pipeline.toml");
    let files = FILES.map(|file| sample.join(file).display().to_string());
    let mut call = vec!["import", "csv", "--map", &map];
    call.extend(files.iter().map(String::as_str));
    embedded(&import, &call);
    let exported = embedded(&import, &["log", "export", "--commands"]);
    let commands: Vec<&[u8]> = exported.split_inclusive(|byte| *byte == b'\n').skip(1).collect();
    let file = folder.path().join("commands.jsonl");
    fs::write(&file, commands.concat()).unwrap();

    let mut node = Node::new(&folder.path().join("node"), &servers, 1);
    node.start();
    node.wait_until_it_leads();
    let sender = format!("{ROOT}/examples/python/send.py");
    let mut sending = Command::new(python);
    sending.arg(sender).args([&servers.urls()[0], "tester"]).arg(&file);
    let counts = run(sending.args(["--in-flight", "64"])).stdout;
    let counts: Value = serde_json::from_slice(&counts).unwrap();
    assert_eq!(counts, json!({ "accepted": commands.len() }));
    assert_eq!(node.stop(), Some(0), "{}", node.said());

    // The figures.
    for view in ["deals", "conflicts", "balances"] {
        let counted = |rows: &[Value]| {
            let states = ["open", "won", "lost", "approved"];
            let state = |name: &str| rows.iter().filter(|row| row["state"] == name).count();
            let accrued = rows.iter().map(|row| row["accrued"].to_string()).collect::<Vec<_>>();
            (rows.len(), states.map(state), accrued)
        };
        let query = ["query", view];
        assert_eq!(counted(&node.ask(&query)), counted(&rows(&import, &query)), "{view}");
    }
    // The same history, from its commands, with its recorded times and its vault.
    let vault = folder.path().join("vault").display().to_string();
    let history = node.ask_raw(&["log", "export", "--commands", "--vault", &vault]);
    let commands = folder.path().join("history.jsonl");
    fs::write(&commands, history).unwrap();
    let commands = commands.display().to_string();
    embedded(&again, &["log", "import", &commands, "--vault", &vault]);
    let root = |checks: &[Value]| checks[0]["found"].clone();
    assert_eq!(root(&rows(&again, &["check"])), root(&node.ask(&["check"])));
}

#[test]
fn a_history_moves_to_servers_and_back_with_its_root() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let [from, back] = ["from", "back"].map(|name| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    });
    let mut lines = String::new();
    for number in 0..500 {
        let data = json!({ "customer": format!("c-{number}"), "name": "C" });
        let line = json!({ "id": number.to_string(), "type": "RegisterCustomer", "data": data,
            "reason": "a text of a person" });
        lines.push_str(&format!("{line}\n"));
    }
    let input = folder.path().join("input");
    fs::write(&input, lines).unwrap();
    embedded(&from, &["submit", &input.display().to_string()]);
    let [vault, vault_back] =
        ["vault", "vault-back"].map(|name| folder.path().join(name).display().to_string());
    let exported = embedded(&from, &["log", "export", "--vault", &vault]);
    let blocks = folder.path().join("blocks.jsonl");
    fs::write(&blocks, exported).unwrap();
    let node = Node::new(&folder.path().join("node"), &servers, 1);
    node.ask(&["log", "import", &blocks.display().to_string(), "--vault", &vault]);
    // Once more: what is there already of the same history is passed over.
    let told = node.ask(&["log", "import", &blocks.display().to_string()]);
    assert_eq!(told[0]["commits"], json!(501));
    let moved = node.ask_raw(&["log", "export", "--vault", &vault_back]);
    let blocks = folder.path().join("moved.jsonl");
    fs::write(&blocks, moved).unwrap();
    let blocks = blocks.display().to_string();
    embedded(&back, &["log", "import", &blocks, "--vault", &vault_back]);
    let checks = rows(&from, &["check"]);
    assert_eq!(node.ask(&["check"]), checks);
    assert_eq!(rows(&back, &["check"]), checks);
    // The keys of persons went along, there and back.
    let person = chl_events::Person::Actor("tester".parse().unwrap());
    let place = Place { source: "/chl", id: "1", field: "reason" };
    let [there, back] = [vault, vault_back].map(|path| {
        let vault = Vault::open(Path::new(&path)).unwrap();
        vault.seal(&person, place, "a text of a person").unwrap()
    });
    assert_eq!(there, back);
}
