//! Events out: in order, once, and resumed where they ended.

use crate::stage::{Stage, recruit};
use async_nats::jetstream::{self, consumer::pull::OrderedConfig};
use chl_bus_nats::{Events, EventsOptions};
use chl_events::Code;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;

async fn recruited(stage: &Stage, from: usize, to: usize) {
    for number in from..to {
        let subject = "chl.main.as.svc.cmd.RecruitPartner";
        let answer = stage.ask(subject, recruit(&format!("p-{number}"))).await;
        assert_eq!(answer["outcome"], json!("accepted"));
    }
}

/// So many events of the stream, from its beginning.
async fn events(stage: &Stage, count: usize, filter: &str) -> Vec<(String, Value)> {
    let stream = jetstream::new(stage.nats.clone()).get_stream("chl-main-events").await.unwrap();
    let filtered = OrderedConfig { filter_subject: filter.to_owned(), ..Default::default() };
    let mut messages = stream.create_consumer(filtered).await.unwrap().messages().await.unwrap();
    let mut found = Vec::new();
    while found.len() < count {
        let next = tokio::time::timeout(Duration::from_secs(20), messages.next()).await;
        let message = next.expect("an event is missing").unwrap().unwrap();
        let document = serde_json::from_slice(&message.payload).unwrap();
        found.push((message.subject.to_string(), document));
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn events_leave_in_order_and_go_on_where_they_ended() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    let options = EventsOptions { from: Some(1), ..EventsOptions::default() };
    let open = || async {
        let (nats, main) = (stage.nats.clone(), Code::new("main").unwrap());
        let traces = stage.bus.client().traces();
        Events::open(&nats, &main, (stage.bus.reader(), traces), options).await.unwrap()
    };
    recruited(&stage, 0, 40).await;
    let publishing = open().await;
    recruited(&stage, 40, 60).await;
    events(&stage, 60, "chl.main.event.>").await;
    drop(publishing);
    // What happens meanwhile is not missed, and nothing comes twice.
    recruited(&stage, 60, 80).await;
    let publishing = open().await;
    recruited(&stage, 80, 90).await;
    let all = events(&stage, 90, "chl.main.event.>").await;
    for (number, (subject, event)) in all.iter().enumerate() {
        assert_eq!(event["id"], json!(format!("{}.0", number + 1)));
        assert_eq!(*subject, format!("chl.main.event.PartnerRecruited.partner.p-{number}"));
        assert_eq!(event["subject"], json!(format!("partner/p-{number}")));
        assert_eq!(event["data"]["partner"], json!(format!("p-{number}")));
    }
    let one = events(&stage, 1, "chl.main.event.*.partner.p-77").await;
    assert_eq!(one[0].1["position"], json!(78));
    drop(publishing);
    door.close().await;
}
