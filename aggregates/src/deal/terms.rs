//! What the terms of deal registration say about a deal's figures and dates.

use super::DealRejection;
use crate::Rejection;
use crate::calendar::plus_days;
use crate::money;
use crate::programme::Version;
use crate::rejection::AnyRejection;
use chl_events::deal::Contract;
use chl_events::terms::{DealTerms, ValueBasis};
use chl_events::{Date, Money};
use rust_decimal::Decimal;

/// The terms of deal registration, or the rejection that the programme has none (class 6).
pub(super) fn deal_terms(version: &Version) -> Result<&DealTerms, DealRejection> {
    let none = || DealRejection::NotOffered { programme: version.programme.clone() };
    version.terms.deal_registration.as_ref().ok_or_else(none)
}

fn wrong(field: &str, problem: &str) -> AnyRejection {
    AnyRejection::data(field, problem)
}

/// Checks a contract's shape (class 1): a positive value, and months or no end.
pub(super) fn check_contract(contract: Option<&Contract>) -> Result<(), AnyRejection> {
    let Some(contract) = contract else { return Ok(()) };
    money::positive(contract.tcv, "contract.tcv")?;
    match (contract.months, contract.perpetual) {
        (None, false) => Err(wrong("contract.months", "must be given unless perpetual")),
        (Some(_), true) => Err(wrong("contract.months", "must not be given where perpetual")),
        (Some(0), false) => Err(wrong("contract.months", "must be at least 1")),
        (Some(_), false) | (None, true) => Ok(()),
    }
}

/// The months over which a contract's value counts: its own, or the terms' years of a perpetual
/// one (six years of most programmes).
fn months(contract: &Contract, terms: &DealTerms) -> i128 {
    let perpetual = || i128::from(terms.perpetual_years) * 12;
    contract.months.map_or_else(perpetual, i128::from)
}

/// Annual contract value: total value × 12 / months, rounded once as the terms say.
pub(super) fn acv(
    contract: &Contract,
    version: &Version,
    terms: &DealTerms,
) -> Result<Money, AnyRejection> {
    // A remainder of a division by so few months is never within 28 digits of a half.
    let value = contract.tcv.decimal().and_then(|total| {
        let months = Decimal::try_from_i128_with_scale(months(contract, terms), 0).ok()?;
        total.checked_mul(Decimal::from(12))?.checked_div(months)
    });
    value
        .and_then(|value| money::round(value, contract.tcv.currency(), version.terms.rounding))
        .ok_or(AnyRejection::TooLarge { field: "data.contract.tcv" })
}

/// Checks the value that counts against the terms' minimum (class 6).
///
/// Money of another currency is not compared; the check of currencies refuses it (class 7).
pub(super) fn check_minimum(
    value: Money,
    contract: Option<&Contract>,
    version: &Version,
) -> Result<(), Rejection> {
    let terms = deal_terms(version)?;
    let Some(minimum) = terms.minimum_value else { return Ok(()) };
    let (enough, counted) = match terms.minimum_basis {
        ValueBasis::Deal => (value.minor() >= minimum.minor(), value),
        ValueBasis::Acv => {
            let contract = contract.ok_or(DealRejection::ContractMissing)?;
            // Compared exactly: a rounded value could reach a minimum that the contract misses.
            let (scaled, least) = (
                contract.tcv.minor().checked_mul(12),
                minimum.minor().checked_mul(months(contract, terms)),
            );
            let too_large = AnyRejection::TooLarge { field: "data.contract.tcv" };
            let (Some(scaled), Some(least)) = (scaled, least) else { return Err(too_large.into()) };
            (scaled >= least, acv(contract, version, terms)?)
        }
    };
    if enough || counted.currency() != minimum.currency() {
        return Ok(());
    }
    Err(DealRejection::BelowMinimum { minimum, value: counted }.into())
}

/// Checks that a deal is registered early enough before its closing and after its contract's
/// signature (class 6). *Within N days of a date* is up to the end of day date + N.
pub(super) fn check_windows(
    expected_close: Option<Date>,
    contract: Option<&Contract>,
    on: Date,
    terms: &DealTerms,
) -> Result<(), DealRejection> {
    if let Some(days) = terms.register_before_close_days {
        let close = expected_close.ok_or(DealRejection::ExpectedCloseMissing)?;
        let back = i32::try_from(days).ok().and_then(|days| close.plus_days(-days));
        // Before the calendar begins nobody registers.
        let register_by = back.unwrap_or(close);
        if on > register_by || back.is_none() {
            return Err(DealRejection::TooLateBeforeClose { register_by, on });
        }
    }
    let signed_on = contract.and_then(|contract| contract.signed_on);
    if let (Some(days), Some(signed_on)) = (terms.register_within_days_of_signature, signed_on) {
        let register_by = plus_days(signed_on, days);
        if on > register_by {
            return Err(DealRejection::TooLateAfterSignature { register_by, on });
        }
    }
    Ok(())
}

/// Checks that a deal's money is of the programme's currency (class 7).
pub(super) fn check_currency(
    value: Option<Money>,
    contract: Option<&Contract>,
    version: &Version,
) -> Result<(), AnyRejection> {
    for money in value.into_iter().chain(contract.map(|contract| contract.tcv)) {
        money::expect_currency(version.currency, money)?;
    }
    Ok(())
}
