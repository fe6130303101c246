//! Days, instants and rounding, written for the model alone: calendar days in a zone, and exact
//! fractions of integers.

use chl_events::{Date, Instant, Rate, terms::Rounding};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// A time zone of the test world.
pub(crate) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

/// The day an instant lies in.
pub(crate) fn day(zone: &TimeZone, at: Instant) -> Date {
    let at = Timestamp::from_microsecond(at.micros()).unwrap();
    Date::from_civil(at.to_zoned(zone.clone()).date())
}

/// The same wall-clock time so many days later.
pub(crate) fn plus_days(zone: &TimeZone, at: Instant, days: u32) -> Instant {
    let at = Timestamp::from_microsecond(at.micros()).unwrap().to_zoned(zone.clone());
    let then = at.checked_add(i64::from(days).days()).unwrap();
    Instant::from_micros(then.timestamp().as_microsecond())
}

/// The first instant after a day.
pub(crate) fn after_day(zone: &TimeZone, day: Date) -> Instant {
    let next = day.civil().tomorrow().unwrap().to_zoned(zone.clone()).unwrap();
    Instant::from_micros(next.timestamp().as_microsecond())
}

/// A day so many days later.
pub(crate) fn later(day: Date, days: u32) -> Date {
    day.plus_days(i32::try_from(days).unwrap()).unwrap()
}

/// A fraction, not yet rounded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fraction {
    pub(crate) over: i128,
    pub(crate) under: i128,
}

/// So much of an amount of minor units.
pub(crate) fn share(minor: i128, rate: Rate) -> Fraction {
    let rate = rate.get();
    Fraction { over: minor * rate.mantissa(), under: 10_i128.pow(rate.scale()) }
}

impl Fraction {
    /// The sum of two.
    pub(crate) fn plus(self, other: Self) -> Self {
        let over = self.over * other.under + other.over * self.under;
        Self { over, under: self.under * other.under }
    }

    /// Rounded to whole minor units.
    pub(crate) fn round(self, how: Rounding) -> i128 {
        let (down, rest) = (self.over.div_euclid(self.under), self.over.rem_euclid(self.under));
        let up = match how {
            Rounding::Down => false,
            Rounding::Up => rest > 0,
            Rounding::HalfUp => rest * 2 >= self.under,
            Rounding::HalfEven => {
                rest * 2 > self.under || (rest * 2 == self.under && down.rem_euclid(2) == 1)
            }
        };
        down + i128::from(up)
    }
}
