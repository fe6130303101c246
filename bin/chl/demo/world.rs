//! The world of the demo: who is there, what has been sent about them, and what comes next.

use super::agenda::{Agenda, DAY, HOUR, SECOND, YEAR_START};
use super::claims::{Claim, ClaimStep};
use super::deals::DealStep;
use super::dice::Dice;
use super::mdf::{Request, RequestStep};
use super::partners::{LifeStep, Partner};
use super::programmes::{PROGRAMMES, Programme};
use super::slots::Deals;
use chl_events::Date;
use serde_json::{Map, Value, json};
use std::collections::VecDeque;

/// Where a partner stands, as far as what was sent tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not yet active.
    Coming,
    Active,
    Suspended,
    Terminated,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Task {
    /// Programmes and budgets are set up.
    Open,
    /// The second version of a programme is published.
    Republish,
    /// Budgets of the first half are closed, those of the second opened.
    HalfYear,
    /// A partner's funds are topped up.
    Allocate { half: u8 },
    /// The next of a kind comes in.
    Arrive(Flow),
    /// A partner's life goes on.
    Life(usize, LifeStep),
    /// A deal goes on.
    Deal(u64, DealStep),
    /// A sale is returned: all of it, or the half.
    Return { partner: usize, programme: usize, sale: String, amount: i64 },
    /// A lot's earning period is over.
    CloseLot { partner: usize, programme: usize, lot: String },
    /// A lot has expired.
    ExpireLot { partner: usize, programme: usize, lot: String },
    /// A claim goes on.
    Claim(Box<Claim>, ClaimStep),
    /// A request goes on.
    Request(Box<Request>, RequestStep),
}

/// What comes in all year long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// Registrations.
    Deals,
    /// Sales.
    Sales,
    /// Claims on co-op.
    Claims,
    /// Requests for MDF.
    Requests,
    /// What somebody gets wrong.
    Mistakes,
}

/// A sender, as its connection would say.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    source: &'static str,
    role: &'static str,
    actor: String,
    partner: Option<String>,
    level: Option<u8>,
}

impl Sender {
    /// A channel manager of a level.
    pub(super) fn manager(level: u8, number: u64) -> Self {
        let actor = format!("cm{level}-{number}");
        let level = Some(level);
        Self { source: "/crm", role: "channel_manager", actor, partner: None, level }
    }

    /// Somebody of finance.
    pub(super) fn finance(name: &str) -> Self {
        let actor = format!("fin-{name}");
        Self { source: "/finance", role: "finance", actor, partner: None, level: None }
    }

    /// One of the vendor's services.
    pub(super) fn service(source: &'static str) -> Self {
        let actor = format!("svc{}", source.replace('/', "-"));
        Self { source, role: "service", actor, partner: None, level: None }
    }

    /// A partner's own user.
    pub(super) fn partner(id: &str) -> Self {
        let actor = format!("u-{id}");
        let partner = Some(id.to_owned());
        Self { source: "/portal", role: "partner", actor, partner, level: None }
    }
}

/// The world.
#[derive(Debug)]
pub(super) struct World {
    /// Chance.
    pub(super) dice: Dice,
    /// The moment, in microseconds since 1970.
    pub(super) now: i64,
    /// What is to be done.
    pub(super) agenda: Agenda<Task>,
    /// The partners, the busiest first.
    pub(super) partners: Vec<Partner>,
    /// How many customers are registered.
    pub(super) customers: u64,
    /// The deals that are not over.
    pub(super) deals: Deals,
    /// The last ordinary command, to be sent once more.
    pub(super) last: Option<String>,
    out: VecDeque<String>,
    sent: u64,
    named: u64,
}

