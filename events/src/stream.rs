//! Streams: what must be consistent together, one version counter each.

use crate::{BudgetId, CustomerId, IdError, PartnerId, ProgrammeId};
use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// The name of a stream: its kind and the keys of what it guards, as `customer/acme`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stream {
    /// `ledger`: the ledger itself.
    Ledger,
    /// `partner/{partner}`: life cycle, links, enrolments.
    Partner(PartnerId),
    /// `programme/{programme}`: the chain of versions.
    Programme(ProgrammeId),
    /// `customer/{customer}`: deals, slots, conflicts, attribution.
    Customer(CustomerId),
    /// `coop/{programme}/{partner}`: lots, claims, payments.
    Coop(ProgrammeId, PartnerId),
    /// `mdf/{programme}/{partner}`: allocations, requests, claims, payments.
    Mdf(ProgrammeId, PartnerId),
    /// `rebate/{programme}/{partner}`: what was converted or split off to rebate.
    Rebate(ProgrammeId, PartnerId),
    /// `budget/{budget}`: a budget and its allocations.
    Budget(BudgetId),
}

/// As text.
impl schemars::JsonSchema for Stream {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Stream".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "Its kind and the keys of what it guards, such as customer/acme.",
        })
    }
}

/// Says why a text names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// Its kind or number of parts is unknown.
    #[error("{0:?} names no stream")]
    Unknown(String),
    /// One of its keys is no identifier.
    #[error("a stream's key: {0}")]
    Key(#[from] IdError),
}

impl Stream {
    /// Hands out its name, part by part: every commit has it, so that nothing is formatted.
    pub fn parts(&self, to: &mut impl FnMut(&str)) {
        match self {
            Self::Ledger => to("ledger"),
            Self::Partner(partner) => one("partner/", partner.as_str(), to),
            Self::Programme(programme) => one("programme/", programme.as_str(), to),
            Self::Customer(customer) => one("customer/", customer.as_str(), to),
            Self::Coop(programme, partner) => two("coop/", programme, partner, to),
            Self::Mdf(programme, partner) => two("mdf/", programme, partner, to),
            Self::Rebate(programme, partner) => two("rebate/", programme, partner, to),
            Self::Budget(budget) => one("budget/", budget.as_str(), to),
        }
    }

    fn name(&self) -> CompactString {
        let mut name = CompactString::default();
        self.parts(&mut |part| name.push_str(part));
        name
    }
}

fn one(kind: &str, key: &str, to: &mut impl FnMut(&str)) {
    to(kind);
    to(key);
}

fn two(kind: &str, programme: &ProgrammeId, partner: &PartnerId, to: &mut impl FnMut(&str)) {
    one(kind, programme.as_str(), to);
    one("/", partner.as_str(), to);
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = Ok(());
        self.parts(&mut |part| {
            if written.is_ok() {
                written = f.write_str(part);
            }
        });
        written
    }
}

impl std::str::FromStr for Stream {
    type Err = StreamError;
    fn from_str(text: &str) -> Result<Self, StreamError> {
        let mut parts = text.split('/');
        let four = [parts.next(), parts.next(), parts.next(), parts.next()];
        Ok(match four {
            [Some("ledger"), None, ..] => Self::Ledger,
            [Some("partner"), Some(key), None, _] => Self::Partner(key.parse()?),
            [Some("programme"), Some(key), None, _] => Self::Programme(key.parse()?),
            [Some("customer"), Some(key), None, _] => Self::Customer(key.parse()?),
            [Some("budget"), Some(key), None, _] => Self::Budget(key.parse()?),
            [Some("coop"), Some(key), Some(of), None] => Self::Coop(key.parse()?, of.parse()?),
            [Some("mdf"), Some(key), Some(of), None] => Self::Mdf(key.parse()?, of.parse()?),
            [Some("rebate"), Some(key), Some(of), None] => Self::Rebate(key.parse()?, of.parse()?),
            _ => return Err(StreamError::Unknown(text.chars().take(200).collect())),
        })
    }
}

impl Serialize for Stream {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Stream {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        CompactString::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
