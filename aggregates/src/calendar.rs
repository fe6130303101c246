//! Calendar: days, windows and due instants in a programme's time zone.
//!
//! Every due instant is computed here once, by a decision, and stored in its event; folds never
//! use a zone. What would leave the calendar stays at its edge, so that nothing panics.

use chl_events::{Date, Instant};
use jiff::{Span, Timestamp, civil, tz::TimeZone};

/// The name of the zone that is meant where none is given.
pub(crate) const UTC: &str = "UTC";

/// The time zone in which a programme counts its days.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Zone {
    /// UTC, where a day is a number of seconds and no table is asked.
    Utc,
    /// A zone of the IANA table that the program brings along.
    Named(TimeZone),
}

impl Zone {
    /// The zone of an IANA name; none when the table does not know it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == UTC {
            return Some(Self::Utc);
        }
        TimeZone::get(name).ok().map(Self::Named)
    }

    /// The day an instant lies in.
    pub(crate) fn day(&self, at: Instant) -> Date {
        let day = match self {
            Self::Utc => at.date_utc(),
            Self::Named(zone) => Date::from_civil(zone.to_datetime(at.timestamp()).date()),
        };
        // A year before 1 is no date of the wire format.
        Date::from_days(day.days()).unwrap_or_else(first_day)
    }

    /// The instant a day begins at.
    pub(crate) fn start(&self, day: Date) -> Instant {
        match self {
            Self::Utc => day.start_utc(),
            Self::Named(zone) => instant(day.civil().to_zoned(zone.clone())),
        }
    }

    /// The instant a day is over at: the start of the next one.
    pub(crate) fn end(&self, day: Date) -> Instant {
        self.start(plus_days(day, 1))
    }

    /// The instant so many days later at the same wall-clock time.
    ///
    /// A time that the clocks skip on that day is taken after the gap, one that they show twice
    /// is the first of the two.
    pub(crate) fn plus_days(&self, at: Instant, days: u32) -> Instant {
        let zone = match self {
            Self::Utc => TimeZone::UTC,
            Self::Named(zone) => zone.clone(),
        };
        let Ok(span) = Span::new().try_days(days) else { return last_instant() };
        instant(at.timestamp().to_zoned(zone).checked_add(span))
    }
}

/// The instant so many hours later.
pub(crate) fn plus_hours(at: Instant, hours: u32) -> Instant {
    let micros = i64::from(hours).saturating_mul(3_600_000_000).saturating_add(at.micros());
    Instant::from_micros(micros.min(last_instant().micros()))
}

/// The day so many days later, at most the calendar's last.
pub(crate) fn plus_days(day: Date, days: u32) -> Date {
    i32::try_from(days).ok().and_then(|days| day.plus_days(days)).unwrap_or_else(last_day)
}

/// The last day of the month that lies so many months after a day's own, at most the calendar's
/// last day.
pub(crate) fn last_of_month(day: Date, months: u32) -> Date {
    let month = |span| day.civil().first_of_month().checked_add(span).ok();
    let first = Span::new().try_months(months).ok().and_then(month);
    first.map_or_else(last_day, |first| Date::from_civil(first.last_of_month()))
}

fn instant(moment: Result<jiff::Zoned, jiff::Error>) -> Instant {
    moment.map_or_else(
        |_| last_instant(),
        |zoned| Instant::from_micros(zoned.timestamp().as_microsecond()),
    )
}

fn last_instant() -> Instant {
    Instant::from_micros(Timestamp::MAX.as_microsecond())
}

fn last_day() -> Date {
    Date::from_civil(civil::Date::MAX)
}

fn first_day() -> Date {
    Date::from_civil(civil::date(1, 1, 1))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    fn on(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn ninety_days_end_at_the_same_wall_clock_time() {
        let utc = Zone::named("UTC").unwrap();
        assert_eq!(utc.plus_days(at("2026-03-01T09:00:00Z"), 90), at("2026-05-30T09:00:00Z"));
        // Summer time begins in between: nine o'clock is an hour earlier in UTC.
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(berlin.plus_days(at("2026-03-01T08:00:00Z"), 90), at("2026-05-30T07:00:00Z"));
    }

    #[test]
    fn a_skipped_time_is_taken_after_the_gap() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(berlin.plus_days(at("2026-03-28T01:30:00Z"), 1), at("2026-03-29T01:30:00Z"));
    }

    #[test]
    fn a_day_is_the_zones_own() {
        let auckland = Zone::named("Pacific/Auckland").unwrap();
        assert_eq!(auckland.day(at("2026-06-30T12:00:00Z")), on("2026-07-01"));
        assert_eq!(auckland.start(on("2026-07-01")), at("2026-06-30T12:00:00Z"));
        assert_eq!(auckland.end(on("2026-07-01")), at("2026-07-01T12:00:00Z"));
        assert_eq!(Zone::named("Nowhere/Here"), None);
    }

    #[test]
    fn months_end_on_their_last_day() {
        assert_eq!(last_of_month(on("2025-12-31"), 2), on("2026-02-28"));
        assert_eq!(last_of_month(on("2026-06-30"), 6), on("2026-12-31"));
        assert_eq!(last_of_month(on("2026-06-15"), 0), on("2026-06-30"));
    }

    #[test]
    fn nothing_leaves_the_calendar() {
        let utc = Zone::Utc;
        let last = utc.plus_days(at("9999-12-01T00:00:00Z"), u32::MAX);
        assert!(last >= at("9999-12-30T00:00:00Z"));
        assert_eq!(plus_days(on("9999-12-31"), u32::MAX), on("9999-12-31"));
        assert_eq!(last_of_month(on("9999-11-01"), u32::MAX), on("9999-12-31"));
        assert_eq!(plus_hours(last, u32::MAX), last);
        assert_eq!(utc.day(Instant::from_micros(i64::MIN)).to_string(), "0001-01-01");
        let tokyo = Zone::named("Asia/Tokyo").unwrap();
        assert_eq!(tokyo.day(Instant::from_micros(i64::MAX)).to_string(), "9999-12-31");
    }
}
