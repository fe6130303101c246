//! Other terms over a ledger on servers: through the node that leads, and beside it.

use crate::{
    cli::{partner_lines, programme_lines},
    node::Node,
};
use chl_nats_servers::{Servers, Shape};
use serde_json::{Value, json};
use std::fs;

#[test]
fn other_terms_are_tried_on_servers_and_nothing_is_written() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(&folder.path().join("node"), &servers, 1).watched();
    node.start();
    node.wait_until_it_leads();
    let input = folder.path().join("input.jsonl");
    fs::write(&input, partner_lines() + &programme_lines()).unwrap();
    node.ask(&["submit", &input.display().to_string()]);
    let published = node.ask(&["log", "view", "--type", "PublishProgramme"]);
    let mut terms = published[0]["data"].clone();
    terms["terms"]["coop"]["accrual"][0]["bands"][0]["rate"] = json!("0.03");
    let file = folder.path().join("other.json");
    fs::write(&file, terms.to_string()).unwrap();
    let file = file.display().to_string();
    let call = ["whatif", "--programme", "gold", "--terms", &file, "--only", "totals"];
    let before = node.ask(&["check"])[0]["found"].clone();
    let expected = |rows: &[Value]| {
        let accrued = rows.iter().find(|row| row["figure"] == "accrued").unwrap();
        assert_eq!(accrued["difference"], "2500.00", "{rows:?}");
    };
    expected(&node.ask(&call));
    // A machine of its own, which has nothing but the servers.
    expected(&Node::new(&folder.path().join("other"), &servers, 1).ask(&call));
    assert_eq!(node.ask(&["check"])[0]["found"], before);
    assert_eq!(node.stop(), Some(0));
}
