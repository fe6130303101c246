//! Commands to publish and go.

use crate::stage::{Stage, line, recruit};
use async_nats::{HeaderMap, jetstream};
use chl_bus_nats::{Deal, Parking, ParkingError, Queue, QueueOptions};
use chl_events::{Code, Instant};
use chl_log::EventLog;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

const SUBJECT: &str = "chl.main.as.svc.queue.RecruitPartner";

async fn put(stage: &Stage, subject: &'static str, body: String) {
    let sent = jetstream::new(stage.nats.clone()).publish(subject, body.into()).await.unwrap();
    sent.await.unwrap();
}

/// So many results, in the order they were kept.
async fn results(stage: &Stage, count: usize) -> Vec<Value> {
    let stream = jetstream::new(stage.nats.clone()).get_stream("chl-main-results").await.unwrap();
    let ordered = jetstream::consumer::pull::OrderedConfig::default();
    let mut messages = stream.create_consumer(ordered).await.unwrap().messages().await.unwrap();
    let mut found = Vec::new();
    while found.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(20), messages.next()).await;
        let message = next.expect("a result is missing").unwrap().unwrap();
        found.push(serde_json::from_slice(&message.payload).unwrap());
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_before_the_ledger_was_there_is_decided_in_order() {
    let Some(stage) = Stage::set().await else { return };
    // The streams outlive the worker: while nobody works, commands wait.
    Queue::open(&stage.nats, &stage.behind(), QueueOptions::default()).await.unwrap().close().await;
    for number in 0..40 {
        put(&stage, SUBJECT, recruit(&format!("p-{number}"))).await;
    }
    put(&stage, SUBJECT, recruit("p-7")).await;
    assert_eq!(stage.log.head().next, 1);
    let queue = Queue::open(&stage.nats, &stage.behind(), QueueOptions::default()).await.unwrap();
    let found = results(&stage, 41).await;
    let mut positions: Vec<(u64, bool)> = found
        .iter()
        .map(|one| (one["position"].as_u64().unwrap(), one["duplicate"].as_bool().unwrap()))
        .collect();
    positions.sort_unstable();
    let mut expected: Vec<(u64, bool)> = (1..=40).map(|position| (position, false)).collect();
    expected.insert(8, (8, true));
    assert_eq!(positions, expected);
    let named = found.iter().find(|one| one["position"] == json!(12)).unwrap();
    assert_eq!(named["id"], json!("r-p-11"), "they were decided in the order of the queue");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_command_is_parked_with_its_reason() {
    let Some(stage) = Stage::set().await else { return };
    let queue = Queue::open(&stage.nats, &stage.behind(), QueueOptions::default()).await.unwrap();
    put(&stage, SUBJECT, "no json\nat all".into()).await;
    put(&stage, "chl.main.as.nobody.queue.RecruitPartner", recruit("p-1")).await;
    put(
        &stage,
        "chl.main.as.svc.queue.ApprovePartner",
        line("ApprovePartner", "1", json!({ "partner": "p" })),
    )
    .await;
    put(&stage, SUBJECT, recruit("p-2")).await;
    let codes: Vec<Value> =
        results(&stage, 4).await.iter().map(|one| one["code"].clone()).collect();
    let known = ["command.malformed", "not_permitted.actor", "not_permitted.role"];
    for code in known {
        assert!(codes.contains(&json!(code)), "{code} is missing in {codes:?}");
    }
    let parking = Parking::of(&stage.nats, &Code::new("main").unwrap());
    let mut parked = parking.list().await.unwrap();
    parked.sort_by(|one, other| one.code.cmp(&other.code));
    let codes: Vec<_> = parked.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["command.malformed", "not_permitted.actor"], "a refusal is an answer");
    assert_eq!(parked[0].document, b"no json\nat all");
    assert!(parked[0].message.contains("line 1"), "{:?}", parked[0]);
    parked[0].at.parse::<Instant>().unwrap();
    assert_eq!((parked[1].actor.as_str(), parked[1].name.as_str()), ("nobody", "RecruitPartner"));
    // One is mended and sent, the other taken out, and both leave a note.
    let (ops, svc) = ("ops".parse().unwrap(), "svc".parse().unwrap());
    let mended = recruit("p-3");
    let document = mended.as_bytes();
    let send = Deal::Send { sent_as: &svc, name: "RecruitPartner", document };
    parking.settle(&parked[0], &send, &ops).await.unwrap();
    parking.settle(&parked[1], &Deal::Drop { reason: "a stranger\ntwice" }, &ops).await.unwrap();
    assert_eq!(parking.list().await.unwrap(), []);
    let again = parking.one(parked[0].sequence).await.unwrap_err();
    assert!(matches!(again, ParkingError::Unknown(_)), "{again}");
    let answered = results(&stage, 5).await;
    assert!(answered.iter().any(|one| one["id"] == json!("r-p-3")), "{answered:?}");
    let settled = parking.settled().await.unwrap();
    let done: Vec<_> = settled.iter().map(|one| (one.done.as_str(), one.by.as_str())).collect();
    assert_eq!(done, [("sent", "ops"), ("dropped", "ops")]);
    assert_eq!(settled[0].sent_as, "svc");
    assert_eq!(settled[1].reason, "a stranger twice");
    let documents = settled.iter().zip(&parked).all(|(one, was)| {
        one.parked.document == was.document && one.parked.sequence == was.sequence
    });
    assert!(documents, "the notes have the documents as they were: {settled:?}");
    queue.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_is_answered_and_nothing_else() {
    let Some(stage) = Stage::set().await else { return };
    let queue = Queue::open(&stage.nats, &stage.behind(), QueueOptions::default()).await.unwrap();
    let inbox = stage.nats.new_inbox();
    let mut answers = stage.nats.subscribe(inbox.clone()).await.unwrap();
    let mut elsewhere = stage.nats.subscribe("chl.main.as.p-1-app.>").await.unwrap();
    let context = jetstream::new(stage.nats.clone());
    for (id, to) in [("p-1", "chl.main.as.p-1-app.cmd.X"), ("p-2", inbox.as_str())] {
        let mut headers = HeaderMap::new();
        headers.insert("Chl-Reply-To", to);
        let sent =
            context.publish_with_headers(SUBJECT, headers, recruit(id).into()).await.unwrap();
        sent.await.unwrap();
    }
    let answer = tokio::time::timeout(Duration::from_secs(20), answers.next()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.unwrap().payload).unwrap();
    assert_eq!((&answer["id"], &answer["outcome"]), (&json!("r-p-2"), &json!("accepted")));
    results(&stage, 2).await;
    let nothing = tokio::time::timeout(Duration::from_millis(200), elsewhere.next()).await;
    assert!(nothing.is_err(), "a sender's word made the ledger publish elsewhere");
    queue.close().await;
}
