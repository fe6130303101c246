//! The page of a partner's scorecards.

use super::{
    chart::{Trend, place},
    figures::{Change, figure, grouped},
    on_record::OnRecord,
    words::titled,
};
use askama::Template;
use chl_events::Period;
use chl_projections::scorecards::{CategoryScore, MetricScore, Peers, Scorecard, Unit};
use chl_runtime::{Review, Reviewed};
use rust_decimal::Decimal;

/// What is shown where there is no data.
const NOTHING: &str = "–";

#[derive(Template)]
#[template(path = "scorecard.html")]
struct Page {
    partner: String,
    name: String,
    period: String,
    days: String,
    origin: Option<Origin>,
    programmes: Vec<Programme>,
}

/// Where the numbers come from.
struct Origin {
    position: u64,
    recorded_at: String,
    ledger: String,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// The vendor, with where in the log the numbers stand.
    Vendor,
    /// A partner, to whom a position would show how much others do.
    Partner,
}

struct Programme {
    programme: String,
    version: u32,
    total: String,
    /// Where the total stands on its bar.
    place: Option<String>,
    change: Option<Change>,
    gate: Option<bool>,
    coverage: String,
    rank: String,
    group: String,
    peers: Option<Strip>,
    trend: Option<Trend>,
    on_record: Option<OnRecord>,
    categories: Vec<Category>,
}

/// The totals of the peers on one line.
struct Strip {
    places: Vec<String>,
    told: String,
}

struct Category {
    name: String,
    weight: String,
    points: String,
    place: Option<String>,
    median: Option<String>,
    change: Option<Change>,
    metrics: Vec<Metric>,
}

struct Metric {
    name: String,
    meaning: &'static str,
    value: String,
    change: Option<Change>,
    median: String,
    weight: String,
    score: Option<String>,
}

/// Writes the page.
pub(crate) fn scorecard(review: &Review, period: Period, told: Told) -> askama::Result<String> {
    let partner = &review.partner;
    let recorded_at = review.checkpoint.recorded_at;
    let origin = Origin {
        position: review.checkpoint.position.saturating_sub(1),
        recorded_at: recorded_at.map_or_else(String::new, |at| at.to_string()),
        ledger: review.checkpoint.ledger.to_string(),
    };
    let page = Page {
        partner: partner.partner.to_string(),
        // A natural person's name is sealed.
        name: partner.name.as_deref().unwrap_or(partner.partner.as_str()).to_owned(),
        period: period.name(),
        days: format!("{} to {}", period.first(), period.last()),
        origin: (told == Told::Vendor).then_some(origin),
        programmes: review.programmes.iter().map(programme).collect(),
    };
    page.render()
}

fn programme(reviewed: &Reviewed) -> Programme {
    let Reviewed { card, before, peers, .. } = reviewed;
    let totals: Vec<(String, Decimal)> = before
        .iter()
        .chain([card])
        .filter_map(|card| Some((card.period?.name(), card.total?)))
        .collect();
    let last = reviewed.last();
    Programme {
        programme: card.programme.as_ref().map(ToString::to_string).unwrap_or_default(),
        version: card.version,
        total: points(card.total),
        place: card.total.map(place),
        change: gained(last.and_then(|last| last.total), card.total, reviewed),
        gate: card.gate_passed,
        coverage: card
            .coverage
            .map_or(NOTHING.into(), |share| figure(share, Unit::Share, reviewed.currency)),
        rank: rank(card),
        group: card.peers.split('/').filter(|one| !one.is_empty()).collect::<Vec<_>>().join(" · "),
        peers: peers.as_ref().map(strip),
        trend: Trend::of(&totals),
        on_record: OnRecord::of(reviewed),
        categories: card.categories.iter().map(|one| category(one, reviewed)).collect(),
    }
}

fn points(points: Option<Decimal>) -> String {
    points.map_or(NOTHING.into(), |points| points.to_string())
}

/// How points have changed; more are better.
fn gained(before: Option<Decimal>, now: Option<Decimal>, reviewed: &Reviewed) -> Option<Change> {
    let (before, now) = (before?, now?);
    Some(Change::between((before, now), Unit::Number, Some(now.cmp(&before)), reviewed.currency))
}

fn rank(card: &Scorecard) -> String {
    match card.percentile {
        Some(percentile) => format!("percentile {percentile} of {} peers", card.peer_count),
        None => format!("{} of its kind: too few to compare", card.peer_count),
    }
}

fn strip(peers: &Peers) -> Strip {
    let lowest = peers.totals.first().copied();
    let highest = peers.totals.last().copied();
    Strip {
        places: peers.totals.iter().copied().map(place).collect(),
        told: format!(
            "{} peers, from {} to {}",
            peers.totals.len(),
            points(lowest),
            points(highest)
        ),
    }
}

fn category(score: &CategoryScore, reviewed: &Reviewed) -> Category {
    let before = reviewed.last().and_then(|last| last.points(score.category));
    let metrics = reviewed.card.metrics.iter();
    Category {
        name: titled(score.category.as_str()),
        weight: grouped(score.weight.normalize()),
        points: points(score.points),
        place: score.points.map(place),
        median: reviewed.peers_points(score.category).map(place),
        change: gained(before, score.points, reviewed),
        metrics: metrics
            .filter(|one| one.metric.category() == score.category)
            .filter(|one| one.value.is_some() || one.weight.is_some())
            .map(|one| metric(one, reviewed))
            .collect(),
    }
}

fn metric(score: &MetricScore, reviewed: &Reviewed) -> Metric {
    let unit = score.metric.unit();
    let shown = |value: Decimal| figure(value, unit, reviewed.currency);
    let last = reviewed.last().and_then(|last| last.metric(score.metric));
    let values = last.and_then(|last| last.value).zip(score.value);
    // Whether more is better, the terms decide, by what they score higher.
    let scores = last.and_then(|last| last.score).zip(score.score);
    let better = scores.map(|(before, now)| now.cmp(&before));
    let median = reviewed.peers_value(score.metric);
    Metric {
        name: titled(score.metric.as_str()),
        meaning: score.metric.meaning().trim(),
        value: score.value.map_or(NOTHING.into(), shown),
        change: values.map(|values| Change::between(values, unit, better, reviewed.currency)),
        median: median.map_or(NOTHING.into(), shown),
        weight: score.weight.map_or(NOTHING.into(), |weight| grouped(weight.normalize())),
        score: score.score.map(|score| place(score * Decimal::ONE_HUNDRED)),
    }
}
