//! Told to stop: every request in hand is answered or given back, and the second signal is final.
//!
//! `CHL_STOPS` says how often, `CHL_SEED` when the signals come.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use async_nats::{Client, jetstream};
use chl_nats_servers::{Servers, Shape};
use cli::{Desk, Served};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

const ACTORS: &str = "[svc]\nrole = \"service\"\nsources = [\"/svc\"]\n";
/// So many requests are in flight when the signal comes; half as many more lie in the queue.
const IN_FLIGHT: usize = 64;
const QUEUED: usize = 32;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

fn serve(desk: &Desk, servers: &Servers) -> Served {
    let actors = desk.path("actors.toml");
    fs::write(&actors, ACTORS).unwrap();
    let actors = actors.display().to_string();
    desk.serve_with(&["--bus".into(), servers.urls()[0].clone(), "--actors".into(), actors])
}

fn customer(id: &str) -> String {
    let data = json!({ "customer": id, "name": "C" });
    json!({ "id": id, "type": "RegisterCustomer", "data": data }).to_string()
}

/// Sends a command once; none where nobody answers.
async fn once(client: Client, id: String) -> (String, Option<Value>) {
    let subject = "chl.main.as.svc.cmd.RegisterCustomer";
    let asking = client.request(subject, customer(&id).into());
    let answer = tokio::time::timeout(Duration::from_secs(5), asking).await;
    let answer = answer.ok().and_then(Result::ok);
    (id, answer.map(|answer| serde_json::from_slice(&answer.payload).unwrap()))
}

/// Sends a command until it is answered for good.
async fn for_good(client: &Client, id: &str) -> Value {
    loop {
        let (_, answer) = once(client.clone(), id.to_owned()).await;
        match answer {
            Some(answer) if answer["outcome"] != json!("failed") => return answer,
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// The positions of the commands in the log, by id; each stands there once.
fn logged(desk: &Desk) -> BTreeMap<String, u64> {
    let lines = desk.run(&["log", "tail", "--lines", "100000", "--output", "jsonl"]).json_lines();
    let mut found = BTreeMap::new();
    for line in lines.iter().filter(|line| line["source"] == json!("/svc")) {
        let id = line["id"].as_str().unwrap().to_owned();
        let again = found.insert(id.clone(), line["position"].as_u64().unwrap());
        assert_eq!(again, None, "{id} is in the log twice");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_hand_is_answered_or_given_back() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let (rounds, seed) = (from_environment("CHL_STOPS", 5), from_environment("CHL_SEED", 7));
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let desk = Desk::new();
    let client = async_nats::connect(servers.urls()).await.unwrap();
    let queue = jetstream::new(client.clone());
    let (mut unanswered, mut queued) = (0, Vec::new());
    for round in 0..rounds {
        let served = serve(&desk, &servers);
        for_good(&client, &format!("first-{round}")).await;
        let ids = (0..IN_FLIGHT).map(|number| format!("c-{round}-{number}"));
        let sent: Vec<_> = ids.map(|id| tokio::spawn(once(client.clone(), id))).collect();
        for number in 0..QUEUED {
            let id = format!("q-{round}-{number}");
            let subject = "chl.main.as.svc.queue.RegisterCustomer";
            queue.publish(subject, customer(&id).into()).await.unwrap().await.unwrap();
            queued.push(id);
        }
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..40_000))).await;
        let more: Vec<_> = (0..IN_FLIGHT)
            .map(|number| tokio::spawn(once(client.clone(), format!("d-{round}-{number}"))))
            .collect();
        tokio::time::sleep(Duration::from_micros(dice.random_range(0..10_000))).await;
        let code = tokio::task::spawn_blocking(move || served.stop()).await.unwrap();
        assert_eq!(code, 0, "round {round} of seed {seed}");
        let log = logged(&desk);
        let served = serve(&desk, &servers);
        for asked in sent.into_iter().chain(more) {
            let (id, answer) = asked.await.unwrap();
            let before = log.get(&id).copied();
            match &answer {
                Some(answer) if answer["outcome"] == json!("accepted") => {
                    assert_eq!(answer["position"].as_u64(), before, "{answer}");
                }
                Some(answer) => {
                    assert_eq!(answer["retry"], json!(true), "{answer}");
                    assert_eq!(before, None, "{answer}");
                }
                None => unanswered += 1,
            }
            let again = for_good(&client, &id).await;
            assert_eq!(again["outcome"], json!("accepted"), "{again}");
            assert_eq!(again["duplicate"], json!(before.is_some()), "{answer:?}, then {again}");
        }
        assert_eq!(served.stop(), 0);
    }
    // What was given back to the queue is decided by who comes next.
    let served = serve(&desk, &servers);
    for id in &queued {
        for_good(&client, &format!("after-{id}")).await;
    }
    let began = Instant::now();
    assert_eq!(served.stop(), 0);
    assert!(began.elapsed() < Duration::from_secs(10), "it was ended hard");
    let log = logged(&desk);
    let missing: Vec<_> = queued.iter().filter(|id| !log.contains_key(*id)).collect();
    assert!(missing.is_empty(), "{missing:?} of seed {seed}");
    println!("seed {seed}: {unanswered} of {} had no answer", rounds * 2 * IN_FLIGHT as u64);
}

#[test]
fn a_client_that_says_nothing_holds_nobody_up() {
    let desk = Desk::new();
    let served = desk.serve_with(&[]);
    let mut silent = UnixStream::connect(desk.path("main/socket")).unwrap();
    silent.read_exact(&mut [0]).expect("it was heard");
    let began = Instant::now();
    assert_eq!(served.stop(), 0);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn what_is_not_done_within_ten_seconds_is_not_waited_for() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&customer("c-1")).code, 0);
    let served = desk.serve_with(&[]);
    // Half a frame: whoever sent it might send the rest.
    let mut stuck = UnixStream::connect(desk.path("main/socket")).unwrap();
    stuck.write_all(&[0, 0, 0, 9, b'h']).unwrap();
    stuck.read_exact(&mut [0]).expect("it was heard");
    std::thread::sleep(Duration::from_millis(300));
    let began = Instant::now();
    assert_eq!(served.stop(), 1);
    let took = began.elapsed().as_secs();
    assert!((10..15).contains(&took), "{took} seconds");
    // As after a crash: nothing acknowledged is lost.
    assert_eq!(desk.submit(&customer("c-1")).json_lines()[0]["duplicate"], json!(true));
}
