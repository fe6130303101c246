//! Texts that people read: display names in NFC.

use crate::Sealed;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest display name, in characters after normalisation (contract).
pub const MAX_NAME_CHARS: usize = 256;

/// Says why a text is no text of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is empty or only white space.
    #[error("a text is empty")]
    Empty,
    /// It is longer than [`MAX_NAME_CHARS`] or [`MAX_TEXT_CHARS`].
    #[error("a text has {0} characters; a name has at most 256, a note 4096")]
    TooLong(usize),
    /// It holds a control character.
    #[error("a display name holds the control character {0:?}")]
    Control(char),
}

/// The name of a company as people read it: any Unicode text, NFC, at most 256 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct DisplayName(#[schemars(length(min = 1, max = 256))] String);

impl DisplayName {
    /// Normalises a text to NFC and checks it.
    pub fn new(text: &str) -> Result<Self, TextError> {
        let name: String = if is_nfc(text) { text.into() } else { text.nfc().collect() };
        let chars = name.chars().count();
        match name.chars().find(|c| c.is_control()) {
            Some(c) => Err(TextError::Control(c)),
            None if name.trim().is_empty() => Err(TextError::Empty),
            None if chars > MAX_NAME_CHARS => Err(TextError::TooLong(chars)),
            None => Ok(Self(name)),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for DisplayName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// The longest free text, in characters.
pub const MAX_TEXT_CHARS: usize = 4096;

/// A text that is sealed before anybody keeps it: plain only between the door and the vault.
pub trait Sealable {
    /// The text, as long as it is plain.
    fn plain(&self) -> Option<&str>;
    /// The sealed text, once it is.
    fn sealed(&self) -> Option<&Sealed>;
    /// Puts the sealed text in the place of the plain one.
    fn seal(&mut self, sealed: Sealed);
}

macro_rules! sealable {
    ($(#[$doc:meta])* $name:ident($plain:ty), $chars:literal, $make:expr, $text:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            /// As it came in.
            Plain($plain),
            /// Readable only while the key exists.
            Sealed(Sealed),
        }

        impl Sealable for $name {
            fn plain(&self) -> Option<&str> {
                let text: fn(&$plain) -> &str = $text;
                match self {
                    Self::Plain(plain) => Some(text(plain)),
                    Self::Sealed(_) => None,
                }
            }

            fn sealed(&self) -> Option<&Sealed> {
                match self {
                    Self::Plain(_) => None,
                    Self::Sealed(sealed) => Some(sealed),
                }
            }

            fn seal(&mut self, sealed: Sealed) {
                *self = Self::Sealed(sealed);
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() {
                    match self {
                        Self::Plain(plain) => plain.serialize(to),
                        Self::Sealed(sealed) => sealed.serialize(to),
                    }
                } else {
                    (self.plain(), self.sealed()).serialize(to)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                let make: fn(&str) -> Result<$plain, TextError> = $make;
                let (plain, sealed) = if from.is_human_readable() {
                    from.deserialize_any(PlainOrSealed)?
                } else {
                    <(Option<String>, Option<Sealed>)>::deserialize(from)?
                };
                match (plain, sealed) {
                    (Some(text), None) => make(&text).map(Self::Plain).map_err(D::Error::custom),
                    (None, Some(sealed)) => Ok(Self::Sealed(sealed)),
                    _ => Err(D::Error::custom("a text is either plain or sealed")),
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": $chars })
            }
        }
    };
}

struct PlainOrSealed;

impl<'de> serde::de::Visitor<'de> for PlainOrSealed {
    type Value = (Option<String>, Option<Sealed>);

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok((Some(text.into()), None))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let map = serde::de::value::MapAccessDeserializer::new(map);
        Ok((None, Some(Sealed::deserialize(map)?)))
    }
}

fn free_text(text: &str) -> Result<String, TextError> {
    let chars = text.chars().count();
    if text.trim().is_empty() {
        Err(TextError::Empty)
    } else if chars > MAX_TEXT_CHARS {
        Err(TextError::TooLong(chars))
    } else {
        Ok(text.into())
    }
}

sealable! {
    /// The name of a partner: plain for a company, sealed for a natural person.
    Name(DisplayName), 256, DisplayName::new, DisplayName::as_str
}

sealable! {
    /// Free text of a person: a reason or note, at most [`MAX_TEXT_CHARS`] characters.
    FreeText(String), 4096, free_text, String::as_str
}
