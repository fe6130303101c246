//! Scorecards from rows: metrics, points, renormalisation, gate and peers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod history;

use chl_events::{
    Commit, Currency, Period,
    terms::{Category, Gate, MetricTerms, RequiredCredential, ScorecardTerms},
};
use chl_projections::{
    MemoryStore, fold,
    scorecards::{Gather, Metric, Scorecard},
};
use history::{History, funds, grown, id, sales};
use std::collections::BTreeMap;

fn cards(commits: &[Commit], terms: ScorecardTerms, period: &str) -> Vec<Scorecard> {
    let mut store = MemoryStore { commits: commits.to_vec(), ..MemoryStore::default() };
    for commit in commits {
        fold(commit, None, &mut store).unwrap();
    }
    let period: Period = id(period);
    let usd = Currency::new("USD").unwrap();
    let mut gather = Gather::new((id("gold"), 1), usd, terms, period);
    store.tiers.rows().for_each(|row| gather.tier(row));
    store.partners.rows().for_each(|row| gather.partner(row));
    store.deals.rows().for_each(|row| gather.deal(row));
    store.days.rows().for_each(|row| gather.day(row));
    store.claims.rows().for_each(|row| gather.claim(row));
    store.certifications.rows().for_each(|row| gather.certification(row));
    store.measures.rows().for_each(|row| gather.measure(row));
    gather.finish()
}

fn shown(card: &Scorecard) -> BTreeMap<&'static str, String> {
    let with_data = card.metrics.iter().filter_map(|one| Some((one.metric.as_str(), one.value?)));
    with_data.map(|(name, value)| (name, value.to_string())).collect()
}

fn value(card: &Scorecard, metric: Metric) -> Option<String> {
    shown(card).remove(metric.as_str())
}

fn of(partner: &str) -> funds::Of {
    let currency = Currency::new("USD").unwrap();
    funds::Of { partner: id(partner), programme: id("gold"), currency }
}

/// p0 registers four deals at its own slot, wins two (7,777 cents each) and loses one.
fn sold() -> History {
    let mut history = History::begin();
    for _ in 0..4 {
        sales::register(&mut history, &of("p0"), 0);
    }
    // Of the live deals always the first: ways 0, 0 (won) and 1 (lost) of four, three, two.
    for choice in [0, 0, 2] {
        sales::move_deal(&mut history, choice);
    }
    history
}

#[test]
fn a_metric_without_data_is_null_and_its_category_drops_out() {
    let history = History::begin();
    for card in cards(&history.commits, ScorecardTerms::default(), "2026-01") {
        assert!(shown(&card).is_empty(), "{:?}", shown(&card));
        assert_eq!(card.total, None);
        assert_eq!(card.coverage, Some(0.into()));
        assert_eq!(card.percentile, None);
    }
}

#[test]
fn deals_make_the_operational_metrics() {
    let cards = cards(&sold().commits, ScorecardTerms::default(), "2026-Q1");
    let card = cards.first().unwrap();
    assert_eq!(card.partner, Some(id("p0")));
    let two_thirds = "0.666667";
    assert_eq!(value(card, Metric::WinRate).unwrap(), two_thirds);
    assert_eq!(value(card, Metric::RegistrationConversion).unwrap(), "0.5");
    assert_eq!(value(card, Metric::ConflictRate).unwrap(), "0");
    assert_eq!(value(card, Metric::SourcedRevenue), None);
    // The value of a won deal counts only where the terms say so: 2 × 77.77.
    let terms = ScorecardTerms { count_won_value: true, ..ScorecardTerms::default() };
    let cards = self::cards(&sold().commits, terms, "2026-Q1");
    assert_eq!(value(cards.first().unwrap(), Metric::SourcedRevenue).unwrap(), "155.54");
    // Nothing closed in another period; the open deal is still open at its end.
    let later = self::cards(&sold().commits, ScorecardTerms::default(), "2026-Q2");
    assert_eq!(value(later.first().unwrap(), Metric::WinRate), None);
}

#[test]
fn forecasts_are_held_against_what_was_won() {
    let card = cards(&sold().commits, ScorecardTerms::default(), "2026-Q1").remove(0);
    // Four forecasts of 10.00; two came in at 77.77, two at nothing:
    // 1 − (2 × 67.77 + 2 × 10) / 155.54 is 0 to two places, 0 at the least.
    assert_eq!(value(&card, Metric::ForecastAccuracy).unwrap(), "0");
}

