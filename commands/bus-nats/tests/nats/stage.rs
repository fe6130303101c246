//! A ledger in memory behind a door on a real server.

use chl_bus::{
    Actors, Asker, Bus, LogError, MemoryKeys, Opening, Options, Parts, SystemClock, Unanswered,
    Vault,
};
use chl_bus_nats::{Behind, Door, Limits, Questions};
use chl_events::{ActorId, Code, LedgerId};
use chl_log::{EventLog, MemoryLog};
use chl_nats_servers::{Servers, Shape};
use serde_json::{Value, json};
use std::sync::Arc;

const ACTORS: &str = r#"
[svc]
role = "service"
sources = ["/svc"]

[p-1-app]
role = "partner"
partner = "p-1"

[ops]
role = "operator"
sources = "any"

[slow]
role = "service"
per_second = 2
"#;

/// A server, a ledger, and a client of it.
pub(crate) struct Stage {
    pub(crate) nats: async_nats::Client,
    pub(crate) bus: Bus,
    pub(crate) log: MemoryLog,
    pub(crate) vault: Arc<Vault>,
    _servers: Servers,
}

/// Answers with who asked what.
struct Echo;

impl Questions for Echo {
    fn ask(&self, name: &str, body: &[u8], asker: &Asker) -> Result<Vec<u8>, Unanswered> {
        if name == "nothing" {
            return Err(Unanswered::refused("query.unknown", "no such question"));
        }
        let size = if name == "large" { 2 << 20 } else { 0 };
        let partner = asker.partner.as_ref().map(ToString::to_string);
        let body = String::from_utf8_lossy(body);
        Ok(json!({ "name": name, "body": body, "actor": asker.actor, "partner": partner,
            "filling": "x".repeat(size) })
        .to_string()
        .into_bytes())
    }
}

impl Stage {
    /// Everything but a door; none without a server's program.
    pub(crate) async fn set() -> Option<Self> {
        Self::set_with(async |_| Vault::in_memory().unwrap()).await
    }

    /// The same, with a vault that is opened on the server.
    pub(crate) async fn set_with(
        vault: impl AsyncFnOnce(&async_nats::Client) -> Vault,
    ) -> Option<Self> {
        let servers = Servers::start(Shape::One).unwrap()?;
        let nats = async_nats::connect(servers.urls()).await.unwrap();
        let log = MemoryLog::new(LedgerId([7; 16]));
        let vault = Arc::new(vault(&nats).await);
        let opened = log.clone();
        let parts = Parts {
            log: Box::new(move || Ok::<Box<dyn EventLog>, LogError>(Box::new(opened.clone()))),
            keys: Arc::new(MemoryKeys::default()),
            states: None,
            vault: Arc::clone(&vault),
            clock: Box::new(SystemClock::new()),
            journal: None,
        };
        let actor = ActorId::new("tester").unwrap();
        let opening =
            Opening { name: "main".into(), origin: "main".into(), actor, recorded_at: None };
        let bus = Bus::open(parts, &Options::new(opening)).unwrap();
        Some(Self { nats, bus, log, vault, _servers: servers })
    }

    /// What a door leads to.
    pub(crate) fn behind(&self) -> Behind {
        Behind {
            ledger: Code::new("main").unwrap(),
            client: self.bus.client(),
            vault: Some(Arc::clone(&self.vault)),
            actors: Arc::new(Actors::parse(ACTORS).unwrap()),
            questions: Arc::new(Echo),
            trust_bus: false,
        }
    }

    /// The door, open.
    pub(crate) async fn door(&self) -> Door {
        Door::open(&self.nats, self.behind(), Limits::default()).await.unwrap()
    }

    /// Sends a message and waits for its answer.
    pub(crate) async fn ask(&self, subject: &str, body: impl Into<String>) -> Value {
        let answer = self.nats.request(subject.to_owned(), body.into().into()).await.unwrap();
        serde_json::from_slice(&answer.payload).unwrap()
    }
}

/// A document: type, id, data.
pub(crate) fn line(kind: &str, id: &str, data: Value) -> String {
    json!({ "type": kind, "id": id, "data": data }).to_string()
}

/// A partner to recruit.
pub(crate) fn recruit(id: &str) -> String {
    let data = json!({ "partner": id, "name": format!("{id} Ltd"), "types": ["reseller"] });
    line("RecruitPartner", &format!("r-{id}"), data)
}
