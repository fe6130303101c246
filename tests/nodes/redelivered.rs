//! The same commands again and again, through both doors, in any order: one effect each.
//!
//! `CHL_REDELIVERED` says how many commands, `CHL_SEED` in which order they come.

use crate::{
    chaos::from_environment,
    cli::{partner_lines, programme_lines},
    node::Node,
};
use async_nats::{Client, jetstream, jetstream::consumer::pull::OrderedConfig};
use chl_nats_servers::{Servers, Shape};
use futures_util::{StreamExt, stream};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, time::Duration};

/// How often each command is sent.
const TIMES: usize = 3;
/// How many requests wait for their answers at once.
const IN_FLIGHT: usize = 64;
/// How long an answer, or the next result, may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A command: its type and its document.
#[derive(Debug, Clone)]
struct Command {
    kind: &'static str,
    document: String,
}

/// Commands of which none needs another, so that every order is a good one.
fn command(number: u64) -> Command {
    let id = format!("again-{number}");
    let money = |amount: &str| json!({ "amount": amount, "currency": "USD" });
    let (kind, data) = match number % 4 {
        0 => ("RegisterCustomer", json!({ "customer": id, "name": "A customer" })),
        1 => ("RecruitPartner", json!({ "partner": id, "name": "A", "types": ["reseller"] })),
        2 => (
            "AccrueCoop",
            json!({ "partner": "p-1", "programme": "gold", "sale": id, "sold_on": "2026-03-05",
                "net_amount": money("100.00") }),
        ),
        _ => (
            "RegisterDeal",
            json!({ "deal": id, "customer": "acme", "partner": "p-1", "programme": "gold",
                "product_line": id, "value": money("100.00") }),
        ),
    };
    let document = json!({ "id": id, "type": kind, "time": "2026-03-25T09:00:00Z", "data": data });
    Command { kind, document: document.to_string() }
}

/// Sends requests, so many at once, and gives their answers.
async fn requested(client: &Client, commands: Vec<Command>) -> Vec<Value> {
    let ask = async |Command { kind, document }: Command| {
        let subject = format!("chl.main.as.tester.cmd.{kind}");
        let asking = client.request(subject, document.into());
        let answer = tokio::time::timeout(PATIENCE, asking).await.unwrap().unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    };
    stream::iter(commands).map(ask).buffer_unordered(IN_FLIGHT).collect().await
}

/// Publishes to the queue, without ids that servers could know again, and gives the results.
async fn queued(client: &Client, commands: Vec<Command>) -> Vec<Value> {
    let context = jetstream::new(client.clone());
    let count = commands.len();
    for Command { kind, document } in commands {
        let subject = format!("chl.main.as.tester.queue.{kind}");
        context.publish(subject, document.into()).await.unwrap().await.unwrap();
    }
    let results = context.get_stream("chl-main-results").await.unwrap();
    let results = results.create_consumer(OrderedConfig::default()).await.unwrap();
    let mut messages = results.messages().await.unwrap();
    let mut found = Vec::new();
    while found.len() < count {
        let next = tokio::time::timeout(PATIENCE, messages.next()).await;
        let message = next.expect("a result is missing").unwrap().unwrap();
        found.push(serde_json::from_slice(&message.payload).unwrap());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_come_again_have_one_effect() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let (count, seed) =
        (from_environment("CHL_REDELIVERED", 1000), from_environment("CHL_SEED", 1));
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(folder.path(), &servers, 1);
    let before = folder.path().join("before");
    fs::write(&before, partner_lines() + &programme_lines()).unwrap();
    let told = node.ask(&["submit", &before.display().to_string()]);
    assert!(told.iter().all(|answer| answer["outcome"] == json!("accepted")), "{told:?}");
    let earned = |node: &Node| {
        let funds = node.ask(&["query", "balances", "--partner=p-1", "--lot=total"]);
        let amount = funds[0]["accrued"].as_str().unwrap().replace('.', "");
        amount.parse::<u64>().unwrap()
    };
    let earned_before = earned(&node);

    let mut dice = StdRng::seed_from_u64(seed);
    let mut all: Vec<Command> = (0..TIMES).flat_map(|_| (0..count).map(command)).collect();
    all.shuffle(&mut dice);
    let (by_request, by_queue): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|_| dice.random_range(0..2) == 0);
    println!("{} requests and {} in the queue, seed {seed}", by_request.len(), by_queue.len());
    node.start();
    node.wait_until_it_leads();
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let (answers, results) =
        tokio::join!(requested(&client, by_request), queued(&client, by_queue));
    assert_eq!(node.stop(), Some(0), "{}", node.said());

    let mut told: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mut answer in answers.into_iter().chain(results) {
        let id = answer["id"].as_str().unwrap().to_owned();
        assert_eq!(answer["outcome"], json!("accepted"), "{answer}");
        // Newest first, the one that is no duplicate before all.
        let duplicate = answer.as_object_mut().unwrap().remove("duplicate").unwrap();
        let of_id = told.entry(id).or_default();
        let place = if duplicate == json!(false) { 0 } else { of_id.len() };
        of_id.insert(place, json!({ "duplicate": duplicate, "answer": answer }));
    }
    assert_eq!(told.len() as u64, count);
    let mut stored: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for commit in node.ask(&["log", "view"]) {
        let id = commit["id"].as_str().unwrap().to_owned();
        stored.entry(id).or_default().push(commit["position"].clone());
    }
    for (id, of_id) in &told {
        let duplicates: Vec<bool> =
            of_id.iter().map(|one| one["duplicate"].as_bool().unwrap()).collect();
        assert_eq!(duplicates, [false, true, true], "{id}: {of_id:?}");
        assert!(of_id.iter().all(|one| one["answer"] == of_id[0]["answer"]), "{id}: {of_id:?}");
        assert_eq!(stored[id], [of_id[0]["answer"]["position"].clone()], "{id}");
    }
    // Two per cent of a hundred dollars for each sale, in cents.
    let sales = (0..count).filter(|number| number % 4 == 2).count() as u64;
    assert_eq!(earned(&node), earned_before + 200 * sales);
    let checks = node.ask(&["check"]);
    assert!(checks.iter().all(|check| check["holds"] == json!(true)), "{checks:?}");
}
