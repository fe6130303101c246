//! Clients that send commands under their ids until each is answered for good.

use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How long a client waits for one answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it waits before it sends the same command again.
const PAUSE: Duration = Duration::from_millis(100);

/// What was acknowledged: ids and the positions they were accepted at.
pub(crate) type Acknowledged = BTreeMap<String, u64>;

/// Clients at work.
pub(crate) struct Clients {
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Acknowledged>>,
}

impl Clients {
    /// Starts so many, each with ids of its own that no other round uses.
    pub(crate) fn start(client: &async_nats::Client, count: usize, round: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks = (0..count).map(|number| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut acknowledged = Acknowledged::new();
                for serial in 0.. {
                    if stop.load(Ordering::Acquire) {
                        break;
                    }
                    let id = format!("c-{round}-{number}-{serial}");
                    let position = accepted(&client, &id).await;
                    acknowledged.insert(id, position);
                }
                acknowledged
            })
        });
        Self { stop: Arc::clone(&stop), tasks: tasks.collect() }
    }

    /// Lets each have its last answer, and gives what all have got.
    pub(crate) async fn stop(self) -> Acknowledged {
        self.stop.store(true, Ordering::Release);
        let mut all = Acknowledged::new();
        for task in self.tasks {
            all.extend(task.await.unwrap());
        }
        all
    }
}

/// Sends one command until it is accepted, and gives its position.
async fn accepted(client: &async_nats::Client, id: &str) -> u64 {
    let data = json!({ "customer": id, "name": "A customer" });
    let document = json!({ "id": id, "type": "RegisterCustomer", "data": data }).to_string();
    loop {
        let subject = "chl.main.as.svc.cmd.RegisterCustomer";
        let asking = client.request(subject, document.clone().into());
        if let Ok(Ok(answer)) = tokio::time::timeout(PATIENCE, asking).await {
            let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
            match answer["outcome"].as_str() {
                Some("accepted") => return answer["position"].as_u64().unwrap(),
                Some("failed") => assert_eq!(answer["retry"], json!(true), "{answer}"),
                _ => panic!("{answer}"),
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}
