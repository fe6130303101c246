//! The drills of `docs/operations.md`, run as they stand there.

use crate::node::Node;
use async_nats::jetstream;
use chl_bus::{Place, Vault};
use chl_nats_servers::{Servers, Shape};
use serde_json::{Value, json};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What a script asks for that is no program here: it says so, and waits until it is done.
const STAND_INS: &str = r#"
set -eu
systemctl() { echo "DO systemctl $*"; read -r _; }
nats() { echo "DO nats $*"; read -r _; }
"#;

/// In seconds: what a script waits for comes sooner, or never.
const PATIENCE: &str = "180";

/// The text of a person that each ledger here holds.
const TEXT: &str = "a text of a person";

/// The lines behind a mark of the page.
fn written(mark: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operations.md");
    let page = fs::read_to_string(page).unwrap();
    let marked = format!("<!-- drill: {mark} -->\n```sh\n");
    let behind = page.split(&marked).nth(1).unwrap_or_else(|| panic!("no drill {mark}"));
    behind.split("\n```").next().unwrap().to_owned()
}

/// Runs lines of the page on a node's machine; what they ask of the supervisor and of the servers'
/// own tool is done by `on`.
fn play(script: &str, node: &mut Node, folder: &Path, mut on: impl FnMut(&str, &mut Node)) {
    let chl = Path::new(env!("CARGO_BIN_EXE_chl")).parent().unwrap().display().to_string();
    let path = format!("{chl}:{}", std::env::var("PATH").unwrap());
    let mut shell = Command::new("timeout");
    shell
        .args([PATIENCE, "bash", "-c"])
        .arg(format!("{STAND_INS}\n{script}"))
        .current_dir(folder)
        .env("PATH", path);
    shell.envs(node.environment()).env("LOGNAME", "tester");
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut done = shell.stdin.take().unwrap();
    let mut heard = String::new();
    for line in BufReader::new(shell.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(asked) = line.strip_prefix("DO ") {
            on(asked, node);
            done.write_all(b"\n").unwrap();
        }
        heard.push_str(&format!("{line}\n"));
    }
    let ended = shell.wait().unwrap();
    assert!(ended.success(), "{script}\nended with {ended} after\n{heard}\n{}", node.said());
}

/// What the supervisor does for the node.
fn supervise(asked: &str, node: &mut Node) {
    match asked {
        "systemctl stop chl@main" => drop(node.stop()),
        "systemctl start chl@main" => node.start(),
        other => panic!("{other:?} is asked for, and nobody does it"),
    }
}

/// Has customers registered by a node that leads: those of a range, each with a person's text. While
/// servers elect, an answer may be to send again, and the node may end to be started again.
fn fill(node: &mut Node, folder: &Path, customers: std::ops::Range<u32>) {
    let mut lines = String::new();
    for number in customers {
        let data = json!({ "customer": format!("c-{number}"), "name": "C" });
        let line = json!({ "id": number.to_string(), "type": "RegisterCustomer", "data": data,
            "reason": TEXT });
        lines.push_str(&format!("{line}\n"));
    }
    let input = folder.join("input.jsonl");
    fs::write(&input, lines).unwrap();
    let began = Instant::now();
    loop {
        let sent = node.call(&["submit", &input.display().to_string()]);
        if sent.status.success() {
            return;
        }
        let told = String::from_utf8_lossy(&sent.stdout).into_owned();
        assert!(began.elapsed() < Duration::from_secs(60), "{told}\n{}", node.said());
        std::thread::sleep(Duration::from_millis(500));
        node.supervise_until_it_leads();
    }
}

/// Position and root, as a node that leads finds them, after all of it has been looked at.
fn found(node: &mut Node) -> Value {
    node.supervise_until_it_leads();
    node.ask(&["check"])[0]["found"].clone()
}

/// What a text of the person comes to under the ledger's keys.
fn sealed(node: &Node, folder: &Path, name: &str) -> chl_events::Sealed {
    let path = folder.join(name);
    node.ask_raw(&["log", "export", "--bare", "--vault", &path.display().to_string()]);
    let place = Place { source: "/chl", id: "1", field: "reason" };
    let person = chl_events::Person::Actor("tester".parse().unwrap());
    Vault::open(&path).unwrap().seal(&person, place, TEXT).unwrap()
}

/// A node that leads a ledger with some history.
fn led(folder: &Path, servers: &Servers, replicas: usize) -> Node {
    let mut node = Node::new(&folder.join("node"), servers, replicas).watched();
    node.start();
    node.wait_until_it_leads();
    fill(&mut node, folder, 0..300);
    node
}

