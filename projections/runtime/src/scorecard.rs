//! Scorecards from the stored rows, for any period, and as a table for SQL.

use crate::{Answer, Filter, Query, Reader, ReaderError, View};
use chl_events::{Instant, PartnerId, Period, ProgrammeId};
use chl_projections::{
    CertificationRow, ClaimRow, DayRow, DealRow, MeasureRow, PartnerRow, ProgrammeRow, Row,
    TierRow,
    scorecards::{Gather, Metric, Scorecard},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The table that is made of scorecards where a statement speaks of them.
pub(crate) const SCORECARDS: &str = "scorecards";

/// The read models that scorecards are made from.
pub(crate) const SCORED: &[View] = &[
    View::Deals,
    View::Claims,
    View::Partners,
    View::Tiers,
    View::Certifications,
    View::Measures,
    View::Programmes,
    View::Days,
];

/// Which scorecards are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScorecardQuery {
    /// The period.
    pub period: Period,
    /// Only of this programme.
    pub programme: Option<ProgrammeId>,
    /// Only of this partner; it is still scored among all its peers.
    pub partner: Option<PartnerId>,
}

impl Reader {
    /// Scores every enrolled partner, programme by programme.
    pub fn scorecards(&self, query: &ScorecardQuery) -> Result<Vec<Scorecard>, ReaderError> {
        self.snapshot(|reader| reader.score(query))
    }

    /// The same as rows: a column per category, and per metric its value, score and weight.
    pub fn scorecard_rows(&self, query: &ScorecardQuery) -> Result<Answer, ReaderError> {
        self.snapshot(|reader| {
            let checkpoint = reader.checkpoint()?;
            Ok(Answer {
                position: checkpoint.position,
                recorded_at: checkpoint.recorded_at,
                columns: columns(),
                rows: reader.score(query)?.iter().map(values).collect(),
                frozen: reader.frozen(SCORED)?,
            })
        })
    }

    pub(crate) fn score(&self, query: &ScorecardQuery) -> Result<Vec<Scorecard>, ReaderError> {
        let mut cards: Vec<Scorecard> =
            self.score_all(query)?.into_iter().flat_map(|(_, cards)| cards).collect();
        if let Some(partner) = &query.partner {
            cards.retain(|card| card.partner.as_ref() == Some(partner));
        }
        Ok(cards)
    }

    /// Scores every partner of each programme, whichever partner is asked for.
    pub(crate) fn score_all(
        &self,
        query: &ScorecardQuery,
    ) -> Result<Vec<(ProgrammeRow, Vec<Scorecard>)>, ReaderError> {
        self.require(SCORED)?;
        let scored = self.programmes(query)?.into_iter().map(|programme| {
            let cards = self.gather(&programme, query.period)?.finish();
            Ok((programme, cards))
        });
        scored.collect()
    }

    /// The version of each programme that is in force at the period's end.
    fn programmes(&self, query: &ScorecardQuery) -> Result<Vec<ProgrammeRow>, ReaderError> {
        let mut all = ask(View::Programmes);
        if let Some(programme) = &query.programme {
            all = all.with("programme", programme.as_str());
        }
        let mut found: Vec<ProgrammeRow> = Vec::new();
        self.each::<ProgrammeRow>(&all, &mut |row| {
            if row.effective_from <= query.period.last() {
                found.retain(|one| {
                    let at = |row: &ProgrammeRow| (row.effective_from, row.version);
                    one.programme != row.programme || at(one) > at(&row)
                });
                if found.iter().all(|one| one.programme != row.programme) {
                    found.push(row);
                }
            }
            Ok(())
        })?;
        Ok(found)
    }

    fn gather(&self, programme: &ProgrammeRow, period: Period) -> Result<Gather, ReaderError> {
        let terms = programme.terms().ok().flatten();
        let terms = terms.ok_or(ReaderError::Damaged(ProgrammeRow::TABLE.name))?;
        let id = programme.programme.as_str();
        let of = (programme.programme.clone(), programme.version);
        let mut gather = Gather::new(of, programme.currency, terms.scorecard, period);
        let mine = |view| ask(view).with("programme", id);
        let mut days = mine(View::Days);
        let first_day = gather.first_day().to_string();
        days.filters.push(Filter::From("day".into(), first_day));
        days.filters.push(Filter::To("day".into(), period.last().to_string()));
        let mut claims = mine(View::Claims);
        claims.filters.push(Filter::From("activity_date".into(), period.first().to_string()));
        claims.filters.push(Filter::To("activity_date".into(), period.last().to_string()));
        self.feed::<TierRow>(&mine(View::Tiers), |row| gather.tier(row))?;
        self.feed::<PartnerRow>(&ask(View::Partners), |row| gather.partner(row))?;
        self.feed::<DealRow>(&mine(View::Deals), |row| gather.deal(row))?;
        self.feed::<DayRow>(&days, |row| gather.day(row))?;
        self.feed::<ClaimRow>(&claims, |row| gather.claim(row))?;
        self.feed::<CertificationRow>(&ask(View::Certifications), |row| {
            gather.certification(row);
        })?;
        self.feed::<MeasureRow>(&ask(View::Measures), |row| gather.measure(row))?;
        Ok(gather)
    }

