//! `chl query refusals`: the decision journal, which is no part of the log.

use super::{condition::Condition, moment::end_of};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::Reading,
    output::{Sheet, Sink},
};
use chl_bus::{Noted, Viewer, show_texts};
use chl_events::{Date, Instant};
use serde_json::{Map, Value, json};

/// Its name, among those of read models.
pub(super) const REFUSALS: &str = "refusals";

/// The columns of a refusal.
pub(super) const COLUMNS: &[&str] = &[
    "at",
    "code",
    "type",
    "id",
    "source",
    "actor",
    "role",
    "onbehalfof",
    "partner",
    "before",
    "data",
    "sha256",
    "bytes",
];
/// When it was noted.
const AT: &str = "at";
/// Those that hold whole numbers.
pub(super) const WHOLE: &[&str] = &["before", "bytes"];
const PEOPLE: &[&str] = &["at", "code", "type", "id", "actor", "role", "partner", "data"];

/// Which refusals are asked for.
pub(super) struct Refusals<'a> {
    /// Only those of commands that this partner sent, or that name it.
    pub(super) partner: Option<&'a str>,
    /// Only where columns compare so.
    pub(super) conditions: &'a [Condition],
    /// Only those noted then or before.
    pub(super) until: Option<Instant>,
    /// At most so many.
    pub(super) limit: Option<u64>,
}

impl Refusals<'_> {
    /// Shows them, the oldest first, and says how far back the journal reaches.
    pub(super) fn show(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let sheet = Sheet::new("", COLUMNS).people(PEOPLE);
        sink.begin(&sheet)?;
        let (mut since, mut left) = (None, self.limit.unwrap_or(u64::MAX));
        for noted in ledger.refusals()? {
            let noted = noted?;
            since = since.or(Some(noted.at));
            if left == 0 || self.until.is_some_and(|until| noted.at > until) {
                break;
            }
            let row = row(noted, &ledger.operator())?;
            if self.want(&row)? {
                left -= 1;
                sink.row(sheet.values(Value::Object(row)))?;
            }
        }
        match since {
            Some(at) => sink.note(&format!("the journal of this machine reaches back to {at}"))?,
            None => sink.note("the journal of this machine has noted nothing yet")?,
        }
        Ok(Exit::Success)
    }

    fn want(&self, row: &Map<String, Value>) -> Outcome<bool> {
        let named = [row.get("partner"), row.get("data").and_then(|data| data.get("partner"))];
        let of = |partner| named.iter().flatten().any(|named| named.as_str() == Some(partner));
        let mut wanted = self.partner.is_none_or(of);
        for condition in self.conditions {
            wanted &= meets(row, condition)?;
        }
        Ok(wanted)
    }
}

/// Whether a refusal meets a condition; one that no refusal could meet is refused.
fn meets(row: &Map<String, Value>, condition: &Condition) -> Outcome<bool> {
    let (column, value) = (condition.column(), condition.value());
    let cell = row.get(column).ok_or_else(|| {
        let columns = COLUMNS.join(", ");
        Failure::usage(format_args!("refusals have no column {column:?}, but {columns}"))
    })?;
    let wrong = |what| Failure::usage(format_args!("{column}: {value:?} is no {what}"));
    if WHOLE.contains(&column) {
        let asked: u64 = value.parse().map_err(|_| wrong("whole number"))?;
        return Ok(cell.as_u64().is_some_and(|cell| condition.holds(&cell, (&asked, &asked))));
    }
    let text = cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    if column == AT {
        let day = value.parse::<Date>().ok().and_then(|day| Some((day.start_utc(), end_of(day)?)));
        let moment = || value.parse::<Instant>().ok().map(|at| (at, at));
        let (first, last) = day.or_else(moment).ok_or_else(|| wrong("instant and no day"))?;
        return Ok(text.parse().is_ok_and(|at| condition.holds(&at, (&first, &last))));
    }
    Ok(!cell.is_null() && condition.holds(&text.as_str(), (&value, &value)))
}

/// All refusals as rows, the oldest first.
pub(super) fn rows<'a>(
    ledger: &Reading,
    viewer: &'a Viewer<'_>,
) -> Outcome<impl Iterator<Item = Outcome<Map<String, Value>>> + 'a> {
    Ok(ledger.refusals()?.map(|noted| row(noted?, viewer)))
}

fn row(noted: Noted, viewer: &Viewer<'_>) -> Outcome<Map<String, Value>> {
    let document = noted.document.map(|document| serde_json::from_str::<Value>(document.get()));
    let document = document.transpose().or_exit(Exit::Internal, "a command of the journal")?;
    let mut row = json!({
        "at": noted.at, "code": noted.code, "type": noted.r#type, "id": noted.id,
        "source": noted.source, "actor": noted.actor, "role": noted.role,
        "onbehalfof": noted.onbehalfof, "partner": noted.partner, "before": noted.before,
        "data": document.as_ref().and_then(|document| document.get("data")),
        "sha256": noted.sha256, "bytes": noted.bytes,
    });
    show_texts(&mut row, viewer);
    Ok(row.as_object().cloned().unwrap_or_default())
}
