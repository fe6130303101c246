//! Scorecards: how a partner does in a programme over a period, from recorded facts only.
//!
//! [`Gather`] takes the rows of one programme, in any order, and ends in a [`Scorecard`] per
//! enrolled partner. Money counts in the programme's currency; amounts of another currency are
//! left out. All arithmetic is exact decimal: quotients have up to 28 digits, and only what is
//! shown is rounded, half to even (metrics and their scores to 6 places, points to 2, the
//! percentile to 1).

mod capability;
mod deals;
mod gather;
mod measures;
mod metrics;
mod peers;
mod score;

pub use gather::Gather;
pub use metrics::{Metric, Unit};
pub use peers::Peers;
pub use score::{CategoryScore, MetricScore, Scorecard};

use rust_decimal::Decimal;

/// A quotient; none where there is nothing to divide by.
fn ratio(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_div(whole)
}

/// The middle one of values in order, or the mean of the two in the middle; none of none.
fn median(mut values: Vec<Decimal>) -> Option<Decimal> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get(values.len().checked_sub(1)? / 2)?;
    ratio(lower.checked_add(upper)?, Decimal::TWO)
}

/// A count as a decimal.
fn count(number: usize) -> Decimal {
    Decimal::from(u64::try_from(number).unwrap_or(u64::MAX))
}
