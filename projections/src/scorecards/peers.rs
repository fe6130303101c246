//! What a group of peers has in common, without telling who is who.

use super::{
    Metric, Scorecard, median,
    score::{FEWEST_PEERS, METRIC_PLACES, POINT_PLACES, rounded},
};
use chl_events::terms::Category;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The partners of one programme that share types, tier and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peers {
    /// Their totals, in order.
    pub totals: Vec<Decimal>,
    /// The medians of their points, by category with data.
    pub categories: BTreeMap<Category, Decimal>,
    /// The medians of their values, by metric with data.
    pub metrics: BTreeMap<Metric, Decimal>,
}

impl Peers {
    /// The peers of one partner among all scorecards of a programme and period; none where they are
    /// fewer than five: each could be told from what is shown.
    pub fn of(card: &Scorecard, all: &[Scorecard]) -> Option<Self> {
        let group: Vec<&Scorecard> = all
            .iter()
            .filter(|one| one.programme == card.programme && one.peers == card.peers)
            .collect();
        let mut totals: Vec<Decimal> = group.iter().filter_map(|one| one.total).collect();
        if totals.len() < FEWEST_PEERS {
            return None;
        }
        totals.sort_unstable();
        let mut categories: BTreeMap<Category, Vec<Decimal>> = BTreeMap::new();
        let mut metrics: BTreeMap<Metric, Vec<Decimal>> = BTreeMap::new();
        for one in group {
            for category in &one.categories {
                categories.entry(category.category).or_default().extend(category.points);
            }
            for metric in &one.metrics {
                metrics.entry(metric.metric).or_default().extend(metric.value);
            }
        }
        Some(Self {
            totals,
            categories: medians(categories, POINT_PLACES),
            metrics: medians(metrics, METRIC_PLACES),
        })
    }
}

/// Of as many values as make a group; fewer tell of single partners.
fn medians<K: Ord>(of: BTreeMap<K, Vec<Decimal>>, places: u32) -> BTreeMap<K, Decimal> {
    let of = of.into_iter().filter(|(_, values)| values.len() >= FEWEST_PEERS);
    of.filter_map(|(key, values)| Some((key, rounded(median(values)?, places)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scorecards::MetricScore;

    fn card(peers: &str, total: u32) -> Scorecard {
        let value = Some(Decimal::from(10 * total));
        let metric = MetricScore { metric: Metric::WinRate, value, score: None, weight: None };
        Scorecard {
            peers: peers.into(),
            total: Some(Decimal::from(total)),
            metrics: vec![metric],
            ..Scorecard::default()
        }
    }

    #[test]
    fn peers_share_a_group_and_are_five_at_least() {
        let mut all: Vec<Scorecard> = [5, 1, 9, 3].map(|total| card("var", total)).into();
        all.push(card("msp", 100));
        assert_eq!(Peers::of(&card("var", 5), &all), None);
        all.push(card("var", 2));
        let peers = Peers::of(&card("var", 5), &all);
        let peers = peers.map(|peers| (peers.totals, peers.metrics));
        let totals = [1, 2, 3, 5, 9].map(Decimal::from).to_vec();
        let metrics = BTreeMap::from([(Metric::WinRate, Decimal::from(30))]);
        assert_eq!(peers, Some((totals, metrics)));
    }
}
