//! Why a fund's money moved, event by event: who wanted it, by which rule of which terms, and the
//! amount before it was rounded.

use super::{commits, moment::Past, query::unasked, rows::cell};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    ledger::{Reading, decoded},
    output::{Sheet, Sink},
};
use chl_events::{LotId, PartnerId, ProgrammeId};
use chl_projections::{Ground, Grounds};
use chl_runtime::{Answer, Query as Question, View};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const COLUMNS: &[&str] = &[
    "position",
    "event_no",
    "event",
    "command",
    "actor",
    "role",
    "onbehalfof",
    "reason",
    "programme_version",
    "rules",
    "base",
    "rate",
    "unrounded",
    "amount",
    "currency",
    "terms",
    "what",
];
const PEOPLE: &[&str] = &[
    "position",
    "event",
    "actor",
    "reason",
    "programme_version",
    "rules",
    "base",
    "rate",
    "unrounded",
    "amount",
];

/// The versions of a programme's terms, as they were published.
type Published = BTreeMap<u32, Value>;

/// Shows the events behind the postings of a partner's fund.
pub(super) fn show_events(
    ledger: &Reading,
    past: &mut Past,
    (partner, programme): (&PartnerId, &ProgrammeId),
    postings: &Answer,
    sink: &mut dyn Sink,
) -> Outcome {
    let published = published(past, programme)?;
    let terms = published.iter().map(|(version, terms)| {
        Ok((*version, serde_json::from_value(terms.clone()).or_exit(Exit::Internal, "the terms")?))
    });
    let terms = terms.collect::<Outcome<BTreeMap<_, _>>>()?;
    let mut grounds = Grounds::new(terms, dated_by(past, partner, programme)?);
    let sheet = Sheet::new("events", COLUMNS).people(PEOPLE);
    sink.begin(&sheet)?;
    for (position, events) in moved(postings) {
        let unread = format!("the commit at position {position}");
        let bytes = ledger.log.commit_at(position).or_own_exit(&unread)?;
        let bytes = bytes.ok_or_else(|| Failure::new(Exit::Verification, &unread))?;
        let commit = decoded(position, &bytes)?;
        let shown = commits::json(&commit, &ledger.operator())?;
        for (number, recorded) in (0..).zip(&commit.events) {
            let ground = grounds.of(&recorded.event);
            if events.contains(&number) {
                let mut row = what_happened(&shown, number);
                row.extend(ground.map(|ground| why(&ground, &published)).unwrap_or_default());
                sink.row(sheet.values(Value::Object(row)))?;
            }
        }
    }
    Ok(())
}

/// The commits and events that posting lines stand in.
fn moved(postings: &Answer) -> BTreeMap<u64, BTreeSet<u64>> {
    let mut moved: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    for row in &postings.rows {
        let number = |name| cell(postings, row, name).as_u64().unwrap_or_default();
        moved.entry(number("position")).or_default().insert(number("event_no"));
    }
    moved
}

fn published(past: &mut Past, programme: &ProgrammeId) -> Outcome<Published> {
    let all = Question::all(View::Programmes, past.now()).with("programme", programme.as_str());
    let all = past.reader().query(&all).map_err(unasked)?;
    let version = |row| cell(&all, row, "version").as_u64().and_then(|of| u32::try_from(of).ok());
    Ok(all.rows.iter().filter_map(|row| Some((version(row)?, cell(&all, row, "terms")))).collect())
}

/// By which version of the terms each lot has its dates.
fn dated_by(
    past: &mut Past,
    partner: &PartnerId,
    programme: &ProgrammeId,
) -> Outcome<BTreeMap<LotId, u32>> {
    let lots = Question::all(View::Lots, past.now()).with("partner", partner.as_str());
    let lots = lots.with("programme", programme.as_str());
    let lots = past.reader().query(&lots).map_err(unasked)?;
    let dated = lots.rows.iter().filter_map(|row| {
        let version = cell(&lots, row, "programme_version").as_u64()?;
        let lot = cell(&lots, row, "lot").as_str()?.parse().ok()?;
        Some((lot, u32::try_from(version).ok()?))
    });
    Ok(dated.collect())
}

fn what_happened(shown: &Value, number: u64) -> Map<String, Value> {
    let event = usize::try_from(number).ok().and_then(|at| shown.get("events")?.get(at));
    let of_event = |field: &str| event.and_then(|event| event.get(field)).cloned();
    let mut row = Map::new();
    for field in ["position", "command", "actor", "role", "onbehalfof", "reason"] {
        row.insert(field.into(), shown.get(field).cloned().unwrap_or_default());
    }
    row.insert("event_no".into(), number.into());
    row.insert("event".into(), of_event("type").unwrap_or_default());
    row.insert("what".into(), of_event("data").unwrap_or_default());
    row
}

/// A ground, with the text of each rule as it was published.
fn why(ground: &Ground, published: &Published) -> Map<String, Value> {
    let terms = ground.programme_version.and_then(|version| published.get(&version));
    let texts = ground.rules.iter().map(|rule| {
        let text = terms.and_then(|terms| terms.pointer(rule)).cloned();
        (rule.clone(), text.unwrap_or_default())
    });
    let row = json!({
        "programme_version": ground.programme_version,
        "rules": ground.rules,
        "terms": texts.collect::<Map<_, _>>(),
        "base": ground.base.map(|base| base.amount()),
        "rate": ground.rate,
        "unrounded": ground.unrounded,
        "amount": ground.amount.map(|amount| amount.amount()),
        "currency": ground.amount.map(|amount| amount.currency()),
    });
    row.as_object().cloned().unwrap_or_default()
}
