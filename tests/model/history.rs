//! Histories: generated commands, told to a ledger one by one, so that each follows from what the
//! ledger answered before.

use super::{
    checks::Books,
    coverage::{Coverage, Trace},
    generate::Maker,
    naive::{Model, Verdict},
    path::Ledger,
    sent::Sent,
    world,
};
use chl_bus::{Answer, Vault};
use chl_events::{Date, Instant};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// A history that was told.
pub(crate) struct History {
    pub(crate) ledger: Ledger,
    pub(crate) lines: Vec<String>,
    pub(crate) answers: Vec<String>,
    pub(crate) coverage: Coverage,
    /// Where the model expected something else: its verdict, the ledger's answer, the line.
    pub(crate) surprises: Vec<String>,
    pub(crate) vault: Arc<Vault>,
}

impl History {
    /// Whether somebody was to be forgotten in it.
    pub(crate) fn forgets(&self) -> bool {
        self.lines.iter().any(|line| line.contains("ForgetPerson"))
    }
}

struct Teller {
    rng: ChaCha8Rng,
    model: Model,
    now: Instant,
    told: History,
    views: chl_runtime::Views,
    /// The last day the books were asked to be closed through.
    closed: Option<Date>,
}

/// Tells the history of a seed: its opening, then 50 to 500 commands in all.
pub(crate) fn tell(seed: u64) -> History {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let length = rng.random_range(50..=500);
    let mut teller = Teller::new(rng);
    for sent in world::opened("open") {
        teller.say(&sent, None);
    }
    while teller.told.lines.len() < length {
        teller.now = Maker::tick(&mut teller.rng, teller.now);
        let next = teller.told.lines.len();
        let Teller { rng, model, now, .. } = &mut teller;
        let sent = Maker { model, rng, now: *now, next }.make();
        match teller.rng.random_range(0..100) {
            0 => teller.again(),
            1 => teller.reverse(),
            2 => teller.close_or_open_books(),
            4 if seed.is_multiple_of(5) => teller.forget(),
            3 => {
                let slipped = teller.envelope_slip(&sent);
                teller.say(&sent, Some(slipped));
            }
            _ => teller.say(&sent, None),
        }
    }
    teller.end()
}

/// Tells an example: the lines of a file, on an empty ledger.
pub(crate) fn tell_file(path: &Path) -> History {
    let mut teller = Teller::new(ChaCha8Rng::seed_from_u64(0));
    for line in std::fs::read_to_string(path).unwrap().lines() {
        teller.send(line.to_owned());
    }
    teller.end()
}

impl Teller {
    fn new(rng: ChaCha8Rng) -> Self {
        let vault = Arc::new(Vault::in_memory().unwrap());
        let ledger = Ledger::with(1, Arc::clone(&vault));
        let views = ledger.views();
        let told = History {
            ledger,
            lines: Vec::new(),
            answers: Vec::new(),
            coverage: Coverage::default(),
            surprises: Vec::new(),
            vault,
        };
        let now = world::BEGINS.parse().unwrap();
        Self { rng, model: Model::default(), now, told, views, closed: None }
    }

    fn send(&mut self, line: String) -> Answer {
        let answer = self.told.ledger.answer(&line);
        self.told.coverage.answer(&answer);
        self.told.ledger.learn(&answer);
        self.told.answers.push(serde_json::to_string(&answer).unwrap());
        self.told.lines.push(line);
        // The views are kept up to date in steps of any length.
        if self.told.lines.len().is_multiple_of(7) && self.rng.random_range(0..4) == 0 {
            self.views.catch_up(&mut |_, _| ()).unwrap();
        }
        answer
    }

    /// Sends a command, and keeps the model with the ledger.
    fn say(&mut self, sent: &Sent, document: Option<Value>) {
        self.now = self.now.max(sent.at);
        let plain = document.is_none();
        let line = document.map_or_else(|| self.told.ledger.line(sent), |one| one.to_string());
        let before = self.model.clone();
        let verdict = if plain { self.model.step(sent) } else { Verdict::Unsure };
        let answer = self.send(line.clone());
        let agrees = agrees(&verdict, &answer);
        if !agrees {
            let answer = self.told.answers.last().cloned().unwrap_or_default();
            self.told.surprises.push(format!("{verdict:?}\n  {answer}\n  {line}"));
        }
        match (&verdict, answer.is_accepted()) {
            (Verdict::Accepted, false) => {
                self.model = before;
                self.model.settle(sent.time());
            }
            (Verdict::Refused(_) | Verdict::Unsure, true) => self.model.follow(sent),
            (Verdict::Accepted, true) | (Verdict::Refused(_) | Verdict::Unsure, false) => {}
        }
    }

    /// Sends an earlier line once more, as it was or with other content.
    fn again(&mut self) {
        let at = self.rng.random_range(0..self.told.lines.len());
        let mut line = self.told.lines.get(at).unwrap().clone();
        if self.rng.random_range(0..2) == 0 {
            let mut document: Value = serde_json::from_str(&line).unwrap();
            document["reason"] = json!("the same again, or not");
            line = document.to_string();
        }
        self.send(line);
    }

    /// Reverses any earlier commit.
    fn reverse(&mut self) {
        let commits = u64::try_from(self.told.lines.len()).unwrap();
        let position = self.rng.random_range(0..commits + 20);
        let data = json!({"position": position, "reason": "entered by mistake"});
        let id = format!("rev-{commits}");
        let command = world::command("ReverseEntry", data);
        let sent = Sent::new(id, self.now, world::payer(), command);
        self.say(&sent, None);
    }

