//! What a partner's deals say over a period.

use super::{Metric, count, measures::Measures, median, ratio};
use crate::{DealRow, DealState};
use chl_events::{Currency, Date, Money, Period, deal::GuardEnd};
use rust_decimal::Decimal;

/// The deals a partner registered, counted for a period.
#[derive(Debug, Default)]
pub(super) struct Deals {
    registered: usize,
    contested: usize,
    approved: usize,
    expired: usize,
    won: usize,
    lost: usize,
    open: usize,
    cycles: Vec<i32>,
    won_values: Vec<Decimal>,
    pipeline: Decimal,
    acv: Option<Decimal>,
    actual: Decimal,
    missed: Decimal,
}

pub(super) fn amount(money: Option<Money>, currency: Currency) -> Option<Decimal> {
    money.filter(|money| money.currency() == currency)?.decimal()
}

impl Deals {
    pub(super) fn take(&mut self, row: &DealRow, period: Period, currency: Currency) {
        let within = |on: Option<Date>| on.is_some_and(|on| period.contains(on));
        if period.contains(row.registered_on) {
            self.registered += 1;
            self.contested += usize::from(row.conflict.is_some());
        }
        self.approved += usize::from(within(row.approved_on));
        let ran_out = row.guard_end == Some(GuardEnd::Expired);
        self.expired += usize::from(ran_out && within(row.ended_on));
        self.lost += usize::from(row.state == DealState::Lost && within(row.closed_on));
        if row.is_open_on(period.last()) {
            self.open += 1;
            self.pipeline += amount(Some(row.value), currency).unwrap_or_default();
        }
        let won = row.state == DealState::Won && within(row.closed_on);
        if won {
            self.take_won(row, currency);
        }
        self.take_forecast(row, within(row.expected_close), won, currency);
    }

    fn take_won(&mut self, row: &DealRow, currency: Currency) {
        self.won += 1;
        if let Some(closed_on) = row.closed_on {
            let registered_on = row.registered_at.date_utc();
            self.cycles.push(closed_on.days().saturating_sub(registered_on.days()));
        }
        self.won_values.extend(amount(row.won_value, currency));
        if let Some(acv) = amount(row.acv, currency) {
            *self.acv.get_or_insert_default() += acv;
        }
    }

    fn take_forecast(&mut self, row: &DealRow, expected: bool, won: bool, currency: Currency) {
        if !expected && !won {
            return;
        }
        let forecast = if expected { amount(Some(row.value), currency) } else { None };
        let actual = if won { amount(row.won_value, currency) } else { None };
        let (forecast, actual) = (forecast.unwrap_or_default(), actual.unwrap_or_default());
        self.actual += actual;
        self.missed += (forecast - actual).abs();
    }

    pub(super) fn values(&self, period: Period, measures: &Measures) -> Vec<(Metric, Decimal)> {
        let closed = count(self.won + self.lost);
        let win_rate = ratio(count(self.won), closed);
        let mean_won = mean(self.won_values.iter().copied());
        let median = median(self.cycles.iter().map(|days| Decimal::from(*days)).collect());
        let velocity = || {
            let expected = count(self.open).checked_mul(win_rate?)?.checked_mul(mean_won?)?;
            ratio(expected, median?)
        };
        let accuracy = ratio(self.missed, self.actual)
            .map(|missed| (Decimal::ONE - missed).max(Decimal::ZERO));
        let quota = measures.quota(period);
        let found = [
            (Metric::AcvBooked, self.acv),
            (Metric::WinRate, win_rate),
            (Metric::RegistrationConversion, ratio(count(self.won), count(self.approved))),
            (Metric::CycleDays, median),
            (Metric::CycleDaysMean, mean(self.cycles.iter().map(|days| Decimal::from(*days)))),
            (Metric::Velocity, velocity()),
            (Metric::ConflictRate, ratio(count(self.contested), count(self.registered))),
            (Metric::ExpiryRate, ratio(count(self.expired), count(self.approved))),
            (Metric::ForecastAccuracy, accuracy),
            (Metric::PipelineCoverage, quota.and_then(|quota| ratio(self.pipeline, quota))),
        ];
        found.into_iter().filter_map(|(metric, value)| Some((metric, value?))).collect()
    }
}

fn mean(values: impl ExactSizeIterator<Item = Decimal>) -> Option<Decimal> {
    let number = count(values.len());
    let mut values = values;
    let sum = values.try_fold(Decimal::ZERO, |sum, value| sum.checked_add(value))?;
    ratio(sum, number)
}
