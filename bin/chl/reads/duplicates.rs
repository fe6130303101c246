//! `chl duplicates`: customers that look like one company, and about which nobody has been asked.

use super::{
    moment::{Moment, note},
    query::unasked,
};
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    ledger::Reading,
    output::{Sheet, Sink},
};
use chl_aggregates::duplicate_id;
use chl_events::{ConflictId, CustomerId, customer::Alike};
use chl_likeness::{Known, LookAlike, find};
use chl_runtime::{Query, Reader, View};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The source of reports.
pub(crate) const REPORTS: &str = "/chl/duplicates";

/// The columns of a pair.
const COLUMNS: &[&str] =
    &["score", "customer", "name", "other", "other_name", "evidence", "conflict"];
const PEOPLE: &[&str] = &["score", "customer", "name", "other", "other_name", "evidence"];

/// Lists pairs of customers that look like one company, the most alike first.
///
/// Legal forms, accents, case, punctuation and usual abbreviations do not count; the order of words,
/// slips of the pen, initials, the domain, the country and parents do. Pairs that somebody reported
/// or decided are left out.
#[derive(Debug, Clone, Copy, clap::Args, Serialize, Deserialize)]
pub(crate) struct Duplicates {
    /// Only pairs of this score or a higher one: from 1 to 100, the same.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 80,
        value_parser = clap::value_parser!(u8).range(1..=100)
    )]
    min_score: u8,
    /// Reports each pair: a `possible_duplicate` conflict, which KeepCustomersApart or
    /// MergeCustomers decides. Prints the answers.
    #[arg(long)]
    pub(crate) report: bool,
}

/// A row of the read model of customers, as far as it counts here.
#[derive(Debug, Deserialize)]
struct CustomerRow {
    customer: CustomerId,
    name: Option<String>,
    domain: Option<String>,
    country: Option<chl_events::Code>,
    parent: Option<CustomerId>,
    merged_into: Option<CustomerId>,
}

/// A row of the read model of conflicts, of which the name is enough.
#[derive(Debug, Deserialize)]
struct ConflictRow {
    conflict: ConflictId,
}

impl Duplicates {
    /// Finds them.
    pub(crate) fn answer(self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let mut past = Moment::default().open(ledger)?;
        let now = past.now();
        let reader = past.reader();
        let customers: Vec<CustomerRow> = rows(reader, &Query::all(View::Customers, now))?;
        let asked = Query::all(View::Conflicts, now).with("kind", "possible_duplicate");
        let asked: Vec<ConflictRow> = rows(reader, &asked)?;
        let asked: BTreeSet<ConflictId> = asked.into_iter().map(|row| row.conflict).collect();
        let known = known(customers);
        let names: BTreeMap<&CustomerId, &str> =
            known.iter().map(|one| (&one.customer, one.name.as_str())).collect();
        let sheet = Sheet::new("", COLUMNS).people(PEOPLE);
        if !self.report {
            sink.begin(&sheet)?;
        }
        for pair in find(&known, self.min_score) {
            let conflict = duplicate_id(&pair.customer, &pair.other);
            if asked.contains(&conflict) {
                continue;
            }
            if self.report {
                sink.line(&reported(&pair, &conflict).to_string())?;
                continue;
            }
            sink.row(sheet.values(json!({
                "score": pair.score,
                "customer": pair.customer,
                "name": names.get(&pair.customer),
                "other": pair.other,
                "other_name": names.get(&pair.other),
                "evidence": pair.evidence.iter().map(words).collect::<Vec<_>>(),
                "conflict": conflict,
            })))?;
        }
        let answer = reader.checkpoint().map_err(unasked)?;
        note(sink, answer.position, answer.recorded_at)?;
        Ok(Exit::Success)
    }
}

/// A likeness as the read model of conflicts has it.
fn words(alike: &Alike) -> String {
    format!("{}:{}", alike.likeness, alike.score)
}

/// The command that reports a pair; its conflict is the id, so that it is reported once.
fn reported(pair: &LookAlike, conflict: &ConflictId) -> Value {
    json!({
        "id": conflict,
        "type": "ReportPossibleDuplicate",
        "data": {
            "customer": pair.customer,
            "other": pair.other,
            "score": pair.score,
            "evidence": pair.evidence,
        },
    })
}

/// The customers that go by a name of their own; a parent that was merged is its survivor.
fn known(rows: Vec<CustomerRow>) -> Vec<Known> {
    let merged: BTreeMap<CustomerId, CustomerId> = rows
        .iter()
        .filter_map(|row| Some((row.customer.clone(), row.merged_into.clone()?)))
        .collect();
    let live = rows.into_iter().filter(|row| row.merged_into.is_none());
    let known = live.filter_map(|row| {
        let parent = row.parent.map(|parent| merged.get(&parent).cloned().unwrap_or(parent));
        let CustomerRow { customer, domain, country, .. } = row;
        Some(Known { name: row.name?, customer, domain, country, parent })
    });
    known.collect()
}

/// The rows of a read model, as far as a struct names their columns.
fn rows<T: DeserializeOwned>(reader: &Reader, query: &Query) -> Outcome<Vec<T>> {
    let answer = reader.query(query).map_err(unasked)?;
    let objects = answer.rows.into_iter().map(|row| {
        let fields: Map<String, Value> = answer.columns.iter().cloned().zip(row).collect();
        serde_json::from_value(Value::Object(fields)).or_exit(Exit::Internal, "a read model's row")
    });
    objects.collect()
}
