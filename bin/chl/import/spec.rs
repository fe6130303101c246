//! What a map file says, as written, with the place of every value.

use serde::{Deserialize, Deserializer, de};
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;

/// A text of the map file and where it stands.
pub(super) type Text = Spanned<String>;

/// A map file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Spec {
    /// The name in the commands' source: `/import/NAME`.
    pub(super) name: Text,
    /// The day or instant at which rows without an instant happen.
    pub(super) start: Text,
    /// The IANA zone in which a date begins; absent: UTC.
    #[serde(default)]
    pub(super) zone: Option<Text>,
    /// The exports, by the name the map calls them.
    #[serde(default)]
    pub(super) files: BTreeMap<String, FileSpec>,
    /// Values looked up in another export.
    #[serde(default)]
    pub(super) lookups: BTreeMap<String, LookupSpec>,
    /// Values looked up in the map itself.
    #[serde(default)]
    pub(super) tables: BTreeMap<String, BTreeMap<String, String>>,
    /// What becomes of the rows, in order.
    pub(super) feeds: Vec<FeedSpec>,
}

/// An export.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSpec {
    /// The file's name, by which it is found among those given.
    pub(super) file: Text,
    /// What separates its fields; absent: a comma.
    #[serde(default)]
    pub(super) delimiter: Option<Spanned<char>>,
}

/// A lookup of one column of an export by another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupSpec {
    /// The export.
    pub(super) file: Text,
    /// What is looked up.
    pub(super) key: Text,
    /// What is found.
    pub(super) value: Text,
}

/// What becomes of the rows of one export; without an export, once.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeedSpec {
    /// The export.
    #[serde(default)]
    pub(super) file: Option<Text>,
    /// The row's key in the commands' ids.
    #[serde(default)]
    pub(super) key: Option<Text>,
    /// Which rows.
    #[serde(default, rename = "where")]
    pub(super) conditions: BTreeMap<String, Node>,
    /// The commands of a row, in order.
    pub(super) commands: Vec<CommandSpec>,
}

/// A command of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandSpec {
    /// Its type.
    #[serde(rename = "type")]
    pub(super) kind: Text,
    /// Its key, where it is not the row's.
    #[serde(default)]
    pub(super) key: Option<Text>,
    /// When it happened; absent: at the map's start.
    #[serde(default)]
    pub(super) at: Option<Text>,
    /// Whether only the first row with a key counts.
    #[serde(default)]
    pub(super) once: bool,
    /// For which rows of the feed.
    #[serde(default, rename = "where")]
    pub(super) conditions: BTreeMap<String, Node>,
    /// In whose name.
    #[serde(default)]
    pub(super) onbehalfof: Option<Text>,
    /// Why.
    #[serde(default)]
    pub(super) reason: Option<Text>,
    /// Whether late registrations are taken as contested.
    #[serde(default)]
    pub(super) backfill: bool,
    /// The data, shaped as the command's.
    pub(super) data: Spanned<BTreeMap<String, Node>>,
}

/// A value of the map file of any shape, and where it stands.
#[derive(Debug)]
pub(super) struct Node(pub(super) Spanned<Value>);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Spanned::deserialize(from).map(Self)
    }
}

/// The shapes of a value.
#[derive(Debug)]
pub(super) enum Value {
    /// A template.
    Text(String),
    /// A number or truth value, the same for every row.
    Constant(serde_json::Value),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(BTreeMap<String, Node>),
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Shapes)
    }
}

struct Shapes;

impl<'de> de::Visitor<'de> for Shapes {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, a whole number, true or false, a list or a table")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_bool<E: de::Error>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Constant(yes.into()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Constant(number.into()))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Value, E> {
        Err(E::custom("a number with a point is not exact; write it in quotes"))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = seq.next_element()? {
            list.push(node);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut table = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            // The format hands its own dates over as a table of one reserved key.
            if key.starts_with("$__") {
                return Err(de::Error::custom("write a date or time in quotes"));
            }
            table.insert(key, map.next_value()?);
        }
        Ok(Value::Table(table))
    }
}
