//! Nodes of a ledger on servers.

use crate::{keys::keys, node::Node, search::files_with, story};
use async_nats::jetstream::{self, kv::Operation};
use chl_nats_servers::{Servers, Shape};
use futures_util::StreamExt;
use serde_json::Value;
use std::{
    fs,
    time::{Duration, Instant},
};

/// Puts documents into the queue and waits for their results.
async fn queued(nats: &async_nats::Client, documents: &[Value]) -> Vec<String> {
    let context = jetstream::new(nats.clone());
    let results = context.get_stream("chl-main-results").await.unwrap();
    let ordered = jetstream::consumer::pull::OrderedConfig::default();
    let consumer = results.create_consumer(ordered).await.unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let mut found = Vec::new();
    for document in documents {
        let kind = document["type"].as_str().unwrap();
        let subject = format!("chl.main.as.tester.queue.{kind}");
        let sent = context.publish(subject, document.to_string().into()).await.unwrap();
        sent.await.unwrap();
        let next = tokio::time::timeout(Duration::from_secs(20), messages.next()).await;
        let message = next.expect("a result is missing").unwrap().unwrap();
        found.push(String::from_utf8(message.payload.to_vec()).unwrap());
    }
    found
}

/// Servers, nodes of a ledger on them, and a person of whom something is held.
struct Cluster {
    servers: Servers,
    folder: tempfile::TempDir,
    nodes: Vec<Node>,
    nats: async_nats::Client,
}

impl Cluster {
    /// With so many nodes, which go on until one leads; none without a server's program.
    async fn of(shape: Shape, replicas: usize, nodes: usize) -> Option<Self> {
        let servers = Servers::start(shape).unwrap()?;
        let folder = tempfile::tempdir().unwrap();
        let node =
            |number: usize| Node::new(&folder.path().join(number.to_string()), &servers, replicas);
        let mut nodes: Vec<Node> = (0..nodes).map(node).collect();
        let began = Instant::now();
        while !nodes.iter().any(Node::leads) {
            assert!(began.elapsed() < Duration::from_secs(120), "{}", nodes[0].said());
            for node in &mut nodes {
                node.start_again();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let nats = async_nats::connect(servers.urls()).await.unwrap();
        let cluster = Self { servers, folder, nodes, nats };
        let results = queued(&cluster.nats, &story::acts()).await;
        let sealed = |one: &String| one.contains("accepted") && !story::shows(one);
        assert!(results.iter().all(sealed), "{results:?}");
        Some(cluster)
    }

    fn leader(&self) -> &Node {
        self.nodes.iter().find(|node| node.leads()).unwrap()
    }

    /// The files of nodes and servers that hold any of it.
    fn held(&mut self, sought: &[Vec<u8>]) -> Vec<String> {
        let stores = self.servers.each().map(|server| server.store());
        let folders = stores.chain([self.folder.path().to_owned()]);
        folders.flat_map(|folder| files_with(&folder, sought)).collect()
    }

    /// Waits until none does: an empty queue is cleared every few seconds.
    fn wait_until_gone(&mut self, sought: &[Vec<u8>]) {
        let began = Instant::now();
        loop {
            let found = self.held(sought);
            if found.is_empty() {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{found:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The keys, from a copy of the vault that is gone when this returns.
    fn keys(&self) -> Vec<Vec<u8>> {
        let outside = tempfile::tempdir().unwrap();
        let copy = outside.path().join("vault");
        let call = ["log", "export", "--bare", "--vault", &copy.display().to_string()];
        self.leader().ask_raw(&call);
        keys(&copy)
    }

    /// Forgets both, and sees that their keys' revisions are gone for who asks the servers.
    async fn forget(&self) {
        let bucket = jetstream::new(self.nats.clone()).get_key_value("chl-main-vault").await;
        let bucket = bucket.unwrap();
        let names = ["actor.u-anna", "partner.p-z"];
        let mut revisions = Vec::new();
        for name in names {
            revisions.push(bucket.entry(name).await.unwrap().unwrap().revision);
        }
        let outside = tempfile::tempdir().unwrap();
        let lines = outside.path().join("forget.jsonl");
        fs::write(&lines, story::lines(&story::forgets())).unwrap();
        self.leader().ask_raw(&["submit", &lines.display().to_string()]);
        for (name, revision) in names.into_iter().zip(revisions) {
            let now = bucket.entry(name).await.unwrap();
            assert!(now.is_none_or(|entry| entry.operation == Operation::Purge), "{name}");
            assert!(bucket.stream.get_raw_message(revision).await.is_err(), "{name}");
        }
    }

    /// All that holds about a ledger still does, and who was forgotten may act again.
    async fn goes_on(&self) {
        let again = queued(&self.nats, &[story::acts_again()]).await;
        assert!(again[0].contains("accepted"), "{again:?}");
        let checked = self.leader().ask(&["check"]);
        assert!(checked.iter().all(|row| row["holds"] == true), "{checked:?}");
        self.leader().ask_raw(&["audit", "verify"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_nodes_and_their_server_holds_a_text_or_key_of_who_was_forgotten() {
    let Some(mut cluster) = Cluster::of(Shape::One, 1, 2).await else { return };
    cluster.wait_until_gone(&story::texts());
    let mut sought = cluster.keys();
    assert_eq!((sought.len(), cluster.held(&sought).is_empty()), (2, false));
    sought.extend(story::texts());
    cluster.forget().await;
    assert_eq!(cluster.held(&sought), [""; 0], "at once");
    assert_eq!(cluster.keys().len(), 0, "a copy of the vault made since");
    cluster.goes_on().await;
    for node in &mut cluster.nodes {
        assert_eq!(node.stop(), Some(0), "{}", node.said());
    }
    assert_eq!(cluster.held(&sought), [""; 0], "once the nodes are closed");
    cluster.servers.kill_all().unwrap();
    cluster.servers.start_all().unwrap();
    assert_eq!(cluster.held(&sought), [""; 0], "once the server was started again");
}

/// The logs in which servers agree with each other, which they compact in their own time.
fn is_agreed(path: &str) -> bool {
    path.contains("/$SYS/_js_/")
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_does_one_of_three_servers_but_for_what_they_agree_on() {
    let Some(mut cluster) = Cluster::of(Shape::Three, 3, 1).await else { return };
    let mut sought = cluster.keys();
    let held = cluster.held(&sought);
    assert_eq!(held.iter().filter(|path| !is_agreed(path)).count(), 3, "{held:?}");
    sought.extend(story::texts());
    cluster.forget().await;
    cluster.goes_on().await;
    assert_eq!(cluster.nodes[0].stop(), Some(0), "{}", cluster.nodes[0].said());
    let began = Instant::now();
    let kept =
        |cluster: &mut Cluster| cluster.held(&sought).into_iter().find(|path| !is_agreed(path));
    // A replica may be a moment behind.
    while let Some(path) = kept(&mut cluster) {
        assert!(began.elapsed() < Duration::from_secs(60), "{path}");
        std::thread::sleep(Duration::from_millis(100));
    }
    let compacted = std::env::var("CHL_COMPACTED").map_or(0, |minutes| minutes.parse().unwrap());
    while compacted > 0 && !cluster.held(&sought).is_empty() {
        let waited = began.elapsed();
        assert!(waited < Duration::from_secs(60 * compacted), "{:?}", cluster.held(&sought));
        std::thread::sleep(Duration::from_secs(1));
    }
    println!("{} logs of servers hold something", cluster.held(&sought).len());
}