    /// Closes the books up to some day of the last weeks, states what they hold, or opens them again.
    fn close_or_open_books(&mut self) {
        let day = self.now.date_utc().plus_days(-self.rng.random_range(0..40)).unwrap();
        let closed = self.closed.unwrap_or(day);
        let amount = json!({"amount": "1.00", "currency": "USD"});
        let holds = |account, side| json!({"book": "books", "account": account, "side": side, "amount": amount});
        let (kind, data) = match self.rng.random_range(0..5) {
            0 | 1 => ("ClosePeriod", json!({"through": day})),
            2 | 3 => {
                let balances = [holds("CR", "debit"), holds("AL", "credit")];
                ("RecordClosingBalances", json!({"through": closed, "balances": balances}))
            }
            _ => ("ReopenPeriod", json!({"from": closed, "reason": "an invoice was forgotten"})),
        };
        let other = self.rng.random_range(0..3) == 0;
        let sender = if other { world::controller() } else { world::payer() };
        let id = format!("books-{}", self.told.lines.len());
        let sent = Sent::new(id, self.now, sender, world::command(kind, data));
        self.say(&sent, None);
        if kind == "ClosePeriod" {
            self.closed = self.closed.max(Some(day));
        }
    }

    /// Forgets somebody who may have written, or not since.
    fn forget(&mut self) {
        let known = [world::payer(), world::controller()];
        let known = known.map(|sender| format!("actor/{}", sender.actor));
        let unknown = ["actor/nobody".to_owned(), "partner/nobody".to_owned()];
        let person = known.iter().chain(&unknown).nth(self.rng.random_range(0..4)).unwrap();
        let id = format!("forget-{}", self.told.lines.len());
        let command = world::command("ForgetPerson", json!({"person": person}));
        let sent = Sent::new(id, self.now, world::operator(), command);
        self.say(&sent, None);
    }

    /// A document with a slip in its envelope.
    fn envelope_slip(&mut self, sent: &Sent) -> Value {
        let line = self.told.ledger.line(sent);
        let mut document: Value = serde_json::from_str(&line).unwrap();
        match self.rng.random_range(0..8) {
            0 => document["source"] = json!("/policy/open-conflict"),
            1 => document["role"] = json!("clock"),
            2 => document["onbehalfof"] = json!("u-17"),
            3 => document["backfill"] = json!(true),
            4 => document["expectedversion"] = json!(self.rng.random_range(0..9)),
            5 => {
                document["role"] = json!("operator");
                let ahead = self.now.micros() + 86_400_000_000;
                document["time"] = json!(Instant::from_micros(ahead));
            }
            6 => document["reason"] = json!("asked for by the customer"),
            _ => {
                document["role"] = json!("operator");
                document["onbehalfof"] = json!("u-18");
            }
        }
        document
    }

    fn end(mut self) -> History {
        let mut books = Books::default();
        let mut trace = Trace::default();
        for commit in self.told.ledger.commits() {
            books.take(&commit);
            self.told.coverage.commit(&mut trace, &commit);
        }
        self.views.catch_up(&mut |_, _| ()).unwrap();
        let rebuilt = self.views.rebuild(&mut |_, _| ()).unwrap();
        assert!(rebuilt.is_equal(), "kept and rebuilt views differ: {rebuilt:?}");
        identity(&self.told.ledger);
        self.told
    }
}

/// Whether an answer is what the model expected.
pub(crate) fn agrees(verdict: &Verdict, answer: &Answer) -> bool {
    match (verdict, answer) {
        (Verdict::Unsure, _) | (Verdict::Accepted, Answer::Accepted(_)) => true,
        (Verdict::Refused(classes), Answer::Rejected { refused, .. }) => {
            classes.contains(&(refused.class() as u8 + 1))
        }
        (Verdict::Accepted | Verdict::Refused(_), _) => false,
    }
}

/// A decimal text without its point.
pub(crate) fn minor(text: &Value) -> i128 {
    text.as_str().unwrap().replace('.', "").parse().unwrap()
}

/// The identity of balances, row by row; and the lots of a fund are its total.
fn identity(ledger: &Ledger) {
    let mut totals: BTreeMap<String, i128> = BTreeMap::new();
    for row in ledger.rows(chl_runtime::View::Balances, &[]) {
        let sum =
            |columns: &[&str]| -> i128 { columns.iter().map(|name| minor(&row[*name])).sum() };
        let stocks = sum(&["available", "held", "payable", "reserved"]);
        let flows = sum(&["accrued", "restored"]);
        let outflows = sum(&["reversed", "expired", "converted", "paid"]);
        assert_eq!(stocks, flows - outflows, "the identity of balances: {row}");
        for column in ["available", "held", "payable", "reserved", "paid", "expired"] {
            assert!(minor(&row[column]) >= 0, "{column} below nothing: {row}");
            let sign = if row["lot"] == "total" { -1 } else { 1 };
            let fund = format!("{}/{}/{}/{column}", row["programme"], row["partner"], row["fund"]);
            if row["fund"] != "mdf" {
                *totals.entry(fund).or_default() += sign * minor(&row[column]);
            }
        }
    }
    for (fund, difference) in totals {
        assert_eq!(difference, 0, "the lots of {fund} are not its total");
    }
}
