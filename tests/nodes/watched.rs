//! What nodes tell monitors: who leads, who follows, and what becomes of both.

use crate::node::Node;
use chl_nats_servers::{Servers, Shape};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Waits until a node says something of its ledger.
fn wait(node: &Node, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let health = node.health();
        if holds(&health) {
            return health;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "not {what}: {health}\n{}", node.said());
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is(part: &str) -> impl Fn(&Value) -> bool {
    move |health| health["ledgers"][0]["part"] == json!(part)
}

#[test]
fn nodes_say_who_leads_who_follows_and_who_can_do_neither() {
    let Some(mut servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let node = |name: &str| Node::new(&folder.path().join(name), &servers, 1).watched();
    let (mut first, mut second) = (node("first"), node("second"));
    first.start();
    let leads = wait(&first, "leading", is("leads"));
    second.start();
    let follows = wait(&second, "following", is("follows"));
    assert_eq!((&leads["ready"], &follows["ready"]), (&json!(true), &json!(true)));
    let position = |health: &Value| health["ledgers"][0]["position"].clone();
    assert_eq!((position(&leads), position(&follows)), (json!(1), json!(1)));
    // Beside one that follows questions are answered, too.
    assert_eq!(second.ask(&["query", "partners"]), Vec::<Value>::new());
    assert_eq!(second.ask(&["check"]), first.ask(&["check"]));
    first.kill();
    let took_over = wait(&second, "leading", is("leads"));
    assert_eq!(took_over["ready"], json!(true));
    // Without servers it can neither answer nor follow, and says so until it ends.
    servers.kill_all().unwrap();
    let lost = wait(&second, "not ready", |health| health["ready"] == json!(false));
    assert_eq!(lost["ledgers"][0]["ledger"], json!("main"), "{lost}");
    servers.start_all().unwrap();
    second.start_again();
    wait(&second, "leading again", |health| is("leads")(health) && health["ready"] == json!(true));
    // One that is told to stop hands over at once: nobody waits for its lease to run out.
    first.start();
    wait(&first, "following", is("follows"));
    let began = Instant::now();
    assert_eq!(second.stop(), Some(0), "{}", second.said());
    wait(&first, "leading", is("leads"));
    println!("handed over in {:?}", began.elapsed());
    assert_eq!(first.stop(), Some(0), "{}", first.said());
}
