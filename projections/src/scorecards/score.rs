//! Points: from metrics to categories, a total, the gate and the place among peers.

use super::{Metric, count, ratio};
use chl_events::{
    PartnerId, Period, ProgrammeId,
    terms::{Category, MetricTerms, ScorecardTerms},
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The fewest partners that make a group of peers (scorecards of the domain).
pub(super) const FEWEST_PEERS: usize = 5;
pub(super) const METRIC_PLACES: u32 = 6;
pub(super) const POINT_PLACES: u32 = 2;
const PERCENTILE_PLACES: u32 = 1;

/// A metric on a scorecard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricScore {
    /// The metric.
    pub metric: Metric,
    /// Its value; none without data, never 0 for none.
    pub value: Option<Decimal>,
    /// From 0 to 1, where the terms score it and it has a value.
    pub score: Option<Decimal>,
    /// Its weight within its category, where the terms score it.
    pub weight: Option<Decimal>,
}

/// A category on a scorecard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryScore {
    /// The category.
    pub category: Category,
    /// Its weight by the terms.
    pub weight: Decimal,
    /// From 0 to 100; none where no scored metric has data.
    pub points: Option<Decimal>,
}

/// How a partner did in a programme over a period.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scorecard {
    /// The partner.
    pub partner: Option<PartnerId>,
    /// The programme.
    pub programme: Option<ProgrammeId>,
    /// The version of its terms, in force at the period's end.
    pub version: u32,
    /// The period.
    pub period: Option<Period>,
    /// Every metric.
    pub metrics: Vec<MetricScore>,
    /// The five categories.
    pub categories: Vec<CategoryScore>,
    /// From 0 to 100, over the categories with data, renormalised; none without any.
    pub total: Option<Decimal>,
    /// Which share of all weights has data.
    pub coverage: Option<Decimal>,
    /// Whether it passes the terms' gate, where there is one and a total.
    pub gate_passed: Option<bool>,
    /// Types, tier and region, which its peers share.
    pub peers: String,
    /// How many partners of that group have a total, itself included.
    pub peer_count: usize,
    /// 100 × (below + half of equal) / number; none among fewer than five.
    pub percentile: Option<Decimal>,
}

impl Scorecard {
    /// The points of a category; none where no scored metric of it has data.
    pub fn points(&self, category: Category) -> Option<Decimal> {
        self.categories.iter().find(|one| one.category == category)?.points
    }

    /// A metric's value and score.
    pub fn metric(&self, metric: Metric) -> Option<&MetricScore> {
        self.metrics.iter().find(|one| one.metric == metric)
    }
}

/// Scores the values of one partner.
pub(super) fn score(terms: &ScorecardTerms, values: &BTreeMap<Metric, Decimal>) -> Scorecard {
    let metrics: Vec<MetricScore> =
        Metric::ALL.iter().map(|metric| metric_score(terms, *metric, values)).collect();
    let categories: Vec<CategoryScore> =
        Category::ALL.iter().map(|category| category_score(terms, *category, &metrics)).collect();
    let (total, coverage) = total(&categories);
    let gate_passed = terms.gate.as_ref().zip(total).map(|(gate, total)| {
        let zero = metrics.iter().any(|one| one.score.is_some_and(|score| score.is_zero()));
        total >= gate.threshold.get() && !(gate.no_metric_at_zero && zero)
    });
    let places = |value: Option<Decimal>, places| value.map(|value| rounded(value, places));
    let shown = |one: MetricScore| MetricScore {
        value: places(one.value, METRIC_PLACES),
        score: places(one.score, METRIC_PLACES),
        ..one
    };
    Scorecard {
        metrics: metrics.into_iter().map(shown).collect(),
        categories: categories
            .into_iter()
            .map(|one| CategoryScore { points: places(one.points, POINT_PLACES), ..one })
            .collect(),
        total: places(total, POINT_PLACES),
        coverage: places(coverage, METRIC_PLACES),
        gate_passed,
        ..Scorecard::default()
    }
}

