//! `chl explain deal` and `chl explain claim`: what happened, event by event.

use super::{
    commits,
    query::unasked,
    rows::{show, show_last},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::{Reading, commits_from},
    output::{Sheet, Sink},
    reads::moment::Moment,
};
use chl_events::{ClaimId, Commit, DealId, Fund, PartnerId, ProgrammeId, Stream};
use chl_runtime::{Answer, Query as Question, View};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Tells the story of a deal: its registration, its conflicts, its protection, its end.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Deal {
    /// The deal.
    deal: DealId,
}

/// Tells the story of a claim: what was asked, held, approved, paid and taken back, with its
/// postings.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The claim.
    claim: ClaimId,
}

const COLUMNS: &[&str] = &[
    "position",
    "time",
    "event",
    "actor",
    "role",
    "command",
    "what",
    "recorded_at",
    "effective_on",
    "onbehalfof",
    "reason",
    "source",
    "id",
];
const PEOPLE: &[&str] =
    &["position", "time", "event", "actor", "role", "command", "reason", "what"];

impl Deal {
    /// Tells it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let deal = self.deal.as_str();
        let mut past = Moment::default().open(ledger)?;
        let now = past.now();
        let mut ask = |question: Question| past.reader().query(&question).map_err(unasked);
        let found = ask(Question::all(View::Deals, now).with("deal", deal))?;
        let customer = only(&found, "customer").ok_or_else(|| {
            Failure::usage(format_args!(
                "no deal {deal} is registered; `chl query deals` lists all"
            ))
        })?;
        let conflicts: Vec<Answer> = ["incumbent", "challenger"]
            .into_iter()
            .map(|side| ask(Question::all(View::Conflicts, now).with(side, deal)))
            .collect::<Outcome<_>>()?;
        let mut named = BTreeSet::from([deal.to_owned()]);
        for answer in &conflicts {
            named.extend(every(answer, "conflict"));
        }
        let stream = customer.parse().ok().map(Stream::Customer);
        tell(ledger, stream, &named, sink)?;
        for answer in conflicts.into_iter().filter(|answer| !answer.rows.is_empty()) {
            show("conflicts", Some("conflicts"), answer, sink)?;
        }
        show_last("deal", Some("deals"), found, sink)?;
        Ok(Exit::Success)
    }
}

impl Claim {
    /// Tells it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let claim = self.claim.as_str();
        let mut past = Moment::default().open(ledger)?;
        let now = past.now();
        let mut ask = |question: Question| past.reader().query(&question).map_err(unasked);
        let found = ask(Question::all(View::Claims, now).with("claim", claim))?;
        let text = |column| only(&found, column);
        let stream = stream(text("fund"), text("programme"), text("partner")).ok_or_else(|| {
            Failure::usage(format_args!(
                "no claim {claim} was sent in; `chl query claims` lists all"
            ))
        })?;
        let positions = tell(ledger, Some(stream), &BTreeSet::from([claim.to_owned()]), sink)?;
        let positions = positions.iter().map(ToString::to_string).collect();
        let postings = Question {
            filters: vec![chl_runtime::Filter::In("position".into(), positions)],
            ..Question::all(View::Postings, now)
        };
        show("postings", Some("postings"), ask(postings)?, sink)?;
        show_last("claim", Some("claims"), found, sink)?;
        Ok(Exit::Success)
    }
}

/// The stream of a claim: its fund's.
fn stream(
    fund: Option<String>,
    programme: Option<String>,
    partner: Option<String>,
) -> Option<Stream> {
    let programme: ProgrammeId = programme?.parse().ok()?;
    let partner: PartnerId = partner?.parse().ok()?;
    Some(match fund?.parse().ok()? {
        Fund::Coop => Stream::Coop(programme, partner),
        Fund::Mdf => Stream::Mdf(programme, partner),
        Fund::Rebate => Stream::Rebate(programme, partner),
    })
}

/// Shows the events of a stream that name one of the given identifiers; says at which positions.
fn tell(
    ledger: &Reading,
    stream: Option<Stream>,
    named: &BTreeSet<String>,
    sink: &mut dyn Sink,
) -> Outcome<Vec<u64>> {
    let sheet = Sheet::new("story", COLUMNS).people(PEOPLE);
    sink.begin(&sheet)?;
    let mut positions = Vec::new();
    for commit in commits_from(ledger.log.as_ref(), 0)? {
        let commit = commit?;
        if stream.as_ref() != Some(&commit.stream) {
            continue;
        }
        let shown = commits::json(&commit, &ledger.operator())?;
        let events = shown.get("events").and_then(Value::as_array).into_iter().flatten();
        for event in events.filter(|event| mentions(event, named)) {
            sink.row(sheet.values(row(&commit, &shown, event)))?;
            if positions.last() != Some(&commit.position) {
                positions.push(commit.position);
            }
        }
    }
    Ok(positions)
}

fn row(commit: &Commit, shown: &Value, event: &Value) -> Value {
    let of = |value: &Value, field: &str| value.get(field).cloned().unwrap_or_default();
    json!({
        "position": commit.position,
        "time": commit.time(),
        "event": of(event, "type"),
        "actor": of(shown, "actor"),
        "role": of(shown, "role"),
        "command": of(shown, "command"),
        "what": of(event, "data"),
        "recorded_at": commit.recorded_at,
        "effective_on": of(event, "effective_on"),
        "onbehalfof": of(shown, "onbehalfof"),
        "reason": of(shown, "reason"),
        "source": of(shown, "source"),
        "id": of(shown, "id"),
    })
}

/// Whether one of the names stands anywhere in a value.
fn mentions(value: &Value, named: &BTreeSet<String>) -> bool {
    match value {
        Value::String(text) => named.contains(text),
        Value::Array(items) => items.iter().any(|item| mentions(item, named)),
        Value::Object(fields) => fields.values().any(|field| mentions(field, named)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The text of a column in the first row.
fn only(answer: &Answer, column: &str) -> Option<String> {
    every(answer, column).into_iter().next()
}

/// The texts of a column in every row.
fn every(answer: &Answer, column: &str) -> Vec<String> {
    let at = answer.columns.iter().position(|name| name == column);
    let cells = answer.rows.iter().filter_map(|row| row.get(at?)?.as_str());
    cells.map(str::to_owned).collect()
}