    fn feed<R: Row>(&self, query: &Query, mut to: impl FnMut(&R)) -> Result<(), ReaderError> {
        self.each::<R>(query, &mut |row| {
            to(&row);
            Ok(())
        })
    }

    /// Makes a temporary table `scorecards` for every month, quarter, half and year in which a
    /// deal closed or money moved, on this connection only.
    pub(crate) fn tabulate_scorecards(&self) -> Result<(), ReaderError> {
        self.require(SCORED)?;
        let columns = columns();
        // Decimals are numbers to SQL, identifiers stay texts: `NUMERIC` keeps both.
        let declared: Vec<String> = columns
            .iter()
            .map(|name| format!("{name} {}", if is_text(name) { "TEXT" } else { "NUMERIC" }))
            .collect();
        self.db.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.scorecards; CREATE TEMP TABLE scorecards ({})",
            declared.join(", ")
        ))?;
        let marks = vec!["?"; columns.len()].join(",");
        let insert = format!("INSERT INTO temp.scorecards VALUES ({marks})");
        let mut statement = self.db.prepare(&insert)?;
        self.each_card(|values| {
            let values = values.into_iter().map(|value| match value {
                Value::String(text) => rusqlite::types::Value::Text(text),
                Value::Bool(yes) => rusqlite::types::Value::Integer(i64::from(yes)),
                Value::Number(number) => number
                    .as_i64()
                    .map_or(rusqlite::types::Value::Null, rusqlite::types::Value::Integer),
                Value::Null | Value::Array(_) | Value::Object(_) => rusqlite::types::Value::Null,
            });
            statement.execute(rusqlite::params_from_iter(values))?;
            Ok::<(), ReaderError>(())
        })
    }

    /// Hands out the values of every scorecard of every calendar period with facts, in the order
    /// of [`Reader::scorecard_columns`].
    pub(crate) fn each_card<E: From<ReaderError>>(
        &self,
        mut to: impl FnMut(Vec<Value>) -> Result<(), E>,
    ) -> Result<(), E> {
        for name in self.periods()? {
            let Ok(period) = name.parse() else { continue };
            let query = ScorecardQuery { period, programme: None, partner: None };
            self.score(&query)?.iter().try_for_each(|card| to(values(card)))?;
        }
        Ok(())
    }

    /// The columns of scorecards: what they are of, a category's points each, and of each metric its
    /// value, score and weight.
    pub fn scorecard_columns() -> Vec<String> {
        columns()
    }

    /// The names of the calendar periods that have facts.
    fn periods(&self) -> Result<BTreeSet<String>, ReaderError> {
        let mut statement = self.db.prepare(
            "SELECT DISTINCT substr(day, 1, 7) FROM days UNION \
             SELECT DISTINCT substr(closed_on, 1, 7) FROM deals WHERE closed_on IS NOT NULL",
        )?;
        let months = statement.query_map([], |row| row.get::<_, String>(0))?;
        let mut names = BTreeSet::new();
        for month in months {
            let month = month?;
            let Some((year, number)) = month.split_once('-') else { continue };
            let Ok(number) = number.parse::<u8>() else { continue };
            let zero = number.saturating_sub(1);
            names.insert(format!("{year}-Q{}", zero / 3 + 1));
            names.insert(format!("{year}-H{}", zero / 6 + 1));
            names.insert(year.to_owned());
            names.insert(month);
        }
        Ok(names)
    }
}

/// Everything of a view; nothing scorecards read depends on the moment of asking.
pub(crate) fn ask(view: View) -> Query {
    Query::all(view, Instant::from_micros(0))
}

fn is_text(column: &str) -> bool {
    ["partner", "programme", "period", "peers"].contains(&column)
}

fn columns() -> Vec<String> {
    let first = ["partner", "programme", "period", "programme_version", "total"];
    let categories = chl_events::terms::Category::ALL.iter().map(|one| one.as_str());
    let then = ["data_coverage", "gate_passed", "peers", "peer_count", "percentile"];
    let fixed = first.into_iter().chain(categories).chain(then).map(String::from);
    let metrics = Metric::ALL.iter().flat_map(|metric| {
        let name = metric.as_str();
        [name.into(), format!("{name}_score"), format!("{name}_weight")]
    });
    fixed.chain(metrics).collect()
}

fn values(card: &Scorecard) -> Vec<Value> {
    let mut values = vec![
        text(card.partner.as_ref()),
        text(card.programme.as_ref()),
        text(card.period.as_ref()),
        json!(card.version),
        text(card.total.as_ref()),
    ];
    values.extend(card.categories.iter().map(|one| text(one.points.as_ref())));
    values.extend([
        text(card.coverage.as_ref()),
        json!(card.gate_passed),
        json!(card.peers),
        json!(card.peer_count),
        text(card.percentile.as_ref()),
    ]);
    for one in &card.metrics {
        let cells = [&one.value, &one.score, &one.weight];
        values.extend(cells.map(|cell| text(cell.as_ref())));
    }
    values
}

fn text<T: std::fmt::Display>(value: Option<&T>) -> Value {
    value.map_or(Value::Null, |value| json!(value.to_string()))
}
