//! Read models in a file of their own, of a ledger on servers: no node need run beside.

use crate::{
    cli::{followed::stopped, partner_lines, programme_lines},
    node::Node,
};
use chl_nats_servers::{Servers, Shape};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const SUMS: &str = "SELECT fund, sum(accrued_minor) AS accrued, count(*) AS rows, \
    (SELECT max(position) FROM _meta WHERE view = 'balances') AS position FROM balances GROUP BY fund";

fn submit(node: &Node, folder: &Path, lines: &str) {
    let file = folder.join("lines.jsonl");
    fs::write(&file, lines).unwrap();
    let run = node.call(&["submit", &file.display().to_string()]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

fn accruals(range: std::ops::Range<u32>) -> String {
    let line = |number: u32| {
        let data = json!({
            "partner": "p-1", "programme": "gold", "sale": format!("n-{number}"),
            "net_amount": {"amount": "100.00", "currency": "USD"}, "sold_on": "2026-03-05"
        });
        format!("{}\n", json!({"id": format!("n-{number}"), "type": "AccrueCoop", "data": data}))
    };
    range.map(line).collect()
}

/// Waits until a file says of a node's ledger what the node itself says.
fn agrees(node: &Node, analyst: &Node, file: &str) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let whole = node.ask(&["sql", SUMS]);
        let run = analyst.call(&["sql", SUMS, "--views", file]);
        let lines = String::from_utf8(run.stdout).unwrap();
        let lines = lines.lines().map(|line| serde_json::from_str(line).unwrap());
        let found: Vec<Value> = lines.collect();
        if found == whole {
            return whole;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{found:?} of {whole:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_analysts_file_follows_the_stream_whoever_leads() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let node = |name: &str| Node::new(&folder.path().join(name), &servers, 1);
    let (mut first, mut second, analyst) = (node("first"), node("second"), node("analyst"));
    first.start();
    first.wait_until_it_leads();
    submit(&first, folder.path(), &(partner_lines() + &programme_lines() + &accruals(0..200)));

    let file = folder.path().join("mine.sqlite").display().to_string();
    let call = ["follow", "balances", "--into", &file];
    let once = analyst.call(&[call.as_slice(), &["--once"]].concat());
    assert!(once.status.success(), "{}", String::from_utf8_lossy(&once.stderr));
    assert!(!folder.path().join("analyst/main@nats").exists(), "it keeps nothing of the stream");
    let before = agrees(&first, &analyst, &file);

    let mut following = Command::new(env!("CARGO_BIN_EXE_chl"));
    following.args(call).envs(analyst.environment()).stdout(Stdio::null()).stderr(Stdio::null());
    let following = following.spawn().unwrap();
    submit(&first, folder.path(), &accruals(200..400));
    let live = agrees(&first, &analyst, &file);
    assert_ne!(live, before);
    second.start();
    first.kill();
    second.wait_until_it_leads();
    submit(&second, folder.path(), &accruals(400..450));
    assert_ne!(agrees(&second, &analyst, &file), live);
    assert_eq!(stopped(following), 0);

    // Beside a node it stands in nobody's way, and is in nobody's way.
    let beside = second.call(&[call.as_slice(), &["--once"]].concat());
    assert!(beside.status.success(), "{}", String::from_utf8_lossy(&beside.stderr));
    assert_eq!(second.stop(), Some(0), "{}", second.said());
    let alone = second.call(&[call.as_slice(), &["--once"]].concat());
    assert!(alone.status.success(), "{}", String::from_utf8_lossy(&alone.stderr));
}
