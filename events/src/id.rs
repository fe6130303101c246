//! Identifiers: the caller's own names of things, one NATS subject token and one URL segment each.

use compact_str::CompactString;
use schemars::JsonSchema;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};
use std::fmt;

/// The longest identifier, in bytes (contract: `[A-Za-z0-9][A-Za-z0-9_-]{0,63}`).
pub const MAX_ID_BYTES: usize = 64;

/// Says why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// It is empty.
    #[error("an identifier is empty")]
    Empty,
    /// It is longer than [`MAX_ID_BYTES`].
    #[error("an identifier is {0} bytes long; at most 64 are allowed")]
    TooLong(usize),
    /// It holds a character outside `[A-Za-z0-9_-]`, or begins with `_` or `-`.
    #[error("{0:?} is not allowed in an identifier at place {1}; use [A-Za-z0-9][A-Za-z0-9_-]*")]
    Character(char, usize),
}

fn check(text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    let bad = text
        .char_indices()
        .find(|&(at, c)| !(c.is_ascii_alphanumeric() || (at > 0 && (c == '_' || c == '-'))));
    match bad {
        Some((at, c)) => Err(IdError::Character(c, at)),
        None if text.len() > MAX_ID_BYTES => Err(IdError::TooLong(text.len())),
        None => Ok(()),
    }
}

/// Reads a text that is an identifier.
struct Checked;

impl Visitor<'_> for Checked {
    type Value = CompactString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier such as p-042")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CompactString, E> {
        check(text).map_err(E::custom)?;
        Ok(CompactString::new(text))
    }
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(
            #[schemars(with = "String", regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"))]
            CompactString,
        );

        impl $name {
            /// Takes a text as an identifier, or says what is wrong with it.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                check(text)?;
                Ok(Self(CompactString::new(text)))
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                from.deserialize_str(Checked).map(Self)
            }
        }
    )+};
}

identifiers! {
    /// A partner company.
    PartnerId,
    /// A partner programme.
    ProgrammeId,
    /// An end customer (account).
    CustomerId,
    /// A deal registration.
    DealId,
    /// A conflict: `cf-` and 26 characters derived from its kind and challenger.
    ConflictId,
    /// An MDF budget.
    BudgetId,
    /// An MDF request.
    RequestId,
    /// A claim on a fund.
    ClaimId,
    /// A co-op lot: `YYYYMMDD-YYYYMMDD`, its first and last earning day.
    LotId,
    /// A sale, unique within a fund.
    SaleId,
    /// The pseudonym of a natural person.
    PersonId,
    /// Who acts, as the connection says: a service, a user, an operator.
    ActorId,
    /// A word of a vocabulary: activity, product line, territory, tier, measure, credential,
    /// proof kind, loss reason.
    Code,
}
