//! `chl scorecard`: one partner's scorecards, to be taken into a review.

use super::{
    moment::{Moment, Past, note, note_frozen},
    publication::Publication,
    query::unasked,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::Reading,
    output::{Sheet, Sink},
    pages::{self, Told},
};
use chl_events::{PartnerId, Period, ProgrammeId};
use chl_projections::{DisputeState, scorecards::MetricScore};
use chl_runtime::{Checkpoint, Reader, Review, Reviewed};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Shows how a partner did in a period: every metric beside its peers and the period before.
///
/// Peers share types, tier and region; their medians are shown where they are five or more. With
/// --html it is one page that needs no other file, to be sent, printed or read on a phone:
/// `chl scorecard p-042 --html > p-042.html`.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct ScorecardOf {
    /// The partner.
    partner: PartnerId,
    /// The period: 2026, 2026-H1, 2026-Q1, 2026-03 or 2026-01-01/2026-03-31; without it the quarter
    /// in which the newest commit was recorded.
    #[arg(long, value_name = "PERIOD")]
    period: Option<Period>,
    /// Only in this programme.
    #[arg(long, value_name = "PROGRAMME")]
    programme: Option<ProgrammeId>,
    /// Writes an HTML page.
    #[arg(long)]
    html: bool,
    /// Publishes the figures as they stand, programme by programme, with the position in the log
    /// they stand at, where `--as-of` computes them again. A published figure may be disputed
    /// (DisputeScorecard). Prints the answers.
    #[arg(long, conflicts_with = "html")]
    pub(crate) publish: bool,
    /// How many periods before are compared.
    #[arg(long, value_name = "N", default_value_t = BEFORE, value_parser = clap::value_parser!(u8).range(0..=40))]
    before: u8,
    #[command(flatten)]
    moment: Moment,
}

/// How many periods before are compared where nobody says.
const BEFORE: u8 = 5;

/// The row of a category's points.
const POINTS: &str = "points";

const COLUMNS: &[&str] = &[
    "partner",
    "programme",
    "period",
    "category",
    "metric",
    "value",
    "before",
    "peers_median",
    "score",
    "weight",
    "published",
    "dispute",
];

impl ScorecardOf {
    /// Shows it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let (mut past, period) = self.open(ledger)?;
        if self.publish {
            let (partner, programme) = (&self.partner, self.programme.as_ref());
            return Publication { partner, period, programme }.answer(past.reader(), sink);
        }
        let review = self.review(past.reader(), period)?;
        if self.html {
            let page = written(&review, period, Told::Vendor)?;
            page.lines().try_for_each(|line| sink.line(line))?;
        } else {
            show(&review, period, sink)?;
        }
        note(sink, review.checkpoint.position, review.checkpoint.recorded_at)?;
        note_frozen(sink, &review.frozen)?;
        Ok(Exit::Success)
    }

    /// The page of a partner's scorecards, for whoever is told.
    pub(crate) fn page(
        partner: PartnerId,
        period: Option<Period>,
        ledger: &Reading,
        told: Told,
    ) -> Outcome<String> {
        let (programme, moment) = (None, Moment::default());
        let (html, publish, before) = (true, false, BEFORE);
        let asked = Self { partner, period, programme, html, publish, before, moment };
        let (mut past, period) = asked.open(ledger)?;
        let review = asked.review(past.reader(), period)?;
        written(&review, period, told)
    }

    /// The read models as of the moment asked for, and the period.
    fn open(&self, ledger: &Reading) -> Outcome<(Past, Period)> {
        if self.moment.effective.is_some() {
            return Err(Failure::usage(
                "--effective does not apply to scorecards: their period says which dates count",
            ));
        }
        let mut past = self.moment.open(ledger)?;
        let checkpoint = past.reader().checkpoint().map_err(unasked)?;
        let period = match self.period {
            Some(period) => period,
            None => newest(&checkpoint)?,
        };
        Ok((past, period))
    }

    fn review(&self, reader: &Reader, period: Period) -> Outcome<Review> {
        let programme = self.programme.as_ref();
        let review = reader.review(&self.partner, programme, period, self.before.into());
        review.map_err(unasked)?.ok_or_else(|| {
            Failure::usage(format_args!("no partner {} in this ledger", self.partner))
        })
    }
}

