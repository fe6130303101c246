//! The typed client.

use crate::stage::Stage;
use chl_bus_nats::{ClientError, LedgerClient, Queue, QueueOptions, Reply};
use chl_commands::{Command, partner::RecruitPartner};
use chl_events::Code;
use chl_log::EventLog;
use serde_json::json;
use std::time::Duration;

fn recruit(id: &str) -> Command {
    let data = json!({ "partner": id, "name": "A partner", "types": ["reseller"] });
    serde_json::from_value::<RecruitPartner>(data).unwrap().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_sent_until_it_is_answered() {
    let Some(stage) = Stage::set().await else { return };
    let main = Code::new("main").unwrap();
    let client = LedgerClient::new(stage.nats.clone(), main, "svc".parse().unwrap());
    let mut hasty = client.clone();
    hasty.patience = Duration::from_millis(300);
    let nobody = hasty.command("1", &recruit("p-1")).await.unwrap_err();
    assert!(matches!(nobody, ClientError::Unanswered(_)), "{nobody}");
    // Nobody leads yet: it waits until somebody does.
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.command("1", &recruit("p-1")).await.unwrap() })
    };
    tokio::time::sleep(Duration::from_millis(500)).await;
    let door = stage.door().await;
    let Reply::Accepted { duplicate, position, stream, events, .. } = waiting.await.unwrap() else {
        panic!("it was refused");
    };
    assert_eq!((duplicate, position, stream.as_str()), (false, Some(1), "partner/p-1"));
    assert_eq!(events[0]["type"], json!("PartnerRecruited"));
    let again = client.command("1", &recruit("p-1")).await.unwrap();
    assert!(matches!(again, Reply::Accepted { duplicate: true, position: Some(1), .. }));
    let taken = client.command("2", &recruit("p-1")).await.unwrap();
    assert!(
        matches!(taken, Reply::Rejected { ref code, .. } if code == "partner.known"),
        "{taken:?}"
    );
    let refused = client.query("nothing", &json!({})).await.unwrap_err();
    assert!(matches!(refused, ClientError::Refused { ref code, .. } if code == "query.unknown"));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_published_and_decided_later() {
    let Some(stage) = Stage::set().await else { return };
    let options = QueueOptions::default();
    Queue::open(&stage.nats, &stage.behind(), options).await.unwrap().close().await;
    let main = Code::new("main").unwrap();
    let client = LedgerClient::new(stage.nats.clone(), main, "svc".parse().unwrap());
    client.publish("1", &recruit("p-1")).await.unwrap();
    assert_eq!(stage.log.head().next, 1);
    let queue = Queue::open(&stage.nats, &stage.behind(), options).await.unwrap();
    let began = std::time::Instant::now();
    while stage.log.head().next < 2 {
        assert!(began.elapsed() < Duration::from_secs(20), "it was not decided");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    queue.close().await;
}
