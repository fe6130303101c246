//! How a ledger stands, in four tables.

use super::{
    moment::{self, Moment},
    query::unasked,
    rows::show,
};
use crate::{
    exit::Exit,
    failure::Outcome,
    ledger::Reading,
    output::{Sheet, Sink},
};
use chl_events::Period;
use chl_projections::ConflictState;
use chl_runtime::{Filter, Query as Question, ScorecardQuery, View};
use serde_json::{Value, json};

/// How many rows of the longer tables are shown.
const TOP: usize = 10;

/// The funds as a whole, programme by programme; exact sums of minor units, shown as decimals by
/// the number of places their currency has in the stored rows.
const BALANCES: &str = "\
SELECT programme, fund, currency, count(*) AS partners, sum(accrued_minor) AS accrued, \
sum(available_minor) AS available, sum(reserved_minor) AS reserved, sum(held_minor) AS held, \
sum(payable_minor) AS payable, sum(paid_minor) AS paid, sum(expired_minor) AS expired, \
sum(reversed_minor) AS reversed, sum(converted_minor) AS converted, sum(restored_minor) AS restored \
FROM balances WHERE lot = 'total' GROUP BY programme, fund, currency \
ORDER BY programme, fund, currency";

/// The columns of scorecards that fit on a terminal.
const SCORES: &[&str] =
    &["total", "partner", "programme", "percentile", "peer_count", "data_coverage"];

/// Shows balances, open conflicts, the top scorecards, and the trial balance of the postings.
///
/// Conflicts are those that wait for a decision at the moment of the last commit: a ledger that
/// tells of a past year is shown as that year ended.
pub(crate) fn summary(ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
    balances(ledger, sink)?;
    conflicts(ledger, sink)?;
    scorecards(ledger, sink)?;
    let exit = trial_balance(ledger, sink)?;
    let reader = ledger.views.fresh()?;
    let stands = reader.checkpoint().map_err(unasked)?;
    moment::note(sink, stands.position, stands.recorded_at)?;
    Ok(exit)
}

fn balances(ledger: &Reading, sink: &mut dyn Sink) -> Outcome {
    let mut past = Moment::default().open(ledger)?;
    let now = past.now();
    let mut answer = past.reader().sql(BALANCES, now, None).map_err(unasked)?;
    for row in &mut answer.rows {
        let code = row.get(2).and_then(Value::as_str).unwrap_or_default();
        let Ok(currency) = chl_events::Currency::new(code) else { continue };
        for amount in row.iter_mut().skip(4) {
            let minor = amount.as_i64().map(i128::from);
            let money = minor.map(|minor| chl_events::Money::from_minor(minor, currency).amount());
            *amount = json!(money);
        }
    }
    show("balances", None, answer, sink)
}

fn conflicts(ledger: &Reading, sink: &mut dyn Sink) -> Outcome {
    let reader = ledger.views.fresh()?;
    let Some(last) = reader.checkpoint().map_err(unasked)?.recorded_at else { return Ok(()) };
    let waiting = [ConflictState::Open, ConflictState::Escalated].map(|one| one.as_str().into());
    let open = Question {
        filters: vec![Filter::In("effective_state".into(), waiting.into())],
        limit: u64::try_from(TOP).ok(),
        ..Question::all(View::Conflicts, last)
    };
    let open = reader.query(&open).map_err(unasked)?;
    show("open conflicts (the first ten)", Some("conflicts"), open, sink)
}

/// The best scorecards of the year in which the last commit was recorded.
fn scorecards(ledger: &Reading, sink: &mut dyn Sink) -> Outcome {
    let reader = ledger.views.fresh()?;
    let last = reader.checkpoint().map_err(unasked)?.recorded_at;
    let year = last.and_then(|at| Period::months(at.date_utc().civil().year(), 1, 12));
    let Some(period) = year else { return Ok(()) };
    let question = ScorecardQuery { period, programme: None, partner: None };
    let answer = reader.scorecard_rows(&question).map_err(unasked)?;
    let place = |name: &str| answer.columns.iter().position(|column| column == name);
    let places: Vec<Option<usize>> = SCORES.iter().map(|name| place(name)).collect();
    let mut rows: Vec<Vec<Value>> = answer
        .rows
        .iter()
        .map(|row| {
            let value = |place: &Option<usize>| place.and_then(|at| row.get(at)).cloned();
            places.iter().map(|place| value(place).unwrap_or_default()).collect()
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.first().and_then(points)));
    let name = format!("top scorecards of {period}");
    sink.begin(&Sheet::new(&name, SCORES))?;
    rows.into_iter().take(TOP).try_for_each(|row| sink.row(row))
}

/// The points of a total, as a number that compares exactly.
fn points(total: &Value) -> Option<chl_events::Exact> {
    total.as_str().map_or_else(|| total.to_string().parse().ok(), |text| text.parse().ok())
}

/// Sums the stored postings anew, account by account.
fn trial_balance(ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
    let trial = ledger.views.fresh()?.trial_balance(None).map_err(unasked)?;
    let sheet = Sheet::new("trial balance", &["book", "account", "currency", "debit", "credit"]);
    sink.begin(&sheet)?;
    for sum in &trial.accounts {
        sink.row(sheet.values(json!({
            "book": sum.book, "account": sum.account, "currency": sum.debit.currency(),
            "debit": sum.debit.amount(), "credit": sum.credit.amount(),
        })))?;
    }
    let (lines, events) = (trial.lines, trial.events);
    if trial.is_balanced() {
        sink.note(&format!("debits equal credits, in each of {events} events ({lines} lines)"))?;
        return Ok(Exit::Success);
    }
    sink.note(&format!("debits and credits differ in {} events", trial.unbalanced.len()))?;
    Ok(Exit::Verification)
}
