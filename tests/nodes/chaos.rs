//! Rounds of disasters: writers killed and paused, servers killed and restarted, under load.

use crate::{
    clients::{Acknowledged, Clients},
    node::Node,
};
use chl_nats_servers::{Servers, Shape};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

const CLIENTS: usize = 8;
const NODES: usize = 3;
/// Longer than the lease, so that a paused writer has been deposed when it goes on.
const PAUSE: Duration = Duration::from_secs(8);
/// How long a ledger may be without a writer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What may happen.
#[derive(Debug, Clone, Copy)]
enum Disaster {
    WriterKilled,
    WriterPaused,
    WriterStopped,
    ServerKilled,
    ServerPaused,
    AllServersRestarted,
}

const DISASTERS: [Disaster; 6] = [
    Disaster::WriterKilled,
    Disaster::ServerKilled,
    Disaster::WriterPaused,
    Disaster::AllServersRestarted,
    Disaster::WriterStopped,
    Disaster::ServerPaused,
];

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_nothing_acknowledged_is_lost() {
    let Some(mut servers) = Servers::start(Shape::Three).unwrap() else { return };
    let (rounds, seed) = (from_environment("CHL_CHAOS", 3), from_environment("CHL_SEED", 1));
    let mut dice = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut nodes: Vec<Node> = (0..NODES)
        .map(|number| Node::new(&folder.path().join(format!("node-{number}")), &servers, 3))
        .collect();
    nodes.iter_mut().for_each(Node::start);
    wait_for_leader(&mut nodes);
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let mut acknowledged = Acknowledged::new();
    for round in 0..usize::try_from(rounds).unwrap() {
        let disaster = DISASTERS[round % DISASTERS.len()];
        let clients = Clients::start(&client, CLIENTS, round);
        tokio::time::sleep(Duration::from_millis(dice.random_range(200..1500))).await;
        happen(disaster, &mut nodes, &mut servers, &mut dice).await;
        wait_for_leader(&mut nodes);
        tokio::time::sleep(Duration::from_millis(dice.random_range(200..1500))).await;
        let of_round = clients.stop().await;
        println!("round {round} of seed {seed}: {disaster:?}, {} acknowledged", of_round.len());
        acknowledged.extend(of_round);
    }
    for node in &mut nodes {
        assert_eq!(node.stop(), Some(0), "{}", node.said());
    }
    verify(&nodes, &acknowledged);
}

async fn happen(disaster: Disaster, nodes: &mut [Node], servers: &mut Servers, dice: &mut StdRng) {
    let leader = nodes.iter().position(Node::leads);
    let victim = dice.random_range(0..3);
    match (disaster, leader) {
        (Disaster::WriterKilled, Some(leader)) => nodes[leader].kill(),
        (Disaster::WriterStopped, Some(leader)) => assert_eq!(nodes[leader].stop(), Some(0)),
        (Disaster::WriterPaused, Some(leader)) => {
            nodes[leader].signal("-STOP");
            tokio::time::sleep(PAUSE).await;
            nodes[leader].signal("-CONT");
        }
        (Disaster::ServerKilled, _) => {
            servers.each().nth(victim).unwrap().kill().unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            servers.start_all().unwrap();
        }
        (Disaster::ServerPaused, _) => {
            servers.each().nth(victim).unwrap().pause().unwrap();
            tokio::time::sleep(PAUSE).await;
            servers.each().nth(victim).unwrap().resume().unwrap();
        }
        (Disaster::AllServersRestarted, _) => {
            servers.kill_all().unwrap();
            servers.start_all().unwrap();
        }
        (Disaster::WriterKilled | Disaster::WriterPaused | Disaster::WriterStopped, None) => {
            panic!("nobody leads")
        }
    }
}

/// Waits until a node takes commands; those that have ended are started again, as an operator's
/// supervisor would.
fn wait_for_leader(nodes: &mut [Node]) {
    let began = Instant::now();
    while !nodes.iter().any(Node::leads) {
        let said: Vec<String> = nodes.iter().map(Node::said).collect();
        assert!(began.elapsed() < PATIENCE, "nobody leads: {said:#?}");
        for node in nodes.iter_mut() {
            node.start_again();
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    for node in nodes.iter_mut() {
        node.start_again();
    }
}

/// Every acknowledged command is in the log once, where its answer says; every node reads the same.
fn verify(nodes: &[Node], acknowledged: &Acknowledged) {
    let checks: Vec<Vec<Value>> = nodes.iter().map(|node| node.ask(&["check"])).collect();
    assert!(checks[0].iter().all(|check| check["holds"] == json!(true)), "{:?}", checks[0]);
    assert!(checks.iter().all(|one| *one == checks[0]), "the nodes differ: {checks:?}");
    let mut stored: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for commit in nodes[0].ask(&["log", "view"]) {
        let (id, position) = (commit["id"].as_str().unwrap(), commit["position"].as_u64().unwrap());
        stored.entry(id.to_owned()).or_default().push(position);
    }
    for (id, position) in acknowledged {
        assert_eq!(stored.get(id), Some(&vec![*position]), "{id}");
    }
    assert!(stored.values().all(|positions| positions.len() == 1), "something is there twice");
    assert!(acknowledged.len() > 100, "only {} were acknowledged", acknowledged.len());
}