/// A value as it is shown.
pub(super) fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp(places).normalize()
}

fn metric_score(
    terms: &ScorecardTerms,
    metric: Metric,
    values: &BTreeMap<Metric, Decimal>,
) -> MetricScore {
    let value = values.get(&metric).copied();
    let rule = terms.metrics.iter().find(|rule| rule.metric.as_str() == metric.as_str());
    let score = value.zip(rule).and_then(|(value, rule)| scaled(value, rule));
    MetricScore { metric, value, score, weight: rule.map(|rule| rule.weight.get()) }
}

/// `clamp((x − lo) / (hi − lo), 0, 1)`; with `hi` below `lo` lower is better.
fn scaled(value: Decimal, rule: &MetricTerms) -> Option<Decimal> {
    let (lo, hi) = (rule.lo.get(), rule.hi.get());
    if lo == hi {
        return Some(if value >= hi { Decimal::ONE } else { Decimal::ZERO });
    }
    let scaled = ratio(value.checked_sub(lo)?, hi.checked_sub(lo)?)?;
    Some(scaled.clamp(Decimal::ZERO, Decimal::ONE))
}

fn category_score(
    terms: &ScorecardTerms,
    category: Category,
    metrics: &[MetricScore],
) -> CategoryScore {
    let weight = terms.weights.iter().find(|one| one.category == category);
    let scored = metrics.iter().filter(|one| one.metric.category() == category);
    let scored = scored.filter_map(|one| Some((one.score?, one.weight?)));
    CategoryScore {
        category,
        weight: weight.map_or(Decimal::ZERO, |one| one.weight.get()),
        points: weighted(scored).map(|(points, _)| points),
    }
}

fn total(categories: &[CategoryScore]) -> (Option<Decimal>, Option<Decimal>) {
    let with_data = categories.iter();
    let with_data =
        with_data.filter_map(|one| Some((ratio(one.points?, Decimal::ONE_HUNDRED)?, one.weight)));
    let all: Decimal = categories.iter().map(|one| one.weight).sum();
    match weighted(with_data) {
        Some((points, weight)) => (Some(points), ratio(weight, all)),
        None => (None, ratio(Decimal::ZERO, all)),
    }
}

/// The weighted mean of scores from 0 to 1, in points of 100, and the sum of the weights.
fn weighted(scores: impl Iterator<Item = (Decimal, Decimal)>) -> Option<(Decimal, Decimal)> {
    let mut sum = Decimal::ZERO;
    let mut weights = Decimal::ZERO;
    for (score, weight) in scores {
        sum = sum.checked_add(score.checked_mul(weight)?)?;
        weights = weights.checked_add(weight)?;
    }
    let points = ratio(sum, weights)?.checked_mul(Decimal::ONE_HUNDRED)?;
    Some((points, weights))
}

/// Places every scorecard among its peers, by the totals as they are shown.
pub(super) fn among_peers(mut cards: Vec<Scorecard>) -> Vec<Scorecard> {
    let mut groups: BTreeMap<String, Vec<Decimal>> = BTreeMap::new();
    for card in &cards {
        let group = groups.entry(card.peers.clone()).or_default();
        group.extend(card.total);
    }
    groups.values_mut().for_each(|totals| totals.sort_unstable());
    for card in &mut cards {
        let Some(totals) = groups.get(&card.peers) else { continue };
        card.peer_count = totals.len();
        if let Some(total) = card.total.filter(|_| totals.len() >= FEWEST_PEERS) {
            let below = totals.partition_point(|one| *one < total);
            let up_to = totals.partition_point(|one| *one <= total);
            // Twice below and equal once, over twice the number: halves stay whole.
            let place = count(below + up_to).checked_mul(Decimal::from(50));
            let percentile = place.and_then(|place| ratio(place, count(totals.len())));
            card.percentile = percentile.map(|value| rounded(value, PERCENTILE_PLACES));
        }
    }
    cards
}