fn written(review: &Review, period: Period, told: Told) -> Outcome<String> {
    let page = pages::scorecard(review, period, told);
    page.or_exit(Exit::Internal, "the page cannot be written")
}

/// The quarter in which the newest commit was recorded.
pub(crate) fn newest_quarter(ledger: &Reading) -> Outcome<Period> {
    let mut past = Moment::default().open(ledger)?;
    newest(&past.reader().checkpoint().map_err(unasked)?)
}

fn newest(checkpoint: &Checkpoint) -> Outcome<Period> {
    let at = checkpoint.recorded_at.ok_or_else(|| Failure::usage("the ledger is empty"))?;
    let out_of_range = "--period: the ledger's own time is out of range";
    quarter(at.date_utc()).ok_or_else(|| Failure::usage(out_of_range))
}

fn show(review: &Review, period: Period, sink: &mut dyn Sink) -> Outcome {
    let sheet = Sheet::new("", COLUMNS);
    sink.begin(&sheet)?;
    if review.programmes.is_empty() {
        sink.note("the partner was enrolled in no such programme by the end of the period")?;
    }
    for reviewed in &review.programmes {
        for row in rows(reviewed) {
            let mut row = row;
            if let Value::Object(fields) = &mut row {
                fields.insert("partner".into(), json!(review.partner.partner));
                fields.insert("programme".into(), json!(reviewed.card.programme));
                fields.insert("period".into(), json!(period.name()));
                if let Some(figure) = reviewed.published(figure_name(fields)) {
                    let dispute = figure.dispute.map(DisputeState::as_str);
                    fields.insert("published".into(), text(Some(figure.holds().get())));
                    fields.insert("dispute".into(), json!(dispute));
                }
            }
            sink.row(sheet.values(row))?;
        }
    }
    Ok(())
}

/// What a row is called among published figures: a category's points go by its name.
fn figure_name(row: &Map<String, Value>) -> &str {
    let of = |column: &str| row.get(column).and_then(Value::as_str);
    let metric = of("metric").filter(|metric| *metric != POINTS);
    metric.or_else(|| of("category")).unwrap_or_default()
}

/// The total, then each category with its metrics.
fn rows(reviewed: &Reviewed) -> Vec<Value> {
    let Reviewed { card, .. } = reviewed;
    let last = reviewed.last();
    let mut rows = vec![json!({
        "metric": "total",
        "value": text(card.total),
        "before": text(last.and_then(|last| last.total)),
        "peers_median": null,
    })];
    for category in &card.categories {
        let of = category.category;
        rows.push(json!({
            "category": of.as_str(),
            "metric": POINTS,
            "value": text(category.points),
            "before": text(last.and_then(|last| last.points(of))),
            "peers_median": text(reviewed.peers_points(of)),
            "weight": text(Some(category.weight)),
        }));
        let mine = card.metrics.iter().filter(|one| one.metric.category() == of);
        rows.extend(mine.map(|one| metric(one, reviewed)));
    }
    rows
}

fn metric(one: &MetricScore, reviewed: &Reviewed) -> Value {
    let last = reviewed.last().and_then(|last| last.metric(one.metric));
    json!({
        "category": one.metric.category().as_str(),
        "metric": one.metric.as_str(),
        "value": text(one.value),
        "before": text(last.and_then(|last| last.value)),
        "peers_median": text(reviewed.peers_value(one.metric)),
        "score": text(one.score),
        "weight": text(one.weight),
    })
}

fn text(value: Option<Decimal>) -> Value {
    value.map_or(Value::Null, |value| json!(value.to_string()))
}

/// The quarter of a day.
fn quarter(day: chl_events::Date) -> Option<Period> {
    let day = day.civil();
    Period::months(day.year(), (day.month() - 1) / 3 * 3 + 1, 3)
}
