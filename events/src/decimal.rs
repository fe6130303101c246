//! Exact decimals: rates of at most nine significant digits and unrounded values.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Says why a text or number is no decimal of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// It is no plain decimal such as `0.025`.
    #[error("{0:?} is no plain decimal number such as \"0.025\"")]
    Syntax(String),
    /// A rate has more than nine significant digits.
    #[error("{0} has more than nine significant digits")]
    Digits(Decimal),
}

/// A value kept unrounded, beside the rounded one that was posted; also measures.
///
/// On the wire: mantissa and scale, without trailing zeros, so that equal values have equal bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub struct Exact(#[schemars(with = "String", regex(pattern = r"^-?[0-9]+(\.[0-9]+)?$"))] Decimal);

/// A rate, match, share or factor: an exact decimal of at most nine significant digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub struct Rate(#[schemars(with = "String", regex(pattern = r"^-?[0-9]+(\.[0-9]+)?$"))] Decimal);

fn parse(text: &str) -> Result<Decimal, DecimalError> {
    let wrong = || DecimalError::Syntax(text.chars().take(40).collect());
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(fraction) {
        return Err(wrong());
    }
    Decimal::from_str_exact(text).map(canonical).map_err(|_| wrong())
}

fn canonical(value: Decimal) -> Decimal {
    let value = value.normalize();
    if value.is_zero() { Decimal::ZERO } else { value }
}

impl Exact {
    /// Keeps a value, canonical: 1.00 is kept as 1.
    pub fn new(value: Decimal) -> Self {
        Self(canonical(value))
    }

    /// The value.
    pub fn get(self) -> Decimal {
        self.0
    }
}

impl Rate {
    /// Takes a decimal of at most nine significant digits as a rate.
    pub fn new(value: Decimal) -> Result<Self, DecimalError> {
        let value = canonical(value);
        if value.mantissa().unsigned_abs() < 1_000_000_000 {
            Ok(Self(value))
        } else {
            Err(DecimalError::Digits(value))
        }
    }

    /// The value.
    pub fn get(self) -> Decimal {
        self.0
    }

    /// The rate of 1: all of it.
    pub const ONE: Self = Self(Decimal::ONE);
    /// The rate of 0: none of it.
    pub const ZERO: Self = Self(Decimal::ZERO);
}

macro_rules! decimal_codec {
    ($name:ident, $make:expr) => {
        impl std::str::FromStr for $name {
            type Err = DecimalError;
            fn from_str(text: &str) -> Result<Self, DecimalError> {
                $make(parse(text)?)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() {
                    to.collect_str(&self.0)
                } else {
                    (self.0.mantissa(), self.0.scale()).serialize(to)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if from.is_human_readable() {
                    String::deserialize(from)?.parse().map_err(D::Error::custom)
                } else {
                    let (mantissa, scale) = <(i128, u32)>::deserialize(from)?;
                    let value = Decimal::try_from_i128_with_scale(mantissa, scale)
                        .map_err(D::Error::custom)?;
                    $make(value).map_err(D::Error::custom)
                }
            }
        }
    };
}

decimal_codec!(Exact, |value| Ok::<_, DecimalError>(Exact::new(value)));
decimal_codec!(Rate, Rate::new);
