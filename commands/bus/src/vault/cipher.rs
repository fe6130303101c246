//! Sealing one text: XChaCha20-Poly1305 with a nonce that follows from what is sealed.

use super::{Place, VaultError};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, KeyInit},
};
use chl_events::{KeyId, Sealed};
use sha2::{Digest, Sha256};

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
const SHA256_BLOCK: usize = 64;

/// A person's key. The keys for encrypting and for nonces are derived from it.
#[derive(Clone)]
pub(super) struct Key([u8; KEY_BYTES]);

/// A random name for a key.
pub(super) fn random_id() -> [u8; 16] {
    Generate::generate()
}

impl Key {
    /// Draws a key from the operating system.
    pub(super) fn random() -> Self {
        Self(Generate::generate())
    }

    pub(super) fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same text at the same place always gives the same bytes; another text or place another
    /// nonce.
    pub(super) fn seal(
        &self,
        id: KeyId,
        place: Place<'_>,
        text: &str,
    ) -> Result<Sealed, VaultError> {
        let parts = [place.source, place.id, place.field, text];
        let mut message = Vec::new();
        for part in parts {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        let derived = keyed_hash(&keyed_hash(&self.0, b"channel ledger: nonces"), &message);
        let mut nonce = [0; NONCE_BYTES];
        nonce.iter_mut().zip(derived).for_each(|(to, from)| *to = from);
        let too_long = |_| VaultError::Cipher(text.len());
        let encrypted =
            self.cipher().encrypt(&XNonce::from(nonce), text.as_bytes()).map_err(too_long)?;
        Ok(Sealed { key: id, ciphertext: [nonce.as_slice(), &encrypted].concat() })
    }

    /// None when the text was not sealed under this key, or was changed.
    pub(super) fn open(&self, sealed: &Sealed) -> Option<String> {
        let (nonce, encrypted) = sealed.ciphertext.split_first_chunk::<NONCE_BYTES>()?;
        let plain = self.cipher().decrypt(&XNonce::from(*nonce), encrypted).ok()?;
        String::from_utf8(plain).ok()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&keyed_hash(&self.0, b"channel ledger: texts").into())
    }
}

/// HMAC-SHA-256 (RFC 2104) under a key of 32 bytes.
fn keyed_hash(key: &[u8; KEY_BYTES], message: &[u8]) -> [u8; 32] {
    let padded = |with: u8| {
        let mut block = [with; SHA256_BLOCK];
        block.iter_mut().zip(key).for_each(|(to, from)| *to ^= from);
        block
    };
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn the_keyed_hash_is_that_of_rfc_4231() {
        // Test case 1 of RFC 4231 has a key of 20 bytes; padding it with zeros changes nothing.
        let mut key = [0; KEY_BYTES];
        key.iter_mut().take(20).for_each(|byte| *byte = 0x0b);
        assert_eq!(
            HEXLOWER.encode(&keyed_hash(&key, b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn a_changed_text_does_not_open() {
        let key = Key([7; KEY_BYTES]);
        let place = Place { source: "/s", id: "1", field: "reason" };
        let sealed = key.seal(KeyId([1; 16]), place, "hello").map_err(|e| e.to_string());
        let Ok(mut sealed) = sealed else { panic!("{sealed:?}") };
        assert_eq!(key.open(&sealed).as_deref(), Some("hello"));
        sealed.ciphertext.iter_mut().skip(30).take(1).for_each(|byte| *byte ^= 1);
        assert_eq!(key.open(&sealed), None);
        assert_eq!(Key([8; KEY_BYTES]).open(&sealed), None);
    }
}
