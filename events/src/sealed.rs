//! Sealed fields: personal data that a key outside the log makes readable, for as long as it exists.

use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use std::fmt;

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
        <[u8; 16]>::deserialize(from).map(Self)
    }
}

/// A text encrypted under a person's key. As JSON it shows only which key: `{"sealed": id}`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Sealed {
    /// The key that opens it.
    pub key: KeyId,
    /// Nonce, ciphertext and tag, as the vault writes them.
    pub ciphertext: Vec<u8>,
}

impl Sealed {
    /// The ciphertext as text, for exports that must open again.
    pub fn base64(&self) -> String {
        BASE64.encode(&self.ciphertext)
    }
}

impl Serialize for Sealed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if to.is_human_readable() {
            let mut fields = to.serialize_struct("Sealed", 1)?;
            fields.serialize_field("sealed", &self.key)?;
            fields.end()
        } else {
            (self.key, &self.ciphertext).serialize(to)
        }
    }
}

impl<'de> Deserialize<'de> for Sealed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (key, ciphertext) = Deserialize::deserialize(from)?;
        Ok(Self { key, ciphertext })
    }
}
