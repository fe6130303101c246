//! Partners' feeds: what concerns each, once, and what was missed.

use crate::stage::{Stage, line, recruit};
use async_nats::jetstream;
use chl_bus::{Parties, PartiesError};
use chl_bus_nats::{FeedReader, Feeds, FeedsOptions, Missed, MissedError};
use chl_events::{Code, ConflictId, DealId, PartnerId};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

/// Of a history without deals nobody asks.
struct Nobody;

impl Parties for Nobody {
    fn of_deal(&self, deal: &DealId) -> Result<Option<PartnerId>, PartiesError> {
        Err(PartiesError(format!("nobody knows {deal}").into()))
    }

    fn of_conflict(&self, conflict: &ConflictId) -> Result<Vec<PartnerId>, PartiesError> {
        Err(PartiesError(format!("nobody knows {conflict}").into()))
    }
}

fn main_ledger() -> Code {
    Code::new("main").unwrap()
}

fn publishing(stage: &Stage, from: u64) -> Feeds {
    let partners: BTreeSet<PartnerId> =
        ["p-1", "p-2"].map(|partner| partner.parse().unwrap()).into();
    let remembered = Duration::from_secs(1);
    let options = FeedsOptions { from: Some(from), remembered, ..FeedsOptions::default() };
    let read = (stage.bus.reader(), Arc::new(Nobody) as Arc<dyn Parties>);
    Feeds::open(&stage.nats, &main_ledger(), read, partners, options)
}

async fn missed(
    stage: &Stage,
    partner: &str,
    after: Option<String>,
    limit: usize,
) -> Result<Missed, MissedError> {
    let reader = FeedReader::new(&stage.nats, &main_ledger());
    let partner: PartnerId = partner.parse().unwrap();
    let asked = move || reader.read(&partner, after.as_deref(), limit);
    tokio::task::spawn_blocking(asked).await.unwrap()
}

/// So many events of a partner's feed, once they are there.
async fn fed(stage: &Stage, partner: &str, count: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        // Until the first one leaves, the stream may not be there.
        let found = missed(stage, partner, None, 1000).await.map(|missed| missed.events);
        match found {
            Ok(events) if events.len() >= count => return events,
            other => assert!(began.elapsed() < Duration::from_secs(20), "{other:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn told(stage: &Stage, kind: &'static str, id: &str, body: String) {
    let answer = stage.ask(&format!("chl.main.as.svc.cmd.{kind}"), body).await;
    assert_eq!(answer["outcome"], json!("accepted"), "{id}: {answer}");
}

async fn recruited(stage: &Stage, partner: &str) {
    told(stage, "RecruitPartner", partner, recruit(partner)).await;
}

async fn applied(stage: &Stage, partner: &str) {
    let body = line("ApplyForProgramme", &format!("a-{partner}"), json!({ "partner": partner }));
    let subject = "chl.main.as.p-1-app.cmd.ApplyForProgramme";
    assert_eq!(stage.ask(subject, body).await["outcome"], json!("accepted"));
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_hears_what_concerns_it_and_nothing_of_others() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    let mut live = stage.nats.subscribe("chl.main.partner.p-1.>").await.unwrap();
    let feeds = publishing(&stage, 0);
    for partner in ["p-1", "p-2", "p-3"] {
        recruited(&stage, partner).await;
    }
    applied(&stage, "p-1").await;
    let own = fed(&stage, "p-1", 2).await;
    assert_eq!(kinds(&own), ["PartnerRecruited", "PartnerApplied"]);
    for others in ["p-2", "p-3", "position", "streamversion", "r-p-1"] {
        assert!(!json!(own).to_string().contains(others), "{others} in {own:?}");
    }
    // Of its own command a partner knows the id; of a service's it learns none.
    assert_eq!((&own[0]["commandid"], &own[1]["commandid"]), (&Value::Null, &json!("a-p-1")));
    for event in &own {
        let heard = tokio::time::timeout(Duration::from_secs(20), live.next()).await.unwrap();
        let heard = heard.unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&heard.payload).unwrap(), *event);
        assert_eq!(
            heard.subject.as_str(),
            format!("chl.main.partner.p-1.{}", event["type"].as_str().unwrap())
        );
    }
    assert_eq!(kinds(&fed(&stage, "p-2", 1).await), ["PartnerRecruited"]);
    let nobodys = missed(&stage, "p-3", None, 10).await.unwrap();
    assert_eq!(nobodys, Missed { events: Vec::new(), more: false }, "p-3 has no feed");
    drop(feeds);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_asked_for_by_the_last_id() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    let feeds = publishing(&stage, 0);
    recruited(&stage, "p-1").await;
    applied(&stage, "p-1").await;
    let all = fed(&stage, "p-1", 2).await;
    let id = |at: usize| Some(all[at]["id"].as_str().unwrap().to_owned());
    let first = missed(&stage, "p-1", None, 1).await.unwrap();
    assert_eq!(first, Missed { events: all[..1].to_vec(), more: true });
    let rest = missed(&stage, "p-1", id(0), 10).await.unwrap();
    assert_eq!(rest, Missed { events: all[1..].to_vec(), more: false });
    assert_eq!(missed(&stage, "p-1", id(1), 10).await.unwrap().events, Vec::<Value>::new());
    for (partner, after) in [("p-1", Some("unknown".to_owned())), ("p-2", id(0))] {
        let gone = missed(&stage, partner, after, 10).await.unwrap_err();
        assert!(matches!(gone, MissedError::Gone(_)), "{gone}");
    }
    drop(feeds);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_go_on_where_they_ended_and_nothing_comes_twice() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    recruited(&stage, "p-1").await;
    let feeds = publishing(&stage, 0);
    let before = fed(&stage, "p-1", 1).await;
    drop(feeds);
    applied(&stage, "p-1").await;
    // As after a crash behind the events and before the note of how far they go: all is looked
    // through again, when the servers have long forgotten the ids.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let noted = jetstream::new(stage.nats.clone()).get_stream("chl-main-feeds").await.unwrap();
    noted.purge().await.unwrap();
    let feeds = publishing(&stage, 0);
    let after = fed(&stage, "p-1", 2).await;
    assert_eq!(kinds(&after), ["PartnerRecruited", "PartnerApplied"]);
    assert_eq!(after[0], before[0]);
    drop(feeds);
    // From the note on nothing is looked through again, whatever `from` says.
    let feeds = publishing(&stage, 2);
    recruited(&stage, "p-2").await;
    assert_eq!(fed(&stage, "p-2", 1).await.len(), 1);
    assert_eq!(fed(&stage, "p-1", 2).await, after);
    drop(feeds);
    door.close().await;
}
