//! The attributes of a CloudEvents 1.0 document, read in one pass and without copies.

use super::{is_attribute, strict::Strict};
use crate::{
    rejection::{BusRejection, Refused},
    trace::TraceParent,
};
use chl_events::{ActorId, FreeText, Instant, PartnerId, Role};
use serde::{
    Deserialize,
    de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, fmt};

/// The attributes that the ledger reads; `data` as it stands, until its type is known.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    pub(super) specversion: Option<Cow<'a, str>>,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) source: Option<Cow<'a, str>>,
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) time: Option<Instant>,
    pub(super) recorded_at: Option<Instant>,
    pub(super) actor: Option<ActorId>,
    pub(super) role: Option<Role>,
    pub(super) partner: Option<PartnerId>,
    pub(super) level: Option<u8>,
    pub(super) on_behalf_of: Option<ActorId>,
    pub(super) expected_version: Option<u64>,
    pub(super) backfill: Option<bool>,
    pub(super) reason: Option<FreeText>,
    pub(super) correlation: Option<Cow<'a, str>>,
    pub(super) causation: Option<Cow<'a, str>>,
    pub(super) trace: Option<TraceParent>,
    pub(super) data: Option<&'a RawValue>,
    seen: Vec<Cow<'a, str>>,
    at: Cow<'a, str>,
}

impl<'a> Attributes<'a> {
    /// Reads a document; what was read before an error stays.
    pub(super) fn read(&mut self, text: &'a str) -> Result<(), Refused> {
        let mut from = serde_json::Deserializer::from_str(text);
        let read = (&mut *self).deserialize(Strict(&mut from)).and_then(|()| from.end());
        read.map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &serde_json::Error) -> Refused {
        let problem = super::without_place(&error.to_string());
        if error.is_data() && !self.at.is_empty() {
            return Refused::field(self.at.chars().take(64).collect::<String>(), problem);
        }
        BusRejection::Broken { line: error.line(), column: error.column(), problem }.into()
    }

    fn attribute<M: MapAccess<'a>>(&mut self, map: &mut M) -> Result<(), M::Error> {
        if self.seen.contains(&self.at) {
            return Err(M::Error::custom("it stands twice"));
        }
        match self.at.as_ref() {
            "specversion" => self.specversion = text(map)?,
            "id" => self.id = text(map)?,
            "source" => self.source = text(map)?,
            "type" => self.kind = text(map)?,
            "time" => self.time = map.next_value()?,
            "recordedtime" => self.recorded_at = map.next_value()?,
            "actor" => self.actor = map.next_value()?,
            "role" => self.role = map.next_value()?,
            "partner" => self.partner = map.next_value()?,
            "level" => self.level = map.next_value()?,
            "onbehalfof" => self.on_behalf_of = map.next_value()?,
            "expectedversion" => self.expected_version = map.next_value()?,
            "backfill" => self.backfill = map.next_value()?,
            "reason" => self.reason = map.next_value()?,
            "correlationid" => self.correlation = text(map)?,
            "causationid" => self.causation = text(map)?,
            "traceparent" => self.trace = map.next_value::<Legal>()?.trace,
            "data" => self.data = map.next_value()?,
            "data_base64" => {
                return Err(M::Error::custom("the data of a command is JSON, in `data`"));
            }
            name if !is_attribute(name) => {
                return Err(M::Error::custom("no attribute of CloudEvents: use a-z and 0-9"));
            }
            _ => {
                map.next_value::<Legal>()?;
            }
        }
        self.seen.push(std::mem::take(&mut self.at));
        Ok(())
    }
}

fn text<'a, M: MapAccess<'a>>(map: &mut M) -> Result<Option<Cow<'a, str>>, M::Error> {
    Ok(map.next_value::<Option<Borrowed<'a>>>()?.map(|text| text.0))
}

/// The line and column of a byte.
pub(super) fn place(bytes: &[u8], at: usize, problem: String) -> BusRejection {
    let before = bytes.get(..at).unwrap_or_default();
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
    BusRejection::Broken { line, column, problem }
}

impl<'a> DeserializeSeed<'a> for &mut Attributes<'a> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for &mut Attributes<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a CloudEvents object")
    }

    fn visit_map<M: MapAccess<'a>>(self, mut map: M) -> Result<(), M::Error> {
        while let Some(Borrowed(name)) = map.next_key()? {
            self.at = name;
            self.attribute(&mut map)?;
        }
        Ok(())
    }
}

/// A text, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

/// A value that an attribute may have, and the trace it names, where it is a text that does.
struct Legal {
    trace: Option<TraceParent>,
}

impl<'de> Deserialize<'de> for Legal {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(LegalValue)
    }
}

struct LegalValue;

impl<'de> Visitor<'de> for LegalValue {
    type Value = Legal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, true, false or a whole number")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Legal, E> {
        Ok(Legal { trace: text.parse().ok() })
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Legal, E> {
        Ok(Legal { trace: None })
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Legal, E> {
        Ok(Legal { trace: None })
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Legal, E> {
        Ok(Legal { trace: None })
    }

    fn visit_unit<E: Error>(self) -> Result<Legal, E> {
        Ok(Legal { trace: None })
    }
}
