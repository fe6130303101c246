//! Time as data: civil dates and instants in UTC. Nobody reads a clock here.

use jiff::{Timestamp, civil, tz::Offset};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Says why a text is no date or instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It is no `YYYY-MM-DD`.
    #[error("{0:?} is no date of the form YYYY-MM-DD")]
    Date(String),
    /// It is no RFC 3339 instant.
    #[error("{0:?} is no RFC 3339 instant such as 2026-03-01T09:00:00Z")]
    Instant(String),
}

/// A calendar day. On the wire: days since 1970-01-01, a signed varint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub struct Date(#[schemars(with = "String", extend("format" = "date"))] i32);

/// A moment in UTC. On the wire: microseconds since 1970-01-01T00:00:00Z, a signed varint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub struct Instant(#[schemars(with = "String", extend("format" = "date-time"))] i64);

const EPOCH: civil::Date = civil::date(1970, 1, 1);
const MICROS_PER_DAY: i64 = 86_400_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// 0001-01-01 and 9999-12-31.
const DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

impl Date {
    /// The day so many days after 1970-01-01, within the years 1 to 9999.
    pub fn from_days(days: i32) -> Option<Self> {
        DAYS.contains(&days).then_some(Self(days))
    }

    /// Days since 1970-01-01.
    pub fn days(self) -> i32 {
        self.0
    }

    /// The day in the proleptic Gregorian calendar.
    pub fn civil(self) -> civil::Date {
        match Timestamp::from_second(i64::from(self.0) * SECONDS_PER_DAY) {
            Ok(midnight) => Offset::UTC.to_datetime(midnight).date(),
            Err(_) => EPOCH.saturating_add(jiff::Span::new().days(self.0)),
        }
    }

    /// The day of a civil date.
    pub fn from_civil(date: civil::Date) -> Self {
        Self((date - EPOCH).get_days())
    }

    /// The day so many days later (or earlier, when negative).
    pub fn plus_days(self, days: i32) -> Option<Self> {
        Self::from_days(self.0.checked_add(days)?)
    }

    /// The moment this day begins in UTC.
    pub fn start_utc(self) -> Instant {
        Instant(i64::from(self.0) * MICROS_PER_DAY)
    }
}

impl Instant {
    /// The moment so many microseconds after 1970-01-01T00:00:00Z.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// The moment as a timestamp of the time library.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        })
    }

    /// The UTC day this moment lies in.
    pub fn date_utc(self) -> Date {
        Date(i32::try_from(self.0.div_euclid(MICROS_PER_DAY)).unwrap_or(i32::MAX))
    }
}

impl std::str::FromStr for Date {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Date(text.chars().take(40).collect());
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(at, b)| match at {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        let date: civil::Date = text.parse().map_err(|_| wrong())?;
        if shape && date.year() >= 1 { Ok(Self::from_civil(date)) } else { Err(wrong()) }
    }
}

impl std::str::FromStr for Instant {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError::Instant(text.chars().take(40).collect());
        let at: Timestamp = text.parse().map_err(|_| wrong())?;
        let shape = text.len() >= 20
            && text.is_ascii()
            && matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' '))
            && !text.contains('[');
        if shape { Ok(Self(at.as_microsecond())) } else { Err(wrong()) }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.civil().fmt(f)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.timestamp().fmt(f)
    }
}

macro_rules! time_codec {
    ($name:ident, $wire:ty, $check:expr) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.collect_str(self) } else { self.0.serialize(to) }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if from.is_human_readable() {
                    String::deserialize(from)?.parse().map_err(D::Error::custom)
                } else {
                    let check: fn($wire) -> Option<Self> = $check;
                    check(<$wire>::deserialize(from)?)
                        .ok_or_else(|| D::Error::custom("a time outside the calendar"))
                }
            }
        }
    };
}

time_codec!(Date, i32, Date::from_days);
time_codec!(Instant, i64, |micros| Timestamp::from_microsecond(micros)
    .ok()
    .map(|_| Instant(micros)));
