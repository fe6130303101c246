//! Rounds of disasters: writers killed and paused, servers killed and restarted, under load.

use crate::{
    clients::{Acknowledged, Clients},
    node::Node,
};
use chl_nats_servers::{Server, Servers};
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
    /// The one that leads the log's stream, as all three below.
    ServerKilled,
    ServerPaused,
    /// From the other servers; whoever is connected to it stays so.
    ServerCutOff,
    AllServersRestarted,
}

const DISASTERS: [Disaster; 7] = [
    Disaster::WriterKilled,
    Disaster::ServerKilled,
    Disaster::ServerCutOff,
    Disaster::WriterPaused,
    Disaster::AllServersRestarted,
    Disaster::WriterStopped,
    Disaster::ServerPaused,
];

/// A number that a variable gives, or another one.
pub(crate) fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_nothing_acknowledged_is_lost() {
    let Some(mut servers) = Servers::start_barrable().unwrap() else { return };
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
    let mut taken_over = Vec::new();
    for round in 0..usize::try_from(rounds).unwrap() {
        let disaster = DISASTERS[round % DISASTERS.len()];
        let clients = Clients::start(&client, CLIENTS, round);
        tokio::time::sleep(Duration::from_millis(dice.random_range(200..1500))).await;
        let leader = stream_leader(&client, &servers).await;
        happen(disaster, &mut nodes, &mut servers, leader).await;
        let without_writer = wait_for_leader(&mut nodes);
        if matches!(disaster, Disaster::WriterKilled) {
            taken_over.push(without_writer);
        }
        tokio::time::sleep(Duration::from_millis(dice.random_range(200..1500))).await;
        let of_round = clients.stop().await;
        println!("round {round} of seed {seed}: {disaster:?}, {} acknowledged", of_round.len());
        acknowledged.extend(of_round);
    }
    taken_over.sort();
    let (median, worst) = (taken_over.get(taken_over.len() / 2), taken_over.last());
    println!("taken over after a killed writer: median {median:?}, worst {worst:?}");
    // A node that gave up on servers that were away runs again, as under a supervisor.
    tokio::time::sleep(Duration::from_secs(2)).await;
    wait_for_leader(&mut nodes);
    for node in &mut nodes {
        assert_eq!(node.stop(), Some(0), "{}", node.said());
    }
    verify(&nodes, &acknowledged);
}

/// The number of the server that leads the log's stream.
async fn stream_leader(client: &async_nats::Client, servers: &Servers) -> usize {
    let jetstream = async_nats::jetstream::new(client.clone());
    let began = Instant::now();
    loop {
        let stream = jetstream.get_stream("chl-main-log").await.ok();
        let cluster = stream.and_then(|stream| stream.cached_info().cluster.clone());
        let name = cluster.and_then(|cluster| cluster.leader);
        if let Some(number) = name.and_then(|name| servers.position(&name)) {
            return number;
        }
        assert!(began.elapsed() < PATIENCE, "nobody leads the stream");
    }
}

async fn happen(disaster: Disaster, nodes: &mut [Node], servers: &mut Servers, victim: usize) {
    fn server(servers: &mut Servers, number: usize) -> &mut Server {
        servers.each().nth(number).unwrap()
    }
    match disaster {
        Disaster::WriterKilled => writer(nodes).kill(),
        Disaster::WriterStopped => assert_eq!(writer(nodes).stop(), Some(0)),
        Disaster::WriterPaused => {
            let writer = writer(nodes);
            writer.signal("-STOP");
            tokio::time::sleep(PAUSE).await;
            writer.signal("-CONT");
        }
        Disaster::ServerKilled => {
            server(servers, victim).kill().unwrap();
            tokio::time::sleep(Duration::from_secs(1)).await;
            servers.start_all().unwrap();
        }
        Disaster::ServerPaused => {
            server(servers, victim).pause().unwrap();
            tokio::time::sleep(PAUSE).await;
            server(servers, victim).resume().unwrap();
        }
        Disaster::ServerCutOff => {
            servers.cut_off(victim, true);
            tokio::time::sleep(PAUSE).await;
            servers.cut_off(victim, false);
        }
        Disaster::AllServersRestarted => {
            servers.kill_all().unwrap();
            servers.start_all().unwrap();
        }
    }
}

/// The node that takes commands.
fn writer(nodes: &mut [Node]) -> &mut Node {
    loop {
        // A writer that has just lost its lease is none; another one comes.
        wait_for_leader(nodes);
        if let Some(writer) = nodes.iter().position(Node::leads) {
            return &mut nodes[writer];
        }
    }
}

/// Waits until a node takes commands, and says how long that took; those that have ended are started
/// again, as an operator's supervisor would.
fn wait_for_leader(nodes: &mut [Node]) -> Duration {
    let began = Instant::now();
    while !nodes.iter().any(Node::leads) {
        let said: Vec<String> = nodes.iter().map(Node::said).collect();
        assert!(began.elapsed() < PATIENCE, "nobody leads: {said:#?}");
        for node in nodes.iter_mut() {
            node.start_again();
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    let waited = began.elapsed();
    for node in nodes.iter_mut() {
        node.start_again();
    }
    waited
}

/// Every acknowledged command is in the log once, where its answer says; every node reads the same,
/// and its read models are those that a rebuild makes.
fn verify(nodes: &[Node], acknowledged: &Acknowledged) {
    let checks: Vec<Vec<Value>> = nodes.iter().map(|node| node.ask(&["check"])).collect();
    assert!(checks[0].iter().all(|check| check["holds"] == json!(true)), "{:?}", checks[0]);
    assert!(checks.iter().all(|one| *one == checks[0]), "the nodes differ: {checks:?}");
    for node in nodes {
        let rebuilt = node.ask(&["rebuild"]);
        assert!(rebuilt.iter().all(|view| view["equal"] == json!(true)), "{rebuilt:?}");
    }
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
