//! `chl query`: the read models, on either axis of time or both.

use super::{
    condition::Condition,
    in_file::InFile,
    moment::{Bound, Moment, Past},
    refusals::{REFUSALS, Refusals},
    rows::{SCORECARDS, show_last},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::Reading,
    output::Sink,
};
use chl_events::Period;
use chl_runtime::{Answer, Filter, Query as Question, ReaderError, ScorecardQuery, View};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::str::FromStr;

/// Shows a read model: what is, or what was at any time; or the journal of refused commands.
///
/// Without --as-of the newest state, and standard error says which position that is. Filters are
/// joined by "and"; `--where` compares a column that is kept, as `state=won`, `closed_on>=2026-01-01` or
/// `closed_on<=2026-06-30`.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Query {
    /// Which read model.
    #[arg(value_parser = known_view())]
    pub(super) view: String,
    /// Only this partner's; of a conflict either side's.
    #[arg(long, value_name = "PARTNER")]
    pub(super) partner: Option<String>,
    /// Only of this programme.
    #[arg(long, value_name = "PROGRAMME")]
    pub(super) programme: Option<String>,
    /// Only of this customer.
    #[arg(long, value_name = "CUSTOMER")]
    pub(super) customer: Option<String>,
    /// Only of this fund: coop, mdf or rebate.
    #[arg(long, value_name = "FUND")]
    pub(super) fund: Option<String>,
    /// Only of this lot; `total` is the fund as a whole.
    #[arg(long, value_name = "LOT")]
    pub(super) lot: Option<String>,
    /// Only in this state, at the moment of asking: a deal whose protection has run out is
    /// `expired` and a conflict over it `lapsed`, even before the clock has recorded it.
    #[arg(long, value_name = "STATE")]
    pub(super) state: Option<String>,
    /// Only where a column compares so; may be given several times.
    #[arg(long = "where", value_name = "COLUMN=VALUE")]
    pub(super) conditions: Vec<Condition>,
    /// The period of scorecards: 2026, 2026-H1, 2026-Q1, 2026-03 or 2026-01-01/2026-03-31.
    #[arg(long, value_name = "PERIOD", required_if_eq("view", SCORECARDS))]
    pub(super) period: Option<Period>,
    /// At most so many rows, in the order of their keys.
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = at_least_one())]
    pub(super) limit: Option<u64>,
    #[command(flatten)]
    pub(super) moment: Moment,
    #[command(flatten)]
    pub(crate) file: InFile,
}

/// What a question found.
pub(super) struct Found {
    /// The rows.
    pub(super) answer: Answer,
    /// What was asked for by a name that the ledger does not know.
    pub(super) unknown: Vec<String>,
}

/// In whose order scorecards come.
const SCORECARD_KEY: &[&str] = &["programme", "partner"];

/// The columns in whose order the rows of a view come; none of no view.
pub(super) fn key_columns(view: &str) -> Vec<&'static str> {
    match View::named(view) {
        Some(view) => view.keys().collect(),
        None if view == SCORECARDS => SCORECARD_KEY.to_vec(),
        None => Vec::new(),
    }
}

/// Reads the key of a row, given the columns of all rows and those of the key.
pub(super) fn key_of(columns: &[String], key: &[&str]) -> impl Fn(&Vec<Value>) -> Vec<String> {
    let place = |name: &&str| columns.iter().position(|column| column == name);
    let places: Vec<usize> = key.iter().filter_map(place).collect();
    move |row| {
        let cells = places.iter().filter_map(|at| row.get(*at));
        let text = |cell: &Value| cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
        cells.map(text).collect()
    }
}

/// A number of things of which there must be one.
pub(super) fn at_least_one() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(1..)
}

/// The names of what can be asked for.
pub(crate) fn view_names() -> impl Iterator<Item = &'static str> {
    View::ALL.iter().map(|view| view.name()).chain([SCORECARDS])
}

/// The read models that have rows, as values of an option.
pub(crate) fn stored_views() -> clap::builder::PossibleValuesParser {
    View::ALL.iter().map(|view| view.name()).collect::<Vec<_>>().into()
}

/// Everything that can be asked for, as values of an option.
pub(super) fn known_view() -> clap::builder::PossibleValuesParser {
    view_names().chain([REFUSALS]).collect::<Vec<_>>().into()
}