impl World {
    /// An empty one, as the year begins.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::of(seed),
            now: YEAR_START,
            agenda: Agenda::new(),
            partners: Vec::new(),
            customers: 0,
            deals: Deals::default(),
            last: None,
            out: VecDeque::new(),
            sent: 0,
            named: 0,
        }
    }

    /// The next line that was sent.
    pub(super) fn take(&mut self) -> Option<String> {
        self.out.pop_front()
    }

    /// Sends a command a moment after the one before.
    pub(super) fn send(&mut self, kind: &str, sender: Sender, data: Value) {
        self.sent += 1;
        let id = format!("{}-{}", sender.actor, self.sent);
        self.send_as(&id, kind, sender, data);
    }

    /// Sends a command under an id that may have been used before.
    pub(super) fn send_as(&mut self, id: &str, kind: &str, sender: Sender, mut data: Value) {
        self.now += SECOND;
        if let Value::Object(fields) = &mut data {
            fields.retain(|_, value| !value.is_null());
        }
        let mut document = Map::new();
        let mut put = |name: &str, value: Value| document.insert(name.into(), value);
        put("specversion", "1.0".into());
        put("id", id.into());
        put("source", sender.source.into());
        put("type", kind.into());
        put("recordedtime", instant(self.now).into());
        put("actor", sender.actor.into());
        put("role", sender.role.into());
        if let Some(partner) = sender.partner {
            put("partner", partner.into());
        }
        if let Some(level) = sender.level {
            put("level", level.into());
        }
        put("data", data);
        let line = Value::Object(document).to_string();
        self.last = Some(line.clone());
        self.out.push_back(line);
    }

    /// Sends a line once more, as a sender does who had no answer.
    pub(super) fn send_again(&mut self) {
        let Some(line) = self.last.clone() else { return };
        self.out.push_back(line);
    }

    /// Puts a task down for later.
    pub(super) fn later(&mut self, after: i64, task: Task) {
        self.agenda.put(self.now + after, task);
    }

    /// A time between so many days and so many, at any hour.
    pub(super) fn days(&mut self, least: i64, most: i64) -> i64 {
        self.dice.between(least * DAY, most * DAY - HOUR)
    }

    /// A new identifier with a prefix.
    pub(super) fn name(&mut self, prefix: &str) -> String {
        self.named += 1;
        format!("{prefix}-{:06}", self.named)
    }

    /// A channel manager of a level.
    pub(super) fn manager(&mut self, level: u8) -> Sender {
        let number = self.dice.below(if level == 1 { 8 } else { 2 });
        Sender::manager(level, number + 1)
    }

    /// Digits of a document's digest.
    pub(super) fn digest(&mut self) -> String {
        (0..4).map(|_| format!("{:016x}", self.dice.below(u64::MAX))).collect()
    }

    /// Proof of an activity: its invoice, and what else the terms may ask for.
    pub(super) fn proof(&mut self, activity: &str) -> Value {
        let invoice = json!({
            "kind": "invoice", "issuer": "agency", "number": self.name("inv"),
            "sha256": self.digest(),
        });
        match activity {
            "advertising" => {
                json!([invoice, { "kind": "screenshot", "sha256": self.digest() }])
            }
            _ => json!([invoice]),
        }
    }
}

/// A programme by its place.
pub(super) fn programme(place: usize) -> &'static Programme {
    let [first, ..] = &PROGRAMMES;
    PROGRAMMES.get(place).unwrap_or(first)
}

/// Money as commands carry it.
pub(super) fn money(minor: i64, currency: &str) -> Value {
    json!({ "amount": format!("{}.{:02}", minor / 100, minor % 100), "currency": currency })
}

/// The UTC day of a moment, in days since 1970.
pub(super) fn day(at: i64) -> i32 {
    i32::try_from(at.div_euclid(DAY)).unwrap_or(i32::MAX)
}

/// A day as commands carry it.
pub(super) fn date(day: i32) -> String {
    Date::from_days(day).map_or_else(String::new, |date| date.to_string())
}

fn instant(at: i64) -> String {
    chl_events::Instant::from_micros(at).to_string()
}