#[test]
fn a_server_that_is_lost_is_replaced_by_an_empty_one() {
    let Some(mut servers) = Servers::start(Shape::Three).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = led(folder.path(), &servers, 3);
    servers.named("ledger-3").unwrap().lose().unwrap();
    fill(&mut node, folder.path(), 300..400);
    let before = found(&mut node);
    let monitor = servers.named("ledger-3").unwrap().monitor();
    let script = format!("MONITOR={monitor}\n{}", written("server"));
    play(&script, &mut node, folder.path(), |asked, _| {
        assert_eq!(asked, "systemctl start nats-server");
        servers.named("ledger-3").unwrap().start().unwrap();
    });
    assert_eq!(found(&mut node), before);
    // It counts again: with another one gone, it is the majority's second half.
    servers.named("ledger-1").unwrap().kill().unwrap();
    fill(&mut node, folder.path(), 400..500);
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}

#[test]
fn a_nodes_folder_is_made_anew() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = led(folder.path(), &servers, 1);
    let before = found(&mut node);
    play(&written("folder"), &mut node, folder.path(), supervise);
    assert_eq!(found(&mut node), before);
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}

#[test]
fn servers_that_are_all_lost_get_the_history_back_from_a_node() {
    let Some(mut servers) = Servers::start(Shape::Three).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = led(folder.path(), &servers, 3);
    play(&written("backup"), &mut node, folder.path(), supervise);
    fs::remove_file(folder.path().join("history.jsonl")).unwrap();
    let before_the_loss = sealed(&node, folder.path(), "before");
    fill(&mut node, folder.path(), 300..400);
    let before = found(&mut node);
    servers.each().try_for_each(chl_nats_servers::Server::lose).unwrap();
    play(&written("servers"), &mut node, folder.path(), supervise);
    play(&written("servers, then"), &mut node, folder.path(), |asked, node| match asked {
        "systemctl start nats-server" => servers.start_all().unwrap(),
        other => supervise(other, node),
    });
    assert_eq!(found(&mut node), before, "{}", node.said());
    assert_eq!(sealed(&node, folder.path(), "after"), before_the_loss);
    fill(&mut node, folder.path(), 400..410);
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}

/// Removes a stream, as the servers' own tool does.
fn remove_stream(servers: &Servers, stream: &str) {
    let (urls, stream) = (servers.urls(), stream.to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = async_nats::connect(urls).await.unwrap();
        jetstream::new(client).delete_stream(stream).await.unwrap();
    });
}

#[test]
fn a_vault_that_is_lost_takes_texts_with_it_and_comes_back_from_its_backup() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = led(folder.path(), &servers, 1);
    play(&written("backup"), &mut node, folder.path(), supervise);
    let (keys, before) = (sealed(&node, folder.path(), "before"), found(&mut node));
    assert_eq!(node.stop(), Some(0));
    remove_stream(&servers, "KV_chl-main-vault");
    node.start();
    // All is there but the keys: the same text of the same person comes to something else.
    assert_eq!(found(&mut node), before);
    assert_ne!(sealed(&node, folder.path(), "without"), keys);
    play(&written("vault"), &mut node, folder.path(), supervise);
    assert_eq!(found(&mut node), before);
    assert_eq!(sealed(&node, folder.path(), "after"), keys);
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}

fn copy_all(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(copied.success());
}

#[test]
fn a_stream_that_lost_messages_stops_the_node_and_is_made_anew_from_its_copy() {
    let Some(mut servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = led(folder.path(), &servers, 1);
    assert_eq!(node.stop(), Some(0));
    let server = |servers: &mut Servers| servers.each().next().unwrap().store();
    let store = server(&mut servers);
    let older = folder.path().join("older");
    servers.each().next().unwrap().terminate().unwrap();
    copy_all(&store, &older);
    servers.start_all().unwrap();
    node.start();
    node.wait_until_it_leads();
    fill(&mut node, folder.path(), 300..400);
    let before = found(&mut node);
    assert_eq!(node.stop(), Some(0));
    // The server comes back as it was a while ago.
    servers.each().next().unwrap().lose().unwrap();
    copy_all(&older, &store);
    servers.start_all().unwrap();
    node.start();
    assert_eq!(node.end(), Some(6), "{}", node.said());
    let script = written("stream");
    play(&script, &mut node, folder.path(), |asked, node| match asked {
        "nats stream rm chl-main-log --force" => remove_stream(&servers, "chl-main-log"),
        other => supervise(other, node),
    });
    assert_eq!(found(&mut node), before, "{}", node.said());
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}

#[test]
fn a_second_signal_ends_what_the_first_could_not() {
    let Some(mut servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = led(folder.path(), &servers, 1);
    // Servers that hold still let nobody go in good order.
    servers.each().try_for_each(|server| server.pause()).unwrap();
    node.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    node.signal("-TERM");
    assert_eq!(node.end(), Some(1), "{}", node.said());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(node.said().contains("a second time"), "{}", node.said());
    servers.each().try_for_each(|server| server.resume()).unwrap();
    node.start();
    node.wait_until_it_leads();
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}
