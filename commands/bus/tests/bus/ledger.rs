//! A ledger in memory for the tests of this crate, and lines to send to it.

use chl_bus::{
    Answer, Bus, Connection, LogError, ManualClock, MemoryKeys, Opening, Options, Parts, Prepared,
    StatesFile, Vault, prepare,
};
use chl_events::{ActorId, Instant, LedgerId};
use chl_log::{EventLog, MemoryLog};
use std::{path::Path, sync::Arc};

/// The id of every test's ledger.
pub(crate) const LEDGER: LedgerId = LedgerId([7; 16]);

/// So many seconds after 2026-03-01T09:00:00Z.
pub(crate) fn march(second: u32) -> Instant {
    let begin: Instant = "2026-03-01T09:00:00Z".parse().unwrap();
    Instant::from_micros(begin.micros() + i64::from(second) * 1_000_000)
}

/// What opens a ledger, kept to open it again.
#[derive(Clone)]
pub(crate) struct Given {
    pub(crate) log: MemoryLog,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: ManualClock,
    pub(crate) keys: Arc<MemoryKeys>,
}

impl Given {
    /// An empty ledger at 2026-03-01T09:00:00Z.
    pub(crate) fn new() -> Self {
        Self {
            log: MemoryLog::new(LEDGER),
            vault: Arc::new(Vault::in_memory().unwrap()),
            clock: ManualClock::new(march(0)),
            keys: Arc::default(),
        }
    }

    /// What a bus is made of around this ledger's log.
    pub(crate) fn parts(&self, states: Option<&Path>) -> Parts {
        let log = self.log.clone();
        Parts {
            log: Box::new(move || Ok::<Box<dyn EventLog>, LogError>(Box::new(log.clone()))),
            keys: self.keys.clone(),
            states: states.map(|path| StatesFile::open(path).unwrap()),
            vault: Arc::clone(&self.vault),
            clock: Box::new(self.clock.clone()),
            journal: None,
        }
    }

    pub(crate) fn open(&self) -> Bus {
        Bus::open(self.parts(None), &options()).unwrap()
    }
}

/// The bounds of a test's ledger.
pub(crate) fn options() -> Options {
    Options::new(Opening {
        name: "main".into(),
        origin: "test".into(),
        actor: ActorId::new("tester").unwrap(),
        recorded_at: None,
    })
}

/// The operating user.
pub(crate) fn operator() -> Connection {
    Connection {
        default_source: Some("/test".into()),
        ..Connection::operator(ActorId::new("op").unwrap())
    }
}

/// One of a partner's users.
pub(crate) fn partner(id: &str) -> Connection {
    Connection { role: chl_events::Role::Partner, partner: Some(id.parse().unwrap()), ..operator() }
}

/// A document: type, id, data.
pub(crate) fn line(kind: &str, id: &str, data: &str) -> String {
    format!(r#"{{"type":"{kind}","id":"{id}","data":{data}}}"#)
}

/// A customer to register.
pub(crate) fn customer(id: &str) -> String {
    line("RegisterCustomer", &format!("c-{id}"), &format!(r#"{{"customer":"{id}","name":"{id}"}}"#))
}

/// A partner to recruit.
pub(crate) fn recruit(id: &str) -> String {
    let data = format!(r#"{{"partner":"{id}","name":"{id} Ltd","types":["reseller"]}}"#);
    line("RecruitPartner", &format!("r-{id}"), &data)
}

/// Prepares a document that must be readable.
pub(crate) fn ready(line: &str, connection: &Connection) -> Prepared {
    prepare(line.as_bytes(), connection).unwrap_or_else(|answer| panic!("{answer:?}: {line}"))
}

/// Sends documents as the operator, one by one, and gives the answers.
pub(crate) fn send(bus: &Bus, lines: &[String]) -> Vec<Answer> {
    let connection = operator();
    let prepared = lines.iter().map(|line| ready(line, &connection)).collect();
    bus.client().submit_all(prepared).unwrap()
}

/// An answer as JSON.
pub(crate) fn json(answer: &Answer) -> serde_json::Value {
    serde_json::to_value(answer).unwrap()
}

/// A partner recruited, activated and enrolled in `gold`.
pub(crate) fn active(id: &str) -> Vec<String> {
    let data = format!(r#"{{"partner":"{id}"}}"#);
    let step = |kind: &str| line(kind, &format!("{kind}-{id}"), &data);
    let enrol = format!(r#"{{"partner":"{id}","programme":"gold"}}"#);
    vec![
        recruit(id),
        step("ApplyForProgramme"),
        step("ApprovePartner"),
        step("ActivatePartner"),
        line("EnrolPartner", &format!("EnrolPartner-{id}"), &enrol),
    ]
}

/// The programme `gold`: deals are approved at once and protected for ten days.
pub(crate) fn gold() -> String {
    line(
        "PublishProgramme",
        "gold",
        r#"{"programme":"gold","version":1,"effective_from":"2026-01-01","currency":"USD",
            "terms":{"deal_registration":{"protection_days":10,"approval":"auto",
            "conflict_rule":"first_registered"}}}"#,
    )
}

/// A deal registered at customer `acme`.
pub(crate) fn deal(deal: &str, partner: &str, customer: &str) -> String {
    let data = format!(
        r#"{{"deal":"{deal}","customer":"{customer}","partner":"{partner}","programme":"gold",
            "product_line":"gtx","value":{{"amount":"50000.00","currency":"USD"}}}}"#
    );
    line("RegisterDeal", &format!("RegisterDeal-{deal}"), &data)
}

/// The programme, two partners and a customer.
pub(crate) fn market() -> Vec<String> {
    let mut lines = vec![gold(), customer("acme")];
    lines.extend(active("p"));
    lines.extend(active("q"));
    lines
}

/// Puts a recorded time into a document, as an export does.
pub(crate) fn recorded(line: &str, second: u32) -> String {
    line.replacen('{', &format!(r#"{{"recordedtime":"{}","#, march(second)), 1)
}

/// Every commit of a log.
pub(crate) fn commits(log: &MemoryLog) -> Vec<chl_events::Commit> {
    let blocks = log.read(0).unwrap().map(Result::unwrap);
    let bytes: Vec<Vec<u8>> =
        blocks.flat_map(|block| block.commits().map(<[u8]>::to_vec).collect::<Vec<_>>()).collect();
    bytes.iter().map(|bytes| chl_events::Commit::decode(bytes).unwrap()).collect()
}
