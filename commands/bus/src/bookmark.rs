//! Bookmarks: where a partner's stream of events goes on, as a word that only the ledger reads.
//!
//! A position would count everybody's commands, so a partner gets it encrypted, under a key that
//! follows from the ledger's id and the partner: any process that serves the ledger reads it, and one
//! partner's bookmark is nothing in another's hands. Whoever knows the ledger's id could read it, too;
//! partners are told no such id.

use crate::outgoing::{EventAt, NoEventId};
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit},
};
use chl_events::{LedgerId, PartnerId};
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

const NONCE_BYTES: usize = 24;

/// One partner's bookmarks in one ledger.
pub struct Bookmarks {
    key: [u8; 32],
}

impl Bookmarks {
    /// Those of a partner.
    pub fn of(ledger: LedgerId, partner: &PartnerId) -> Self {
        let key = Sha256::new().chain_update(b"channel ledger: bookmarks").chain_update(ledger.0);
        Self { key: key.chain_update(partner.as_str()).finalize().into() }
    }

    /// The word for a place; the same place has the same word.
    pub fn write(&self, at: EventAt) -> String {
        let place = at.to_string();
        let nonce: [u8; 32] =
            Sha256::new().chain_update(self.key).chain_update(&place).finalize().into();
        let (nonce, _) = nonce.split_first_chunk::<NONCE_BYTES>().expect("24 of 32 bytes");
        let sealed = self.cipher().encrypt(&XNonce::from(*nonce), place.as_bytes());
        let sealed = sealed.expect("a place is shorter than what a cipher takes");
        BASE64URL_NOPAD.encode(&[nonce.as_slice(), &sealed].concat())
    }

    /// The place a word is for.
    pub fn read(&self, text: &str) -> Result<EventAt, NoEventId> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| NoEventId)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(NoEventId)?;
        let place = self.cipher().decrypt(&XNonce::from(*nonce), sealed).map_err(|_| NoEventId)?;
        String::from_utf8(place).map_err(|_| NoEventId)?.parse()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.key.into())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_bookmark_is_its_partners_alone_and_shows_nothing() {
        let of = |ledger, partner: &str| {
            Bookmarks::of(LedgerId([ledger; 16]), &partner.parse().unwrap())
        };
        let at = EventAt { position: 1841, index: 2 };
        let word = of(1, "p-1").write(at);
        assert_eq!(of(1, "p-1").read(&word), Ok(at));
        assert_eq!(of(1, "p-1").write(at), word);
        assert!(!word.contains("1841"));
        for other in [of(2, "p-1"), of(1, "p-2")] {
            assert_eq!(other.read(&word), Err(NoEventId));
        }
        let changed = word.replacen(&word[..1], if word.starts_with('A') { "B" } else { "A" }, 1);
        for wrong in ["", "1841.2", "AAAA", &changed] {
            assert_eq!(of(1, "p-1").read(wrong), Err(NoEventId), "{wrong}");
        }
    }
}
