//! Texts that people read: display names in NFC.

use crate::Sealed;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// The longest display name, in characters after normalisation (contract).
pub const MAX_NAME_CHARS: usize = 256;

/// Says why a text is no display name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is empty or only white space.
    #[error("a display name is empty")]
    Empty,
    /// It is longer than [`MAX_NAME_CHARS`].
    #[error("a display name has {0} characters; at most 256 are allowed")]
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

/// The name of a partner: plain for a company, sealed for a natural person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Name {
    /// A company's name.
    Plain(DisplayName),
    /// A natural person's name, readable only while the person's key exists.
    Sealed(Sealed),
}
