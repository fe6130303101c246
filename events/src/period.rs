//! Periods: runs of whole days, as reports and budgets name them.

use crate::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Says why a text is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no period; write 2026, 2026-H1, 2026-Q1, 2026-03 or 2026-01-01/2026-03-31 \
     (first and last day)"
)]
pub struct PeriodError(String);

/// A run of whole days, first and last included. On the wire: two dates.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(with = "String")]
pub struct Period {
    first: Date,
    last: Date,
}

impl Period {
    /// The days from `first` to `last`; none when they run backwards.
    pub fn new(first: Date, last: Date) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// So many months from the first of a month on.
    pub fn months(year: i16, month: i8, count: i8) -> Option<Self> {
        let first = jiff::civil::Date::new(year, month, 1).ok()?;
        let next = first.checked_add(jiff::Span::new().months(count)).ok()?;
        Self::new(Date::from_civil(first), Date::from_civil(next.yesterday().ok()?))
    }

    /// The first day.
    pub fn first(self) -> Date {
        self.first
    }

    /// The last day.
    pub fn last(self) -> Date {
        self.last
    }

    /// Whether a day lies in it.
    pub fn contains(self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

fn named(text: &str) -> Option<Period> {
    if let Some((first, last)) = text.split_once('/') {
        return Period::new(first.parse().ok()?, last.parse().ok()?);
    }
    let (year, part) = text.split_once('-').unwrap_or((text, ""));
    if year.len() != 4 || !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let year = year.parse().ok().filter(|year| *year >= 1)?;
    match part {
        "" => Period::months(year, 1, 12),
        "H1" => Period::months(year, 1, 6),
        "H2" => Period::months(year, 7, 6),
        "Q1" => Period::months(year, 1, 3),
        "Q2" => Period::months(year, 4, 3),
        "Q3" => Period::months(year, 7, 3),
        "Q4" => Period::months(year, 10, 3),
        month if month.len() == 2 => Period::months(year, month.parse().ok()?, 1),
        _ => None,
    }
}

impl std::str::FromStr for Period {
    type Err = PeriodError;
    fn from_str(text: &str) -> Result<Self, PeriodError> {
        named(text).ok_or_else(|| PeriodError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.first, self.last)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            to.collect_str(self)
        } else {
            (self.first, self.last).serialize(to)
        }
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if from.is_human_readable() {
            String::deserialize(from)?.parse().map_err(D::Error::custom)
        } else {
            let (first, last) = Deserialize::deserialize(from)?;
            Self::new(first, last).ok_or_else(|| D::Error::custom("a period that runs backwards"))
        }
    }
}