impl Query {
    /// Shows it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        if self.view == REFUSALS {
            return self.refusals()?.show(ledger, sink);
        }
        let Found { answer, unknown } = self.find(ledger, None)?;
        unknown.iter().try_for_each(|note| sink.note(note))?;
        let position = answer.position;
        show_last("", Some(&self.view), answer, sink)?;
        self.moment.note_lag(ledger, position, sink)?;
        Ok(Exit::Success)
    }

    /// Whether texts of persons are opened for it.
    pub(super) fn opens_texts(&self) -> bool {
        self.view == REFUSALS
    }

    /// Shows it as the file says that it names.
    pub(crate) fn answer_in_file(&self, sink: &mut dyn Sink) -> Outcome<Exit> {
        let Found { answer, unknown } = self.find_in(&|| self.file.open(), None)?;
        unknown.iter().try_for_each(|note| sink.note(note))?;
        self.file.show(Some(&self.view), answer, sink)
    }

    /// Finds the rows, or those behind the one of a key.
    pub(super) fn find(&self, ledger: &Reading, after: Option<Vec<String>>) -> Outcome<Found> {
        self.find_in(&|| self.moment.open(ledger), after)
    }

    fn find_in(
        &self,
        open: &dyn Fn() -> Outcome<Past>,
        after: Option<Vec<String>>,
    ) -> Outcome<Found> {
        if self.view == SCORECARDS {
            return self.scorecards(open, after.as_ref());
        }
        let view = View::named(&self.view)
            .ok_or_else(|| Failure::usage(format_args!("no read model {:?}", self.view)))?;
        if self.period.is_some() {
            return Err(Failure::usage("--period belongs to scorecards"));
        }
        let mut past = open()?;
        let filters = self.filters(view);
        let question = Question { view, filters, after, limit: self.limit, now: past.now() };
        let answer = past.reader().query(&question).map_err(unasked)?;
        self.found(answer, &mut past)
    }

    fn found(&self, answer: Answer, past: &mut Past) -> Outcome<Found> {
        let unknown = if answer.rows.is_empty() { self.unknown(past)? } else { Vec::new() };
        Ok(Found { answer, unknown })
    }

    /// Says which of the identifiers asked for the ledger does not know: nothing was found, and a
    /// slip of the pen may be why.
    fn unknown(&self, past: &mut Past) -> Outcome<Vec<String>> {
        let mut notes = Vec::new();
        let named = [
            ("partner", &self.partner, View::Partners, "no partner"),
            ("programme", &self.programme, View::Programmes, "no programme"),
            ("customer", &self.customer, View::Deals, "no deal of a customer"),
        ];
        let kept = past.reader().kept().map_err(unasked)?;
        for (column, id, view, missing) in named {
            let Some(id) = id.as_ref().filter(|_| kept.contains(&view)) else { continue };
            let one = Question { limit: Some(1), ..Question::all(view, past.now()) };
            let known = past.reader().query(&one.with(column, id)).map_err(unasked)?;
            if known.rows.is_empty() {
                notes.push(format!("{missing} {id} in this ledger"));
            }
        }
        Ok(notes)
    }

    /// Scores the partners in a period.
    fn scorecards(
        &self,
        open: &dyn Fn() -> Outcome<Past>,
        after: Option<&Vec<String>>,
    ) -> Outcome<Found> {
        let Some(period) = self.period else {
            return Err(Failure::usage("scorecards need a --period, such as 2026-Q1"));
        };
        if self.moment.effective.is_some() {
            return Err(Failure::usage(
                "--effective does not apply to scorecards: their period says which dates count",
            ));
        }
        let others = [&self.customer, &self.fund, &self.lot, &self.state];
        if others.into_iter().any(Option::is_some) || !self.conditions.is_empty() {
            return Err(Failure::usage(
                "scorecards are filtered by --partner, --programme and --period alone",
            ));
        }
        let question = ScorecardQuery {
            period,
            programme: parsed("--programme", self.programme.as_deref())?,
            partner: parsed("--partner", self.partner.as_deref())?,
        };
        let mut past = open()?;
        let mut answer = past.reader().scorecard_rows(&question).map_err(unasked)?;
        if let Some(after) = after {
            let key = key_of(&answer.columns, SCORECARD_KEY);
            answer.rows.retain(|row| key(row) > *after);
        }
        let limit = self.limit.and_then(|limit| usize::try_from(limit).ok());
        answer.rows.truncate(limit.unwrap_or(usize::MAX));
        self.found(answer, &mut past)
    }

    /// Which refusals are asked for; what does not apply to them is refused.
    fn refusals(&self) -> Outcome<Refusals<'_>> {
        let others = [&self.programme, &self.customer, &self.fund, &self.lot, &self.state];
        if others.into_iter().any(Option::is_some) || self.period.is_some() {
            return Err(Failure::usage("refusals are filtered by --partner and --where alone"));
        }
        if self.moment.effective.is_some() {
            let text = "--effective does not apply to refusals: nothing came of them";
            return Err(Failure::usage(text));
        }
        let until = match self.moment.as_of {
            None => None,
            Some(Bound::RecordedAt(at)) => Some(at),
            Some(Bound::Position(_)) => {
                let text = "refusals have no position; --as-of takes an instant here";
                return Err(Failure::usage(text));
            }
        };
        let (partner, conditions) = (self.partner.as_deref(), self.conditions.as_slice());
        Ok(Refusals { partner, conditions, until, limit: self.limit })
    }

    fn filters(&self, view: View) -> Vec<Filter> {
        let state = if view.has_effective_state() { "effective_state" } else { "state" };
        let named = [
            ("partner", &self.partner),
            ("programme", &self.programme),
            ("customer", &self.customer),
            ("fund", &self.fund),
            ("lot", &self.lot),
            (state, &self.state),
        ];
        let named = named.into_iter().filter_map(|(column, value)| {
            value.as_ref().map(|value| Filter::Is(column.to_owned(), value.clone()))
        });
        named.chain(self.conditions.iter().cloned().map(Condition::filter)).collect()
    }
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(
    option: &str,
    text: Option<&str>,
) -> Outcome<Option<T>> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error| Failure::usage(format_args!("{option}: {error}")))
}

/// What a question that cannot be answered means to the user.
pub(crate) fn unasked(error: ReaderError) -> Failure {
    let exit = match &error {
        ReaderError::Column { .. }
        | ReaderError::Value { .. }
        | ReaderError::Key(_)
        | ReaderError::NotKept { .. }
        | ReaderError::Statement(_) => Exit::Usage,
        ReaderError::Stale(_) | ReaderError::Sqlite(_) | ReaderError::Damaged(_) => Exit::Internal,
    };
    Failure::Told { exit, error: anyhow::Error::new(error) }
}
