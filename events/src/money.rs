//! Money: an exact amount in minor units of one ISO 4217 currency.

use compact_str::ToCompactString;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use std::{fmt, sync::LazyLock};

/// The most integer digits an amount may have (contract).
const MAX_INTEGER_DIGITS: u32 = 15;

/// Says why a text is no amount of a currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The code is not in ISO 4217, or the currency has no minor unit.
    #[error("{0:?} is no ISO 4217 currency code with a minor unit")]
    Currency(String),
    /// The amount is no plain decimal.
    #[error("{0:?} is no plain decimal amount such as \"1234.50\"")]
    Syntax(String),
    /// More decimal places than the currency has.
    #[error("{amount} has more than the {places} decimal places of {currency}")]
    Places {
        /// The amount as given.
        amount: String,
        /// How many places the currency has.
        places: u32,
        /// The currency.
        currency: Currency,
    },
    /// More than fifteen integer digits.
    #[error("an amount has at most 15 integer digits")]
    TooLarge,
}

/// An ISO 4217 currency: its alphabetic code; its minor units come from the standard's table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(transparent)]
pub struct Currency(#[schemars(with = "String", regex(pattern = r"^[A-Z]{3}$"))] [u8; 3]);

impl Currency {
    /// Takes an alphabetic code such as `USD`.
    pub fn new(code: &str) -> Result<Self, MoneyError> {
        let wrong = || MoneyError::Currency(code.chars().take(8).collect());
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| wrong())?;
        minor_places(bytes).ok_or_else(wrong)?;
        Ok(Self(bytes))
    }

    /// The alphabetic code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).expect("made only from a code of the table, which is ASCII")
    }

    /// How many decimal places the minor unit is (USD 2, JPY 0, KWD 3).
    pub fn places(self) -> u32 {
        minor_places(self.0).map_or(2, u32::from)
    }

    /// An amount of nothing.
    pub fn zero(self) -> Money {
        Money::from_minor(0, self)
    }
}

/// The decimal places of a code's minor unit; none where the standard knows no code or no minor
/// unit.
///
/// Every amount that is read or written asks for them, and the library searches a list: so its
/// answers are kept, one for each three letters.
fn minor_places(code: [u8; 3]) -> Option<u8> {
    static PLACES: LazyLock<Vec<Option<u8>>> = LazyLock::new(|| {
        let letters = || b'A'..=b'Z';
        let pairs = letters().flat_map(|first| letters().map(move |second| [first, second]));
        let codes =
            pairs.flat_map(|[first, second]| letters().map(move |third| [first, second, third]));
        let places = |code: [u8; 3]| {
            let code = std::str::from_utf8(&code).ok()?;
            u8::try_from(iso_currency::Currency::from_code(code)?.exponent()?).ok()
        };
        codes.map(places).collect()
    });
    let index = code.iter().try_fold(0, |index, letter| {
        let letter = letter.checked_sub(b'A').filter(|letter| *letter < 26)?;
        Some(index * 26 + usize::from(letter))
    });
    PLACES.get(index?).copied().flatten()
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.serialize_str(self.code()) } else { self.0.serialize(to) }
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        if from.is_human_readable() {
            Self::new(&String::deserialize(from)?).map_err(D::Error::custom)
        } else {
            let bytes = <[u8; 3]>::deserialize(from)?;
            let code = std::str::from_utf8(&bytes).map_err(D::Error::custom)?;
            Self::new(code).map_err(D::Error::custom)
        }
    }
}

/// An exact amount of one currency, counted in its minor units.
///
/// As JSON `{"amount": "1234.50", "currency": "USD"}`; on the wire the minor units as a zig-zag
/// varint and three letters. A negative amount exists only as a difference; commands carry
/// positive ones (checked where a command is decoded).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i128,
    currency: Currency,
}

impl Money {
    /// So many minor units (cents) of a currency.
    pub fn from_minor(minor: i128, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Takes a decimal text and a currency code.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let syntax = || MoneyError::Syntax(amount.chars().take(40).collect());
        let exact: crate::Exact = amount.parse().map_err(|_| {
            let digits = amount.bytes().filter(u8::is_ascii_digit).count();
            let plain = amount.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            if digits > 28 && plain { MoneyError::TooLarge } else { syntax() }
        })?;
        let written = amount.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        let places = currency.places();
        if written > places as usize {
            return Err(MoneyError::Places { amount: amount.into(), places, currency });
        }
        let value = exact.get();
        if value.abs() >= Decimal::from_i128_with_scale(10_i128.pow(MAX_INTEGER_DIGITS), 0) {
            return Err(MoneyError::TooLarge);
        }
        let minor = value.mantissa() * 10_i128.pow(places - value.scale());
        Ok(Self { minor, currency })
    }

    /// The amount in minor units.
    pub fn minor(self) -> i128 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// The amount as a decimal with the currency's places.
    ///
    /// None beyond 28 digits, which no amount of the contract reaches.
    pub fn decimal(self) -> Option<Decimal> {
        Decimal::try_from_i128_with_scale(self.minor, self.currency.places()).ok()
    }

    /// Whether nothing is left.
    pub fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is more than nothing.
    pub fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The sum; none when the currencies differ or it leaves the range.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_add(other.minor)?;
        (self.currency == other.currency).then_some(Self { minor, ..self })
    }

    /// The difference; none when the currencies differ or it leaves the range.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let minor = self.minor.checked_sub(other.minor)?;
        (self.currency == other.currency).then_some(Self { minor, ..self })
    }

    /// The decimal text alone, with the currency's places: `1234.50`.
    pub fn amount(self) -> String {
        let mut text = String::new();
        self.write_amount(&mut text);
        text
    }

    /// Writes the decimal text alone behind what a text holds.
    pub fn write_amount(self, to: &mut String) {
        let places = self.currency.places() as usize;
        // Numbers of 64 bits have a way into text of their own, without formatting.
        let minor = self.minor.unsigned_abs();
        let digits = u64::try_from(minor)
            .map_or_else(|_| minor.to_compact_string(), |minor| minor.to_compact_string());
        if self.minor < 0 {
            to.push('-');
        }
        let (whole, fraction) = digits.split_at(digits.len().saturating_sub(places));
        to.push_str(if whole.is_empty() { "0" } else { whole });
        if places > 0 {
            to.push('.');
            (fraction.len()..places).for_each(|_| to.push('0'));
            to.push_str(fraction);
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(
    deny_unknown_fields,
    expecting = r#"an amount of money like {"amount": "1234.50", "currency": "USD"}"#
)]
struct MoneyJson {
    /// A decimal string, at most 15 integer digits and the currency's decimal places.
    #[schemars(regex(pattern = r"^[0-9]{1,15}(\.[0-9]{1,4})?$"))]
    amount: String,
    /// ISO 4217 alphabetic code.
    currency: Currency,
}

impl JsonSchema for Money {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        MoneyJson::json_schema(generator)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            let mut fields = to.serialize_struct("Money", 2)?;
            fields.serialize_field("amount", &self.amount())?;
            fields.serialize_field("currency", &self.currency)?;
            fields.end()
        } else {
            (self.minor, self.currency).serialize(to)
        }
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            let json = MoneyJson::deserialize(from)?;
            Self::parse(&json.amount, json.currency).map_err(serde::de::Error::custom)
        } else {
            let (minor, currency) = <(i128, Currency)>::deserialize(from)?;
            Ok(Self { minor, currency })
        }
    }
}
