//! Lots: which earning period a day belongs to, and the dates that follow from the terms.

use super::{CoopRejection, Lot, OpenLot, RateKey, state};
use crate::calendar::{self, Zone};
use crate::programme::{self, Version};
use crate::{Context, Facts, Refusal};
use chl_events::coop::CoopLotOpened;
use chl_events::terms::{AccrualRate, CoopTerms, EarningPeriod, LateAccrual, UsableFrom};
use chl_events::{Code, Date, Instant, LotId, PartnerId, Period, ProgrammeId};
use std::sync::Arc;

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

impl Window {
    /// The lot that a day of sale belongs to; none at the edge of the calendar.
    fn at(coop: &CoopTerms, zone: &Zone, day: Date) -> Option<Self> {
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
        let earning = Period::months(year, in_year, i8::try_from(months).ok()?)?;
        Date::from_days(earning.first().days())?;
        let (from, until) = (earning.first().civil(), earning.last().civil());
        let lot = format!(
            "{:04}{:02}{:02}-{:04}{:02}{:02}",
            from.year(),
            from.month(),
            from.day(),
            until.year(),
            until.month(),
            until.day()
        );
        let usable_until = calendar::last_of_month(earning.last(), coop.usage_months);
        let expiry_days = coop.expiry_days.unwrap_or(coop.claim_days);
        Some(Self {
            lot: LotId::new(lot).ok()?,
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
        })
    }

    /// The dates that an event fixed.
    pub(super) fn of(event: &CoopLotOpened) -> Self {
        Self {
            lot: event.lot.clone(),
            earning_from: event.earning_from,
            earning_until: event.earning_until,
            usable_from: event.usable_from,
            usable_until: event.usable_until,
            claims_until: event.claims_until,
            closes_at: event.closes_at,
            expires_at: event.expires_at,
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

    /// What the fund keeps of them.
    pub(super) fn open(self) -> OpenLot {
        OpenLot {
            earning_from: self.earning_from,
            earning_until: self.earning_until,
            usable_from: self.usable_from,
            usable_until: self.usable_until,
            claims_until: self.claims_until,
            closes_at: Some(self.closes_at),
            expires_at: self.expires_at,
        }
    }
}

/// The co-op terms of a version, or the rejection that it has none (class 6).
pub(crate) fn terms(version: &Version) -> Result<&CoopTerms, CoopRejection> {
    version.terms.coop.as_ref().ok_or_else(|| CoopRejection::NotOffered {
        programme: version.programme.clone(),
        version: version.version,
    })
}

/// The first rate of the terms that fits a tier and a product line.
pub(super) fn fitting<'a>(
    coop: &'a CoopTerms,
    tier: Option<&Code>,
    product_line: Option<&Code>,
) -> Result<&'a AccrualRate, CoopRejection> {
    let fits = |wanted: &Option<Code>, given: Option<&Code>| {
        wanted.as_ref().is_none_or(|wanted| given == Some(wanted))
    };
    let rate = coop
        .accrual
        .iter()
        .find(|rate| fits(&rate.tier, tier) && fits(&rate.product_line, product_line));
    rate.ok_or_else(|| CoopRejection::NoRate {
        tier: tier.cloned(),
        product_line: product_line.cloned(),
    })
}

/// The rate of a key: of rates for the same tier and product line, only the first ever fits.
pub(super) fn rate_named<'a>(version: &'a Version, key: &RateKey) -> Option<&'a AccrualRate> {
    let coop = version.terms.coop.as_ref()?;
    let is = |rate: &&AccrualRate| rate.tier == key.tier && rate.product_line == key.product_line;
    coop.accrual.iter().find(is)
}

/// The lot that takes an accrual.
pub(super) struct Taker {
    /// Its dates, by the terms of its version.
    pub(super) window: Window,
    /// The lot, when it is open already.
    pub(super) lot: Option<Arc<Lot>>,
    /// The version it opened or opens under.
    pub(super) version: Arc<Version>,
    /// Whether the sale's own lot was past its window.
    pub(super) late: bool,
}

/// The lot of the date of sale or, when that one is past its window (expired, become rebate, or
/// its last usable day over), the lot of the date of `time`, where the terms allow it.
pub(super) fn taker(
    facts: Facts<'_>,
    partner: &PartnerId,
    version: &Arc<Version>,
    sold_on: Date,
    context: &Context<'_>,
) -> Result<Taker, Refusal> {
    let own = lot_at(facts, partner, version, sold_on)?;
    let today = version.zone().day(context.time);
    let usable_until = own.lot.as_ref().map_or(own.window.usable_until, |lot| lot.usable_until);
    let state = match own.lot.as_ref() {
        Some(lot) if lot.became_rebate => "became rebate",
        Some(lot) if lot.expired => "has expired",
        Some(_) | None if today > usable_until => "is past its window",
        Some(_) | None => return Ok(own),
    };
    if terms(version)?.late_accrual == LateAccrual::Refuse {
        let (lot, until) = (own.window.lot, usable_until);
        return Err(CoopRejection::TooLate { lot, until, state }.into());
    }
    let current = programme::terms_in_force(facts, &version.programme, context.time)?;
    let today = current.zone().day(context.time);
    Ok(Taker { late: true, ..lot_at(facts, partner, &current, today)? })
}

fn lot_at(
    facts: Facts<'_>,
    partner: &PartnerId,
    version: &Arc<Version>,
    day: Date,
) -> Result<Taker, Refusal> {
    let edge =
        || crate::rejection::AnyRejection::data("sold_on", "lies at the edge of the calendar");
    let window = Window::at(terms(version)?, &version.zone(), day).ok_or_else(edge)?;
    let lot = state::lot(facts, &version.programme, partner, &window.lot)?;
    let version = match &lot {
        Some(lot) => programme::version(facts, &version.programme, lot.programme_version)?,
        None => Arc::clone(version),
    };
    Ok(Taker { window, lot, version, late: false })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

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
        let window = Window::at(&coop, &Zone::Utc, on("2026-01-15")).unwrap();
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
                    let window = Window::at(&coop, &Zone::Utc, day).unwrap();
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
        assert_eq!(Window::at(&year(7), &Zone::Utc, on("0001-01-01")), None);
        assert!(Window::at(&year(1), &Zone::Utc, on("0001-01-01")).is_some());
        assert_eq!(Window::at(&year(7), &Zone::Utc, on("9999-12-31")), None);
    }
}
