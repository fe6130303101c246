//! Several ledgers on one set of processes: spread over them, taken over when one dies, and none
//! hindered by another's trouble.

use crate::node::Node;
use async_nats::{
    Client,
    jetstream::{self, stream},
};
use chl_nats_servers::{Servers, Shape};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    time::{Duration, Instant},
};

const LEDGERS: [&str; 3] = ["main", "apac", "emea"];
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn wait_until(what: &str, nodes: &[Node], mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        let said: Vec<String> = nodes.iter().map(Node::said).collect();
        assert!(began.elapsed() < PATIENCE, "{what}: {said:#?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Which of the nodes leads each ledger.
fn leaders(nodes: &[Node]) -> [Option<usize>; 3] {
    LEDGERS.map(|ledger| nodes.iter().position(|node| node.leads_ledger(ledger)))
}

/// Registers a customer with a ledger, again and again until it is answered.
async fn register(client: &Client, ledger: &str, customer: &str) -> Value {
    let data = json!({ "customer": customer, "name": "A customer" });
    let document = json!({ "id": customer, "type": "RegisterCustomer", "data": data }).to_string();
    let subject = format!("chl.{ledger}.as.svc.cmd.RegisterCustomer");
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "{ledger} does not answer");
        let asking = client.request(subject.clone(), document.clone().into());
        if let Ok(Ok(answer)) = tokio::time::timeout(Duration::from_secs(2), asking).await {
            let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
            if answer["retry"] != json!(true) {
                return answer;
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_ledgers_spread_over_three_processes_and_outlive_one() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let node = |number: usize| {
        let dir = folder.path().join(format!("node-{number}"));
        Node::new(&dir, &servers, 1).serving(&LEDGERS)
    };
    let mut nodes = [node(0), node(1), node(2)];
    nodes.iter_mut().for_each(Node::start);
    wait_until("each ledger has a leader", &nodes, || leaders(&nodes).iter().all(Option::is_some));
    let mut led: Vec<usize> = leaders(&nodes).into_iter().flatten().collect();
    println!("led at first by {led:?}");
    led.sort_unstable();
    assert_eq!(led, [0, 1, 2], "each process leads one");
    let client = async_nats::connect(servers.urls()).await.unwrap();
    for ledger in LEDGERS {
        let answer = register(&client, ledger, &format!("first-of-{ledger}")).await;
        assert_eq!((&answer["outcome"], &answer["position"]), (&json!("accepted"), &json!(1)));
    }
    let victim = leaders(&nodes)[1].unwrap();
    nodes[victim].kill();
    let began = Instant::now();
    wait_until("the killed process' ledger has a leader", &nodes, || {
        leaders(&nodes)[1].is_some_and(|leader| leader != victim)
    });
    println!("taken over after {:?}", began.elapsed());
    for ledger in LEDGERS {
        let again = register(&client, ledger, &format!("first-of-{ledger}")).await;
        assert_eq!((&again["duplicate"], &again["position"]), (&json!(true), &json!(1)), "{again}");
        let answer = register(&client, ledger, &format!("second-of-{ledger}")).await;
        assert_eq!((&answer["outcome"], &answer["position"]), (&json!("accepted"), &json!(2)));
    }
    for node in nodes.iter_mut().filter(|node| node.runs()) {
        assert_eq!(node.stop(), Some(0), "{}", node.said());
    }
}

/// What the health page says, as its status line and document.
fn health(address: &str) -> (String, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /health/ready HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trouble_of_one_ledger_is_not_the_others() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let context = jetstream::new(client.clone());
    // Somebody made a stream of its name that no ledger may live in.
    let wrong = stream::Config {
        name: "chl-apac-log".into(),
        subjects: vec!["chl.apac.log".into()],
        storage: stream::StorageType::Memory,
        ..Default::default()
    };
    context.create_stream(wrong).await.unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut node = Node::new(folder.path(), &servers, 1)
        .serving(&["main", "apac"])
        .with(format!("--http={free}"));
    node.start();
    node.wait_until_it_leads();
    let answer = register(&client, "main", "c-1").await;
    assert_eq!(answer["outcome"], json!("accepted"), "{answer}");
    let nodes = std::slice::from_ref(&node);
    wait_until("the trouble is told", nodes, || node.said().contains("ledger \"apac\""));
    let (status, ready) = health(&free);
    assert!(status.contains("503"), "{status}: {ready}");
    let of =
        |name: &str| ready["ledgers"].as_array().unwrap().iter().find(|one| one["ledger"] == name);
    assert_eq!(of("main").unwrap()["ready"], json!(true), "{ready}");
    assert_eq!(of("apac").unwrap()["ready"], json!(false), "{ready}");
    let what = of("apac").unwrap()["trouble"]["what"].as_str().unwrap();
    assert!(what.contains("storage"), "{ready}");
    // Once it is mended, the ledger is served without another word.
    context.delete_stream("chl-apac-log").await.unwrap();
    let answer = register(&client, "apac", "c-1").await;
    assert_eq!(answer["position"], json!(1), "{answer}");
    assert!(health(&free).0.contains("200"));
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}

#[test]
fn only_a_process_on_servers_serves_several() {
    let folder = tempfile::tempdir().unwrap();
    let run = |call: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_chl"));
        let output = command.arg("--data").arg(folder.path()).args(call).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (call, named) in [
        (["--ledger=a", "--ledger=b", "serve"].as_slice(), "--nats"),
        (&["--ledger=a", "--ledger=b", "query", "deals"], "chl serve --nats"),
        (&["--ledger=a", "--ledger=a", "serve"], "twice"),
    ] {
        let (code, said) = run(call);
        assert!(code == Some(2) && said.contains(named), "{call:?}: {code:?} {said}");
    }
}
