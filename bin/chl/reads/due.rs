//! `chl due`: what comes, and what is over but stands nowhere yet.
//!
//! Nothing in the ledger ticks by itself. What is due on a slot, a lot or a request is recorded when
//! a command touches it, or when somebody sweeps.

use super::{
    moment::{Moment, end_of, note, note_frozen, require_moving},
    query::unasked,
    rows::cell,
};
use crate::{
    exit::Exit,
    failure::Outcome,
    ledger::Reading,
    output::{Sheet, Sink},
};
use chl_events::{Date, Instant};
use chl_runtime::{Answer, Filter, Query, View};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, str::FromStr};

/// The source of sweeps.
pub(crate) const SWEEPS: &str = "/chl/due";

const COLUMNS: &[&str] =
    &["due_at", "what", "id", "customer", "programme", "partner", "records_it"];

/// Lists what is due, the earliest first: protections, earning periods, lots and requests that end,
/// and decisions that people owe.
///
/// What ends by itself counts as ended from that moment on, and is recorded when a command next
/// touches it. `--sweep` records it now, for those who read the log and its events: run it daily.
#[derive(Debug, Clone, Copy, clap::Args, Serialize, Deserialize)]
pub(crate) struct DueBy {
    /// What is due by a day, the end of it in UTC, or by an instant; without it by now.
    #[arg(long, value_name = "DATE|TIME")]
    until: Option<By>,
    /// Sends the commands that record what is due by now. Prints the answers.
    #[arg(long, conflicts_with = "until")]
    pub(crate) sweep: bool,
}

/// A day or an instant.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct By(Instant);

impl FromStr for By {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let day = text.parse::<Date>().ok().and_then(end_of);
        day.or_else(|| text.parse().ok())
            .map(Self)
            .ok_or_else(|| format!("{text:?} is neither a day such as 2026-03-31 nor an instant"))
    }
}

/// Where a read model says that something is due.
struct Source {
    what: &'static str,
    view: View,
    /// The column with the moment.
    due: &'static str,
    /// The states in which it counts; in any where there are none.
    states: &'static [&'static str],
    /// The column that is null as long as it has not been recorded.
    unless: Option<&'static str>,
    /// The column with the name of the thing.
    id: &'static str,
    /// The columns that name what the clock looks at as a whole: all that is due on it is recorded
    /// with the last.
    as_one: &'static [&'static str],
    /// The command that records it, and its fields; none where a person decides.
    command: Option<(&'static str, &'static [&'static str])>,
}

const SOURCES: &[Source] = &[
    Source {
        what: "protection_ends",
        view: View::Deals,
        due: "protected_until",
        states: &["approved"],
        unless: None,
        id: "deal",
        as_one: &["customer", "product_line"],
        command: Some(("ExpireDeal", &["deal", "customer"])),
    },
    Source {
        what: "earning_period_ends",
        view: View::Lots,
        due: "closes_at",
        states: &[],
        unless: Some("closed_at"),
        id: "lot",
        as_one: &["partner", "programme", "lot"],
        command: Some(("CloseCoopPeriod", &["partner", "programme", "lot"])),
    },
    Source {
        what: "lot_expires",
        view: View::Lots,
        due: "expires_at",
        states: &[],
        unless: Some("expired_at"),
        id: "lot",
        as_one: &["partner", "programme", "lot"],
        command: Some(("ExpireCoopLot", &["partner", "programme", "lot"])),
    },
    Source {
        what: "request_lapses",
        view: View::Requests,
        due: "lapses_at",
        states: &["approved"],
        unless: None,
        id: "request",
        as_one: &["request"],
        command: Some(("LapseMdfRequest", &["request", "partner", "programme"])),
    },
    Source {
        what: "registration_to_decide",
        view: View::Deals,
        due: "decision_due",
        states: &["submitted"],
        unless: None,
        id: "deal",
        as_one: &[],
        command: None,
    },
    Source {
        what: "conflict_to_decide",
        view: View::Conflicts,
        due: "due",
        states: &["open", "escalated"],
        unless: None,
        id: "conflict",
        as_one: &[],
        command: None,
    },
];

/// Something that is due.
struct Due {
    at: Instant,
    row: Value,
    /// What the clock looks at as a whole.
    whole: (&'static str, Vec<String>),
    /// The command that records it.
    command: Option<Value>,
}

impl DueBy {
    /// Lists it, or makes it commands.
    pub(crate) fn answer(self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let mut past = Moment::default().open(ledger)?;
        let (now, reader) = (past.now(), past.reader());
        let until = self.until.map_or(now, |By(until)| until);
        let mut due = Vec::new();
        let mut frozen = Vec::new();
        let checkpoint = reader.checkpoint().map_err(unasked)?;
        for source in SOURCES {
            let answer = reader.query(&source.question(until, now)).map_err(unasked)?;
            due.extend(answer.rows.iter().filter_map(|row| source.due(&answer, row)));
            frozen.extend(answer.frozen);
        }
        frozen.sort_by_key(|one| one.view);
        frozen.dedup();
        due.sort_by_key(|one| one.at);
        if self.sweep {
            require_moving(&frozen)?;
            let mut last: BTreeMap<_, (Instant, Value)> = BTreeMap::new();
            for Due { at, whole, command, .. } in due {
                last.extend(command.map(|command| (whole, (at, command))));
            }
            let mut last: Vec<_> = last.into_values().collect();
            last.sort_by_key(|(at, _)| *at);
            last.iter().try_for_each(|(_, command)| sink.line(&command.to_string()))?;
            return Ok(Exit::Success);
        }
        let sheet = Sheet::new("", COLUMNS);
        sink.begin(&sheet)?;
        due.into_iter().try_for_each(|one| sink.row(sheet.values(one.row)))?;
        note(sink, checkpoint.position, checkpoint.recorded_at)?;
        note_frozen(sink, &frozen)?;
        Ok(Exit::Success)
    }
}

impl Source {
    fn question(&self, until: Instant, now: Instant) -> Query {
        let mut question = Query::all(self.view, now);
        question.filters.push(Filter::To(self.due.into(), until.to_string()));
        if !self.states.is_empty() {
            let states = self.states.iter().map(ToString::to_string).collect();
            question.filters.push(Filter::In("state".into(), states));
        }
        question
    }

    fn due(&self, answer: &Answer, row: &[Value]) -> Option<Due> {
        let of = |column: &str| cell(answer, row, column);
        if self.unless.is_some_and(|column| !of(column).is_null()) {
            return None;
        }
        let at = of(self.due);
        let at: Instant = at.as_str()?.parse().ok()?;
        let command = self.command.map(|(name, fields)| {
            let data = fields.iter().map(|field| ((*field).to_owned(), of(field)));
            let data: Map<String, Value> = data.collect();
            let named = fields.iter().filter_map(|field| data.get(*field)?.as_str());
            let of_what = named.collect::<Vec<_>>().join(".");
            // What was put off and is due again is recorded again.
            let id = format!("{name}.{of_what}.{}", at.micros());
            json!({ "id": id, "type": name, "data": data })
        });
        let row = json!({
            "due_at": at, "what": self.what, "id": of(self.id), "customer": of("customer"),
            "programme": of("programme"), "partner": of("partner"),
            "records_it": self.command.map(|(name, _)| name),
        });
        let whole = self.as_one.iter().map(|column| of(column).to_string()).collect();
        Some(Due { at, row, whole: (self.view.name(), whole), command })
    }
}
