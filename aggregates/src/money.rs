//! Arithmetic of money: exact products, rounding by the terms, volume bands, splits.
//!
//! Nothing here rounds in silence: a product that is not exact, or a sum of more digits than the
//! contract allows, is none, and becomes `money.too_large`.

use crate::rejection::AnyRejection;
use chl_events::{
    Code, Currency, Exact, Money, Rate,
    terms::{ActivityCap, Band, BandMode, Rounding},
};
use rust_decimal::{Decimal, RoundingStrategy};

/// The first amount, in units of a currency, that has more than the 15 integer digits of the
/// contract.
const BEYOND: i128 = 10_i128.pow(15);

/// A part of an amount: as it came out, and rounded to the minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Share {
    /// Before rounding, in units of the currency.
    pub(crate) unrounded: Exact,
    /// Rounded by the terms' mode.
    pub(crate) amount: Money,
}

/// Refuses an amount of a command that is not more than nothing.
pub(crate) fn positive(amount: Money, field: &str) -> Result<(), AnyRejection> {
    if amount.is_positive() {
        Ok(())
    } else {
        let problem = "an amount must be more than zero";
        Err(AnyRejection::data(field, problem))
    }
}

/// Refuses money of another currency than the one expected.
pub(crate) fn expect_currency(expected: Currency, given: Money) -> Result<(), AnyRejection> {
    let given = given.currency();
    if expected == given { Ok(()) } else { Err(AnyRejection::CurrencyDiffers { expected, given }) }
}

/// The sum of two amounts, within 15 integer digits.
pub(crate) fn sum(a: Money, b: Money, field: &'static str) -> Result<Money, AnyRejection> {
    expect_currency(a.currency(), b)?;
    a.checked_add(b).filter(|sum| within(*sum)).ok_or(AnyRejection::TooLarge { field })
}

/// The difference of two amounts of one currency, at the least nothing.
pub(crate) fn less(a: Money, b: Money) -> Money {
    let zero = a.currency().zero();
    a.checked_sub(b).filter(|rest| rest.is_positive()).unwrap_or(zero)
}

/// The smaller of two amounts of one currency.
pub(crate) fn min(a: Money, b: Money) -> Money {
    if b.minor() < a.minor() { b } else { a }
}

/// The sum of a row's amounts; those of one row are of one currency and within range.
pub(crate) fn total(currency: Currency, amounts: impl Iterator<Item = Money>) -> Money {
    Money::from_minor(amounts.map(Money::minor).fold(0, i128::saturating_add), currency)
}

/// Adds to a row's amount what a decision has checked to be within range.
pub(crate) fn add(amount: &mut Money, by: Money) {
    *amount = amount.checked_add(by).unwrap_or(*amount);
}

/// Takes off a row's amount what a decision has checked to be there.
pub(crate) fn take(amount: &mut Money, by: Money) {
    *amount = amount.checked_sub(by).unwrap_or(*amount);
}

fn within(amount: Money) -> bool {
    10_i128
        .checked_pow(amount.currency().places())
        .and_then(|unit| BEYOND.checked_mul(unit))
        .is_some_and(|beyond| amount.minor().checked_abs().is_some_and(|minor| minor < beyond))
}

/// The exact product of two decimals; none where it has more than 28 digits.
fn product(a: Decimal, b: Decimal) -> Option<Decimal> {
    let mut mantissa = a.mantissa().checked_mul(b.mantissa())?;
    let mut scale = a.scale() + b.scale();
    while scale > 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(mantissa, scale).ok()
}

/// The exact sum of two decimals; none where it has more than 28 digits.
fn exact_sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let scale = a.scale().max(b.scale());
    let at_scale =
        |value: Decimal| 10_i128.checked_pow(scale - value.scale())?.checked_mul(value.mantissa());
    let sum = at_scale(a)?.checked_add(at_scale(b)?)?;
    Decimal::try_from_i128_with_scale(sum, scale).ok().map(|sum| sum.normalize())
}

/// A value in units of a currency, rounded to its minor unit.
pub(crate) fn round(value: Decimal, currency: Currency, mode: Rounding) -> Option<Money> {
    let strategy = match mode {
        Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
        Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
        Rounding::Down => RoundingStrategy::ToZero,
        Rounding::Up => RoundingStrategy::AwayFromZero,
    };
    let places = currency.places();
    let rounded = value.round_dp_with_strategy(places, strategy).normalize();
    let unit = 10_i128.checked_pow(places.checked_sub(rounded.scale())?)?;
    Some(Money::from_minor(rounded.mantissa().checked_mul(unit)?, currency))
        .filter(|amount| within(*amount))
}

