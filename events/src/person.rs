//! Persons, by pseudonym: whose texts are sealed, and who can be forgotten.

use crate::{ActorId, IdError, KeyId, PartnerId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};

/// Whose text it is, by pseudonym. As text: `actor/u-17`, `partner/p-042`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Person {
    /// The one who wrote it.
    Actor(ActorId),
    /// A partner that is a natural person.
    Partner(PartnerId),
}

/// Says why a text names no person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PersonError {
    /// It does not say what the person is to the ledger.
    #[error("{0:?} names no person; a person is actor/ID or partner/ID")]
    Unknown(String),
    /// The pseudonym is no identifier.
    #[error("a person's pseudonym: {0}")]
    Id(#[from] IdError),
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Actor(actor) => write!(f, "actor/{actor}"),
            Self::Partner(partner) => write!(f, "partner/{partner}"),
        }
    }
}

impl FromStr for Person {
    type Err = PersonError;

    fn from_str(text: &str) -> Result<Self, PersonError> {
        match text.split_once('/') {
            Some(("actor", id)) => Ok(Self::Actor(id.parse()?)),
            Some(("partner", id)) => Ok(Self::Partner(id.parse()?)),
            _ => Err(PersonError::Unknown(text.chars().take(200).collect())),
        }
    }
}

impl Serialize for Person {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Person {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

/// Whom to forget: a person as the command comes in, and only that person's keys as it is kept.
///
/// Who was forgotten is so in no commit; the keys' names say nothing once the keys are gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// By pseudonym.
    Person(Person),
    /// By the names of the keys that are destroyed.
    Keys(Vec<KeyId>),
}

impl Whom {
    /// The person, as long as it is named.
    pub fn person(&self) -> Option<&Person> {
        match self {
            Self::Person(person) => Some(person),
            Self::Keys(_) => None,
        }
    }

    /// The keys, once they stand in the person's place.
    pub fn keys(&self) -> Option<&[KeyId]> {
        match self {
            Self::Person(_) => None,
            Self::Keys(keys) => Some(keys),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysJson {
    keys: Vec<KeyId>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WhomJson {
    Person(String),
    Keys(KeysJson),
}

impl Serialize for Whom {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if !to.is_human_readable() {
            return (self.person(), self.keys()).serialize(to);
        }
        match self {
            Self::Person(person) => to.collect_str(person),
            Self::Keys(keys) => KeysJson { keys: keys.clone() }.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Whom {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            return match WhomJson::deserialize(from).map_err(|_| D::Error::custom(WHAT))? {
                WhomJson::Person(person) => {
                    person.parse().map(Self::Person).map_err(D::Error::custom)
                }
                WhomJson::Keys(KeysJson { keys }) => Ok(Self::Keys(keys)),
            };
        }
        match Deserialize::deserialize(from)? {
            (Some(person), None) => Ok(Self::Person(person)),
            (None, Some(keys)) => Ok(Self::Keys(keys)),
            (None, None) | (Some(_), Some(_)) => Err(D::Error::custom(WHAT)),
        }
    }
}

const WHAT: &str = "a person is named as actor/ID or partner/ID";

impl JsonSchema for Whom {
    fn schema_name() -> Cow<'static, str> {
        "Whom".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A person by pseudonym: actor/ID or partner/ID.",
            "pattern": "^(actor|partner)/[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
        })
    }
}
