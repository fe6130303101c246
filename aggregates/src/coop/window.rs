//! The dates of a lot: which earning period a day belongs to, and what follows from the terms.

use crate::calendar::{self, Zone};
use chl_events::coop::CoopLotOpened;
use chl_events::terms::{CoopTerms, EarningPeriod, UsableFrom};
use chl_events::{Date, Instant, LotId, PartnerId, Period, ProgrammeId};

/// An earning period and the lot it has: all that is asked of a lot that is open.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Earning {
    pub(super) lot: LotId,
    days: Period,
}

/// The dates of a lot, fixed when it opens.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Window {
    pub(super) lot: LotId,
    pub(super) earning_from: Date,
    pub(super) earning_until: Date,
    pub(super) usable_from: Date,
    pub(super) usable_until: Date,
    pub(super) claims_until: Date,
    pub(super) closes_at: Instant,
    pub(super) expires_at: Instant,
}

impl Earning {
    /// The period and lot that a day of sale belongs to; none at the edge of the calendar.
    pub(super) fn at(coop: &CoopTerms, day: Date) -> Option<Self> {
        let months = match coop.earning_period {
            EarningPeriod::Month => 1,
            EarningPeriod::Quarter => 3,
            EarningPeriod::Half => 6,
            EarningPeriod::Year => 12,
        };
        let civil = day.civil();
        let month = i32::from(civil.year()) * 12 + i32::from(civil.month()) - 1;
        let fiscal = i32::from(coop.fiscal_start_month) - 1;
        let first = month - (month - fiscal).rem_euclid(months);
        let year = i16::try_from(first.div_euclid(12)).ok()?;
        let in_year = i8::try_from(first.rem_euclid(12) + 1).ok()?;
        let days = Period::months(year, in_year, i8::try_from(months).ok()?)?;
        Date::from_days(days.first().days())?;
        let (from, until) = (days.first().civil(), days.last().civil());
        let lot = format!(
            "{:04}{:02}{:02}-{:04}{:02}{:02}",
            from.year(),
            from.month(),
            from.day(),
            until.year(),
            until.month(),
            until.day()
        );
        Some(Self { lot: LotId::new(lot).ok()?, days })
    }
}

impl Window {
    /// The dates of an earning period's lot.
    pub(super) fn of(coop: &CoopTerms, zone: &Zone, earning: Earning) -> Self {
        let Earning { lot, days: earning } = earning;
        let usable_until = calendar::last_of_month(earning.last(), coop.usage_months);
        let expiry_days = coop.expiry_days.unwrap_or(coop.claim_days);
        Self {
            lot,
            earning_from: earning.first(),
            earning_until: earning.last(),
            usable_from: match coop.usable {
                UsableFrom::AtOnce => earning.first(),
                UsableFrom::AfterPeriod => calendar::plus_days(earning.last(), 1),
            },
            usable_until,
            claims_until: calendar::plus_days(usable_until, coop.claim_days),
            closes_at: zone.end(earning.last()),
            expires_at: zone.end(calendar::plus_days(usable_until, expiry_days)),
        }
    }

    /// The event that fixes them.
    pub(super) fn opened(
        &self,
        programme: &ProgrammeId,
        partner: &PartnerId,
        programme_version: u32,
    ) -> CoopLotOpened {
        CoopLotOpened {
            partner: partner.clone(),
            programme: programme.clone(),
            lot: self.lot.clone(),
            programme_version,
            earning_from: self.earning_from,
            earning_until: self.earning_until,
            usable_from: self.usable_from,
            usable_until: self.usable_until,
            claims_until: self.claims_until,
            closes_at: self.closes_at,
            expires_at: self.expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn window(coop: &CoopTerms, day: Date) -> Option<Window> {
        Earning::at(coop, day).map(|earning| Window::of(coop, &Zone::Utc, earning))
    }

    fn on(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn fiscal_halves_that_start_in_february() {
        let coop = CoopTerms {
            earning_period: EarningPeriod::Half,
            fiscal_start_month: 2,
            usable: UsableFrom::AfterPeriod,
            usage_months: 6,
            claim_days: 60,
            ..CoopTerms::default()
        };
        let window = window(&coop, on("2026-01-15")).unwrap();
        assert_eq!(window.lot.as_str(), "20250801-20260131");
        assert_eq!(window.usable_from, on("2026-02-01"));
        assert_eq!(window.usable_until, on("2026-07-31"));
        assert_eq!(window.claims_until, on("2026-09-29"));
        assert_eq!(window.closes_at.to_string(), "2026-02-01T00:00:00Z");
        assert_eq!(window.expires_at.to_string(), "2026-09-30T00:00:00Z");
    }

    #[test]
    fn every_day_of_a_period_has_its_lot() {
        for (period, months) in [
            (EarningPeriod::Month, 1),
            (EarningPeriod::Quarter, 3),
            (EarningPeriod::Half, 6),
            (EarningPeriod::Year, 12),
        ] {
            for fiscal_start_month in 1..=12 {
                let coop = CoopTerms {
                    earning_period: period,
                    fiscal_start_month,
                    ..CoopTerms::default()
                };
                let mut day = on("2025-01-01");
                while day < on("2027-01-01") {
                    let window = window(&coop, day).unwrap();
                    assert!(window.earning_from <= day && day <= window.earning_until);
                    let length = window.earning_until.days() - window.earning_from.days();
                    assert!((27 * months..=31 * months).contains(&length), "{window:?}");
                    day = day.plus_days(13).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_period_that_leaves_the_calendar_has_no_lot() {
        let year = |fiscal_start_month| CoopTerms {
            earning_period: EarningPeriod::Year,
            fiscal_start_month,
            ..CoopTerms::default()
        };
        assert_eq!(window(&year(7), on("0001-01-01")), None);
        assert!(window(&year(1), on("0001-01-01")).is_some());
        assert_eq!(window(&year(7), on("9999-12-31")), None);
    }
}