/// The share of an amount at a rate, exact and rounded once.
pub(crate) fn share(amount: Money, rate: Rate, mode: Rounding) -> Option<Share> {
    let unrounded = product(amount.decimal()?, rate.get())?;
    let amount = round(unrounded, amount.currency(), mode)?;
    Some(Share { unrounded: Exact::new(unrounded), amount })
}

/// What a volume earns by bands that begin at 0 and ascend, before rounding.
///
/// A volume never earns less than a smaller one: where a whole-amount band has a lower rate than
/// the one before, what the lower band reached stands until it is overtaken. So the running total
/// alone decides, and the order of sales and returns does not.
fn earned(volume: Decimal, bands: &[Band], mode: BandMode) -> Option<Decimal> {
    let mut earned = Decimal::ZERO;
    for (at, band) in bands.iter().enumerate() {
        let from = band.from.get();
        if volume < from {
            break;
        }
        let until = bands.get(at + 1).map_or(volume, |next| volume.min(next.from.get()));
        match mode {
            BandMode::Marginal => {
                let part = exact_sum(until, -from)?;
                earned = exact_sum(earned, product(part, band.rate.get())?)?;
            }
            BandMode::WholeAmount => earned = earned.max(product(until, band.rate.get())?),
        }
    }
    Some(earned)
}

/// What a change of a running volume earns: the difference of two rounded totals, so that any
/// order of sales and returns ends at the same cent.
pub(crate) fn cumulative(
    before: Money,
    after: Money,
    bands: &[Band],
    mode: BandMode,
    rounding: Rounding,
) -> Option<Share> {
    let currency = before.currency();
    let exact_before = earned(before.decimal()?, bands, mode)?;
    let exact_after = earned(after.decimal()?, bands, mode)?;
    let unrounded = exact_sum(exact_after, -exact_before)?;
    let rounded = |value| round(value, currency, rounding);
    let amount = rounded(exact_after)?.checked_sub(rounded(exact_before)?)?;
    Some(Share { unrounded: Exact::new(unrounded), amount })
}

/// Splits an amount by weights to the last minor unit: by largest remainder, ties by order.
///
/// None where the weights sum to nothing or a product leaves the range. Weights must not be
/// negative.
pub(crate) fn split(amount: Money, weights: &[i128]) -> Option<Vec<Money>> {
    let whole = weights.iter().try_fold(0_i128, |sum, weight| sum.checked_add(*weight))?;
    if whole <= 0 {
        return None;
    }
    let mut parts = Vec::with_capacity(weights.len());
    for (at, weight) in weights.iter().enumerate() {
        let product = amount.minor().checked_mul(*weight)?;
        parts.push((product.div_euclid(whole), product.rem_euclid(whole), at));
    }
    let given: i128 = parts.iter().map(|(floor, ..)| floor).sum();
    let mut left = amount.minor() - given;
    parts.sort_by(|a, b| b.1.cmp(&a.1).then(a.2.cmp(&b.2)));
    for (floor, ..) in &mut parts {
        if left > 0 {
            *floor += 1;
            left -= 1;
        }
    }
    parts.sort_by_key(|(.., at)| *at);
    Some(parts.into_iter().map(|(minor, ..)| Money::from_minor(minor, amount.currency())).collect())
}

/// Splits an amount in two: a share at a rate between 0 and 1, and the rest.
pub(crate) fn split_off(amount: Money, rate: Rate) -> Option<(Money, Money)> {
    let rate = rate.get();
    let one = 10_i128.checked_pow(rate.scale())?;
    let parts = split(amount, &[rate.mantissa(), one.checked_sub(rate.mantissa())?])?;
    let mut parts = parts.into_iter();
    Some((parts.next()?, parts.next()?))
}

/// An amount as far as the caps on one claim of an activity go.
pub(crate) fn capped(amount: Money, caps: &[ActivityCap], activity: &Code) -> Money {
    caps_of(caps, activity).filter_map(|cap| cap.amount).fold(amount, min)
}

