//! What was published of a partner for a period, beside what the facts come to now.

use super::{
    figures::{figure, grouped},
    words::titled,
};
use chl_events::Instant;
use chl_projections::{
    DisputeState, FigureRow,
    scorecards::{CategoryScore, Metric, Unit},
};
use chl_runtime::Reviewed;
use rust_decimal::Decimal;

/// What is shown where there is no value.
const NONE: &str = "–";

/// A published scorecard.
pub(super) struct OnRecord {
    pub(super) published_on: String,
    pub(super) version: u32,
    /// The last commit that counted.
    pub(super) position: u64,
    /// The figures that are not what they were, and those that were disputed.
    pub(super) lines: Vec<Line>,
    /// How many are what they were.
    pub(super) same: usize,
}

/// A figure that was published or could be now.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) published: String,
    pub(super) now: String,
    pub(super) dispute: Option<String>,
}

impl OnRecord {
    /// What was published; none where nothing was.
    pub(super) fn of(reviewed: &Reviewed) -> Option<Self> {
        let first = reviewed.published.first()?;
        let changed: Vec<Figure> =
            figures(reviewed).filter(|one| has_changed(reviewed, one)).collect();
        let published = changed.iter().filter(|one| reviewed.published(one.name).is_some());
        let same = reviewed.published.len().saturating_sub(published.count());
        Some(Self {
            published_on: day(first.published_at),
            version: first.programme_version,
            position: first.position,
            lines: changed.iter().map(|one| line(reviewed, one)).collect(),
            same,
        })
    }
}

/// What can be published, and what it comes to now.
struct Figure {
    name: &'static str,
    unit: Unit,
    now: Option<Decimal>,
}

/// The total, the place among peers, each category with its metrics.
fn figures(reviewed: &Reviewed) -> impl Iterator<Item = Figure> {
    let card = &reviewed.card;
    let number = |name, now| Figure { name, unit: Unit::Number, now };
    let whole =
        [number(FigureRow::TOTAL, card.total), number(FigureRow::PERCENTILE, card.percentile)];
    let of_category = move |one: &CategoryScore| {
        let category = one.category;
        let metrics = Metric::ALL.iter().filter(move |metric| metric.category() == category);
        let metrics = metrics.map(|metric| {
            let now = card.metric(*metric).and_then(|score| score.value);
            Figure { name: metric.as_str(), unit: metric.unit(), now }
        });
        std::iter::once(number(category.as_str(), one.points)).chain(metrics)
    };
    whole.into_iter().chain(card.categories.iter().flat_map(of_category))
}

/// Whether a figure is not what holds of what was published, or was disputed.
fn has_changed(reviewed: &Reviewed, of: &Figure) -> bool {
    let published = reviewed.published(of.name);
    let disputed = published.is_some_and(|row| row.dispute.is_some());
    disputed || published.map(|row| row.holds().get()) != of.now
}

fn line(reviewed: &Reviewed, of: &Figure) -> Line {
    let Figure { name, unit, now } = *of;
    let published = reviewed.published(name);
    let shown = |value: Option<Decimal>| {
        value.map_or(NONE.into(), |value| figure(value, unit, reviewed.currency))
    };
    let stated = published.map(|row| row.value.get());
    let (mut before, mut after) = (shown(stated), shown(now));
    if before == after && stated != now {
        // They differ behind the digits that people read.
        let exact = |value: Option<Decimal>| value.map_or(NONE.into(), grouped);
        (before, after) = (exact(stated), exact(now));
    }
    let dispute = published.and_then(|row| dispute(row, unit, reviewed));
    Line { name: titled(name), published: before, now: after, dispute }
}

fn dispute(row: &FigureRow, unit: Unit, reviewed: &Reviewed) -> Option<String> {
    let on = |at: Option<Instant>| at.map(day).unwrap_or_default();
    let (disputed, settled) = (on(row.disputed_at), on(row.settled_at));
    Some(match row.dispute? {
        DisputeState::Open => format!("open since {disputed}"),
        DisputeState::Stands => format!("of {disputed}, settled {settled}: stands"),
        DisputeState::Corrected => {
            let right = figure(row.holds().get(), unit, reviewed.currency);
            format!("of {disputed}, settled {settled}: corrected to {right}")
        }
    })
}

fn day(at: Instant) -> String {
    at.date_utc().to_string()
}
