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

    /// The period of the same length that ends the day before: as many months, where it is made of
    /// whole ones, else as many days. None before the first day there is.
    pub fn preceding(self) -> Option<Self> {
        let first = self.first.civil();
        let span = match self.whole_months() {
            Some(months) => jiff::Span::new().months(months),
            None => jiff::Span::new().days(first.until(self.last.civil()).ok()?.get_days() + 1),
        };
        let begins = first.checked_sub(span).ok()?;
        Self::new(Date::from_civil(begins), Date::from_civil(first.yesterday().ok()?))
    }

    /// The shortest text that names it: `2026-Q1` rather than its first and last day.
    pub fn name(self) -> String {
        let first = self.first.civil();
        let (year, month) = (first.year(), first.month());
        match (self.whole_months(), month) {
            (Some(12), 1) => format!("{year:04}"),
            (Some(6), 1 | 7) => format!("{year:04}-H{}", month / 6 + 1),
            (Some(3), 1 | 4 | 7 | 10) => format!("{year:04}-Q{}", month / 3 + 1),
            (Some(1), _) => format!("{year:04}-{month:02}"),
            _ => self.to_string(),
        }
    }

    /// Of how many whole months it is made; none where it is not.
    fn whole_months(self) -> Option<i32> {
        let (first, last) = (self.first.civil(), self.last.civil());
        let whole = first.day() == 1 && last == last.last_of_month();
        let years = i32::from(last.year()) - i32::from(first.year());
        whole.then(|| 12 * years + i32::from(last.month()) - i32::from(first.month()) + 1)
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

#[cfg(test)]
mod tests {
    use super::Period;

    fn period(text: &str) -> Option<Period> {
        text.parse().ok()
    }

    #[test]
    fn a_period_has_one_before_it_of_the_same_length() {
        for (one, before) in [
            ("2026", "2025"),
            ("2026-H1", "2025-H2"),
            ("2026-Q1", "2025-Q4"),
            ("2026-03", "2026-02"),
            ("2026-02-01/2026-04-30", "2025-11-01/2026-01-31"),
            ("2026-03-10/2026-03-16", "2026-03-03/2026-03-09"),
        ] {
            assert_eq!(period(one).and_then(Period::preceding), period(before), "{one}");
        }
        assert_eq!(
            period("0001").and_then(Period::preceding).map(Period::name),
            Some("0000".into())
        );
    }

    #[test]
    fn a_period_is_named_as_briefly_as_it_is_read() {
        for name in ["2026", "2026-H2", "2026-Q3", "2026-11", "2026-02-01/2026-04-30"] {
            assert_eq!(period(name).map(Period::name).as_deref(), Some(name));
        }
    }
}
