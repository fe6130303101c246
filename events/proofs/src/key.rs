//! Keys of signed notes (C2SP signed-note): a name, and an Ed25519 key that signs under it.
//!
//! ```text
//! public   NAME+ID+base64(0x01 | public key)
//! private  PRIVATE+KEY+NAME+ID+base64(0x01 | secret)
//! ID       the first 4 bytes of SHA-256(NAME | newline | 0x01 | public key), in hexadecimal digits
//! ```

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// The type of signatures by Ed25519.
const ED25519: u8 = 0x01;
const PRIVATE: &str = "PRIVATE+KEY+";
/// As long as a checkpoint's origin may be.
const MAX_NAME_BYTES: usize = 255;

/// Says why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name cannot stand in a signature's line.
    #[error("{0:?} names no key: a name has 1 to 255 bytes, no space, no control and no plus sign")]
    Name(String),
    /// It has not the form of a key.
    #[error("no key; one is written as NAME+ID+BASE64")]
    Form,
    /// It is of a kind that this release does not use.
    #[error("no Ed25519 key")]
    Kind,
    /// Its id is not that of its name and bytes.
    #[error("the key's id is {expected}, not {found}: it was not copied whole")]
    Id {
        /// The id of name and bytes.
        expected: KeyId,
        /// The one that is written.
        found: KeyId,
    },
}

/// By what a signature's line tells its key, beside the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

/// A public key: whoever has it tells what its secret half has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    id: KeyId,
    key: VerifyingKey,
}

/// A private key: whoever has it signs in the ledger's name.
pub struct PrivateKey {
    public: PublicKey,
    key: SigningKey,
}

impl PublicKey {
    fn new(name: &str, key: VerifyingKey) -> Result<Self, KeyError> {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
        if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.chars().all(plain) {
            return Err(KeyError::Name(name.to_owned()));
        }
        let hashed = Sha256::new().chain_update(name).chain_update([b'\n', ED25519]);
        let [a, b, c, d, ..] = <[u8; 32]>::from(hashed.chain_update(key.as_bytes()).finalize());
        Ok(Self { name: name.to_owned(), id: KeyId([a, b, c, d]), key })
    }

    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether its secret half made a signature of a text.
    pub(crate) fn signed(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .and_then(|signature| self.key.verify_strict(text.as_bytes(), &signature))
            .is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, self.id, encoded(self.key.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, bytes) = parts(text)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Kind)?;
        Self::new(name, key)?.of_id(id)
    }
}

impl PublicKey {
    fn of_id(self, found: KeyId) -> Result<Self, KeyError> {
        let expected = self.id;
        if found == expected { Ok(self) } else { Err(KeyError::Id { expected, found }) }
    }
}

impl PrivateKey {
    /// A key that signs under a name, from 32 random bytes.
    pub fn new(name: &str, secret: [u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(&secret);
        Ok(Self { public: PublicKey::new(name, key.verifying_key())?, key })
    }

    /// The half that others may have.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Writes the secret itself: for a file that nobody else can read.
    pub fn reveal(&self) -> String {
        format!("{PRIVATE}{}+{}+{}", self.public.name, self.public.id, encoded(self.key.as_bytes()))
    }

    /// Signs a text.
    pub(crate) fn sign(&self, text: &str) -> [u8; 64] {
        self.key.sign(text.as_bytes()).to_bytes()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the private half of {}", self.public)
    }
}

impl FromStr for PrivateKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, secret) = parts(text.strip_prefix(PRIVATE).ok_or(KeyError::Form)?)?;
        let Self { public, key } = Self::new(name, secret)?;
        Ok(Self { public: public.of_id(id)?, key })
    }
}

fn encoded(key: &[u8; 32]) -> String {
    BASE64.encode(&[&[ED25519], key.as_slice()].concat())
}

/// The name, the id and the bytes of a key's text. A base64 text may hold plus signs, too.
fn parts(text: &str) -> Result<(&str, KeyId, [u8; 32]), KeyError> {
    let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
    let (id, key) = rest.split_once('+').ok_or(KeyError::Form)?;
    let digits = id.len() == 8 && id.bytes().all(|digit| digit.is_ascii_hexdigit());
    let id = u32::from_str_radix(id, 16).ok().filter(|_| digits).ok_or(KeyError::Form)?;
    let bytes = BASE64.decode(key.as_bytes()).map_err(|_| KeyError::Form)?;
    let (kind, bytes) = bytes.split_first().ok_or(KeyError::Form)?;
    let bytes = bytes.try_into().map_err(|_| KeyError::Kind)?;
    if *kind != ED25519 {
        return Err(KeyError::Kind);
    }
    Ok((name, KeyId(id.to_be_bytes()), bytes))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// The keys that the first implementation of signed notes publishes for its tests.
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SECRET: &str =
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";

    #[test]
    fn published_keys_are_read_and_written() {
        let public: PublicKey = PUBLIC.parse().unwrap();
        let private: PrivateKey = SECRET.parse().unwrap();
        assert_eq!((public.to_string().as_str(), public.name()), (PUBLIC, "PeterNeumann"));
        assert_eq!(private.public(), &public);
        assert_eq!(private.reveal(), SECRET);
        assert!(!format!("{private:?}").contains("AYEKFALV"), "a secret is not shown by accident");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let wrong = |text: &str| text.parse::<PublicKey>().unwrap_err();
        assert_eq!(wrong("PeterNeumann"), KeyError::Form);
        assert_eq!(wrong(&PUBLIC.replace("c74f20a3", "c74f20a")), KeyError::Form);
        assert_eq!(wrong(&PUBLIC.replace("c74f20a3", "+74f20a3")), KeyError::Form);
        assert!(matches!(wrong(&PUBLIC.replace("c74f20a3", "c74f20a4")), KeyError::Id { .. }));
        assert!(matches!(wrong(&PUBLIC.replace("Peter", "Pater")), KeyError::Id { .. }));
        assert_eq!(wrong(&PUBLIC.replace("ARpc", "BRpc")), KeyError::Kind);
        assert_eq!(wrong(PUBLIC.strip_suffix("10TW").unwrap()), KeyError::Kind);
        assert_eq!(wrong(PUBLIC.strip_suffix("W").unwrap()), KeyError::Form);
        assert_eq!(PUBLIC.parse::<PrivateKey>().unwrap_err(), KeyError::Form);
        for name in ["", "two words", "a+b", "a\nb", &"n".repeat(256)] {
            let refused = PrivateKey::new(name, [7; 32]).unwrap_err();
            assert_eq!(refused, KeyError::Name(name.to_owned()));
        }
    }
}
