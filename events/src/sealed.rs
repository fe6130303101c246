//! Sealed fields: personal data that a key outside the log makes readable, for as long as it exists.

use data_encoding::{BASE64, HEXLOWER};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{borrow::Cow, fmt};

/// The random name of a person's key in the vault: 16 bytes, as text 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 16]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() { to.collect_str(self) } else { self.0.serialize(to) }
    }
}

impl<'de> Deserialize<'de> for KeyId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if !from.is_human_readable() {
            return <[u8; 16]>::deserialize(from).map(Self);
        }
        let text = String::deserialize(from)?;
        let id = HEXLOWER.decode(text.as_bytes()).ok().and_then(|id| id.try_into().ok());
        id.map(Self).ok_or_else(|| serde::de::Error::custom("no key id: 32 digits in hex"))
    }
}

impl JsonSchema for KeyId {
    fn schema_name() -> Cow<'static, str> {
        "KeyId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "The name of a person's key.",
            "pattern": "^[0-9a-f]{32}$",
        })
    }
}

/// A text encrypted under a person's key: `{"sealed": key, "ciphertext": base64}`.
///
/// Who shows one to people opens it where the key and the reader's role allow, and else leaves
/// only the key's name.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sealed {
    /// The key that opens it.
    pub key: KeyId,
    /// Nonce, ciphertext and tag, as the vault writes them.
    pub ciphertext: Vec<u8>,
}

/// As it is shown to those who may not open it: the name of its key.
impl JsonSchema for Sealed {
    fn schema_name() -> Cow<'static, str> {
        "Sealed".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "A text of a person, as the name of the key that opens it.",
            "properties": { "sealed": { "type": "string", "pattern": "^[0-9a-f]{32}$" } },
            "required": ["sealed"],
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedJson {
    sealed: String,
    ciphertext: String,
}

impl SealedJson {
    fn decode(&self) -> Option<Sealed> {
        let key = HEXLOWER.decode(self.sealed.as_bytes()).ok()?;
        let ciphertext = BASE64.decode(self.ciphertext.as_bytes()).ok()?;
        Some(Sealed { key: KeyId(key.try_into().ok()?), ciphertext })
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            let ciphertext = BASE64.encode(&self.ciphertext);
            SealedJson { sealed: self.key.to_string(), ciphertext }.serialize(to)
        } else {
            (self.key, &self.ciphertext).serialize(to)
        }
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            SealedJson::deserialize(from)?.decode().ok_or_else(|| {
                serde::de::Error::custom("no sealed text: key in hex, text in base64")
            })
        } else {
            let (key, ciphertext) = Deserialize::deserialize(from)?;
            Ok(Self { key, ciphertext })
        }
    }
}
