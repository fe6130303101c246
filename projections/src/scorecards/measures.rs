//! Measures: figures the ledger cannot derive, as others recorded them.

use super::Metric;
use crate::MeasureRow;
use chl_events::{Date, Period};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// The measures of a partner that lie within a period.
#[derive(Debug, Default)]
pub(super) struct Measures {
    found: BTreeMap<String, Vec<(Date, Date, Decimal)>>,
}

/// Metrics that are measured, and the measure's name where it is another.
const MEASURED: [Metric; 6] = [
    Metric::RenewalRate,
    Metric::GrossRevenueRetention,
    Metric::NetRevenueRetention,
    Metric::Satisfaction,
    Metric::NetCustomerAdds,
    Metric::PlanAttainment,
];

/// The measure that pipeline is held against.
const QUOTA: &str = "quota";

impl Measures {
    pub(super) fn take(&mut self, row: &MeasureRow, period: Period) {
        if period.contains(row.first_day) && period.contains(row.last_day) {
            let of = self.found.entry(row.measure.to_string()).or_default();
            of.push((row.first_day, row.last_day, row.value.get()));
        }
    }

    /// A level (a rate, a score): of the very period, else the latest within it.
    fn level(&self, measure: &str, period: Period) -> Option<Decimal> {
        let found = self.found.get(measure)?;
        exact(found, period).or_else(|| {
            let latest = found.iter().max_by_key(|(first, last, _)| (*last, *first));
            latest.map(|(_, _, value)| *value)
        })
    }

    /// A flow (an amount, a count): of the very period, else the sum of its parts, where they do
    /// not overlap.
    fn flow(&self, measure: &str, period: Period) -> Option<Decimal> {
        let found = self.found.get(measure)?;
        if let Some(value) = exact(found, period) {
            return Some(value);
        }
        let mut parts = found.clone();
        parts.sort_unstable();
        let overlap = parts.iter().zip(parts.iter().skip(1)).any(|(one, next)| next.0 <= one.1);
        let mut values = parts.iter().map(|(_, _, value)| *value);
        if overlap {
            return None;
        }
        values.try_fold(Decimal::ZERO, |sum, value| sum.checked_add(value))
    }

    pub(super) fn quota(&self, period: Period) -> Option<Decimal> {
        self.flow(QUOTA, period)
    }

    pub(super) fn values(&self, period: Period) -> impl Iterator<Item = (Metric, Decimal)> {
        MEASURED.into_iter().filter_map(move |metric| {
            let value = if metric == Metric::NetCustomerAdds {
                self.flow(metric.as_str(), period)
            } else {
                self.level(metric.as_str(), period)
            };
            Some((metric, value?))
        })
    }
}

fn exact(found: &[(Date, Date, Decimal)], period: Period) -> Option<Decimal> {
    let whole = |(first, last, _): &&(Date, Date, Decimal)| {
        *first == period.first() && *last == period.last()
    };
    found.iter().find(whole).map(|(_, _, value)| *value)
}