#[test]
fn points_are_weighted_and_renormalised_over_what_has_data() {
    let metric = |name: &str, lo: &str, hi: &str| MetricTerms {
        metric: id(name),
        lo: id(lo),
        hi: id(hi),
        weight: id("1"),
    };
    // Two thirds between 0 and 1, and a conflict rate of 0 where lower is better.
    let metrics = vec![metric("win_rate", "0", "1"), metric("conflict_rate", "0.5", "0")];
    let gate = Some(Gate { threshold: id("80"), no_metric_at_zero: true });
    let terms = ScorecardTerms { metrics, gate, ..ScorecardTerms::default() };
    let card = cards(&sold().commits, terms.clone(), "2026-Q1").remove(0);
    assert_eq!(card.total.unwrap().to_string(), "83.33");
    assert_eq!(card.coverage.unwrap().to_string(), "0.25");
    assert_eq!(card.gate_passed, Some(true));
    let operational = card.categories.iter().find(|one| one.category == Category::Operational);
    assert_eq!(operational.unwrap().points, card.total);

    let metrics = vec![metric("win_rate", "0", "1"), metric("conflict_rate", "0", "1")];
    let card = cards(&sold().commits, ScorecardTerms { metrics, ..terms }, "2026-Q1").remove(0);
    assert_eq!(card.total.unwrap().to_string(), "33.33");
    assert_eq!(card.gate_passed, Some(false));
}

#[test]
fn peers_are_at_least_five_and_share_type_tier_and_region() {
    let mut history = History::begin();
    for (number, lost) in [0_usize, 1, 1, 2, 3].into_iter().enumerate() {
        let partner = format!("p{number}");
        // One deal won, and so many lost, each alone on the list of live deals.
        for way in std::iter::once(0).chain(std::iter::repeat_n(1, lost)) {
            sales::register(&mut history, &of(&partner), 0);
            sales::move_deal(&mut history, way);
        }
    }
    let cards = cards(&history.commits, ScorecardTerms::default(), "2026-Q1");
    let places: Vec<Option<String>> =
        cards.iter().map(|card| card.percentile.map(|place| place.to_string())).collect();
    assert_eq!(cards.iter().map(|card| card.peer_count).max(), Some(5));
    let at = |place: &str| Some(place.to_owned());
    // The third of the default scores, forecast accuracy, orders as the win rate does.
    assert_eq!(places, vec![at("90"), at("60"), at("60"), at("30"), at("10"), None]);
}

#[test]
fn sales_and_what_they_cost_make_the_financial_metrics() {
    let mut history = History::begin();
    // Net sales of 50 times what accrues, 100 cents each: 2 × 50.00.
    funds::accrue(&mut history, &of("p0"), 0);
    funds::accrue(&mut history, &of("p0"), 0);
    let card = cards(&history.commits, ScorecardTerms::default(), "2026-01").remove(0);
    assert_eq!(value(&card, Metric::SourcedRevenue).unwrap(), "100");
    assert_eq!(value(&card, Metric::IncentiveCostRatio).unwrap(), "0.02");
    assert_eq!(value(&card, Metric::Breakage).unwrap(), "0");
    assert_eq!(value(&card, Metric::Growth), None);
    // A year later, nothing: the year before is there, and growth needs both.
    let next = cards(&history.commits, ScorecardTerms::default(), "2027-01").remove(0);
    assert_eq!(value(&next, Metric::Growth), None);
}

fn revenue(card: &Scorecard) -> rust_decimal::Decimal {
    value(card, Metric::SourcedRevenue).map_or(rust_decimal::Decimal::ZERO, |text| id(&text))
}

#[test]
fn months_sum_to_their_year() {
    let choices: Vec<u32> = (0..900_u32).map(|n| n.wrapping_mul(2_654_435_761) >> 3).collect();
    let commits = grown(&choices);
    let year = cards(&commits, ScorecardTerms::default(), "2026");
    for card in &year {
        let mut sum = rust_decimal::Decimal::ZERO;
        for month in 1..=12 {
            let month = cards(&commits, ScorecardTerms::default(), &format!("2026-{month:02}"));
            let same = month.iter().find(|one| one.partner == card.partner).unwrap();
            sum += revenue(same);
        }
        assert_eq!(sum, revenue(card));
        assert!(sum > rust_decimal::Decimal::ZERO);
    }
}

#[test]
fn credentials_count_as_they_stood_at_the_end() {
    use chl_events::{Stream, partner::CertificationRecorded};
    let mut history = History::begin();
    let record = |history: &mut History, person: &str, until: &str| {
        let event = CertificationRecorded {
            partner: id("p0"),
            person: id(person),
            credential: id("pro"),
            valid_until: id(until),
        };
        history.add(Stream::Partner(id("p0")), vec![(event.into(), vec![])]);
    };
    record(&mut history, "ann", "2026-02-15");
    record(&mut history, "bob", "2027-01-31");
    let required = vec![RequiredCredential { credential: id("pro"), people: 4 }];
    let terms = ScorecardTerms { required_credentials: required, ..ScorecardTerms::default() };
    let january = cards(&history.commits, terms.clone(), "2026-01").remove(0);
    assert_eq!(value(&january, Metric::CertifiedPeople).unwrap(), "2");
    assert_eq!(value(&january, Metric::ExpiringCredentials).unwrap(), "1");
    assert_eq!(value(&january, Metric::Coverage).unwrap(), "0.5");
    let march = cards(&history.commits, terms, "2026-03").remove(0);
    assert_eq!(value(&march, Metric::CertifiedPeople).unwrap(), "1");
    assert_eq!(value(&march, Metric::Coverage).unwrap(), "0.25");
}