/// The caps that hold for an activity.
pub(crate) fn caps_of<'a>(
    caps: &'a [ActivityCap],
    activity: &Code,
) -> impl Iterator<Item = &'a ActivityCap> {
    caps.iter().filter(move |cap| cap.activity.as_ref().is_none_or(|of| of == activity))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn usd(text: &str) -> Money {
        Money::parse(text, Currency::new("USD").unwrap()).unwrap()
    }

    fn bands(list: &[(&str, &str)]) -> Vec<Band> {
        let band = |(from, rate): &(&str, &str)| Band {
            from: from.parse().unwrap(),
            rate: rate.parse().unwrap(),
        };
        list.iter().map(band).collect()
    }

    fn three() -> Vec<Band> {
        bands(&[("0", "0.03"), ("7500", "0.04"), ("25000", "0.05")])
    }

    #[test]
    fn thirty_thousand_in_three_bands() {
        let earns = |mode| {
            cumulative(usd("0"), usd("30000"), &three(), mode, Rounding::HalfEven).unwrap().amount
        };
        assert_eq!(earns(BandMode::WholeAmount), usd("1500.00"));
        assert_eq!(earns(BandMode::Marginal), usd("1175.00"));
    }

    #[test]
    fn a_band_counts_from_its_own_first_cent() {
        let earns = |volume| {
            let mode = BandMode::WholeAmount;
            cumulative(usd("0"), usd(volume), &three(), mode, Rounding::HalfEven).unwrap().amount
        };
        assert_eq!(earns("7499.99"), usd("225.00"));
        assert_eq!(earns("7500.00"), usd("300.00"));
        assert_eq!(earns("24999.99"), usd("1000.00"));
        assert_eq!(earns("25000.00"), usd("1250.00"));
    }

    #[test]
    fn any_order_ends_at_the_same_cent() {
        for mode in [BandMode::Marginal, BandMode::WholeAmount] {
            for rounding in Rounding::ALL {
                let at_once =
                    cumulative(usd("0"), usd("30000"), &three(), mode, *rounding).unwrap();
                let mut volume = usd("0");
                let mut sum = usd("0");
                for step in ["0.37", "7499.66", "12345.67", "154.30", "10000.00"] {
                    let next = volume.checked_add(usd(step)).unwrap();
                    let part = cumulative(volume, next, &three(), mode, *rounding).unwrap();
                    sum = sum.checked_add(part.amount).unwrap();
                    volume = next;
                }
                assert_eq!(volume, usd("30000"));
                assert_eq!(sum, at_once.amount);
            }
        }
    }

    #[test]
    fn more_volume_never_earns_less() {
        let falling = bands(&[("0", "0.05"), ("1000", "0.01")]);
        let mode = BandMode::WholeAmount;
        let earns = |volume| {
            cumulative(usd("0"), usd(volume), &falling, mode, Rounding::HalfEven).unwrap().amount
        };
        assert_eq!(earns("1000"), usd("50"));
        assert_eq!(earns("1001"), usd("50"));
        assert_eq!(earns("6000"), usd("60"));
    }

    #[test]
    fn modes_round_as_they_say() {
        let rate = "0.5".parse().unwrap();
        let half = |text, mode| share(usd(text), rate, mode).unwrap().amount;
        assert_eq!(half("0.01", Rounding::HalfEven), usd("0.00"));
        assert_eq!(half("0.03", Rounding::HalfEven), usd("0.02"));
        assert_eq!(half("0.01", Rounding::HalfUp), usd("0.01"));
        assert_eq!(half("0.03", Rounding::Down), usd("0.01"));
        assert_eq!(half("0.01", Rounding::Up), usd("0.01"));
        let exact = share(usd("0.03"), rate, Rounding::Down).unwrap().unrounded;
        assert_eq!(exact.to_string(), "0.015");
    }

    #[test]
    fn the_largest_amount_at_the_longest_rate_is_exact_or_refused() {
        let amount = usd("999999999999999.99");
        let rate = "0.999999999".parse().unwrap();
        let exact = share(amount, rate, Rounding::HalfEven).unwrap().unrounded;
        assert_eq!(exact.to_string(), "999999998999999.99000000001");
        let tiny: Rate = "0.0000000000000000000000000001".parse().unwrap();
        assert_eq!(share(amount, tiny, Rounding::HalfEven), None);
        assert!(matches!(sum(amount, usd("0.01"), "x"), Err(AnyRejection::TooLarge { .. })));
    }

    #[test]
    fn splits_lose_nothing() {
        let parts = split(usd("0.05"), &[1, 1, 1]).unwrap();
        assert_eq!(parts, [usd("0.02"), usd("0.02"), usd("0.01")]);
        let (rebate, coop) = split_off(usd("30000"), "0.6".parse().unwrap()).unwrap();
        assert_eq!((rebate, coop), (usd("18000"), usd("12000")));
        assert_eq!(split(usd("1"), &[]), None);
    }
}
