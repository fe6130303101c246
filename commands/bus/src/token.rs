//! Bearer tokens: what a caller shows at a door, and the digest that a list of actors keeps of it.

use data_encoding::HEXLOWER;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};
use subtle::ConstantTimeEq;

/// The algorithm a digest names, so that another one can come beside it.
const ALGORITHM: &str = "sha256:";

/// The SHA-256 of a bearer token. A token holds 256 random bits, so its digest needs no salt and
/// tells nothing of it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct TokenDigest([u8; 32]);

/// Says that a text is no digest of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no digest of a token: write sha256: and the 64 lowercase hexadecimal digits of its SHA-256"
)]
pub struct NoDigest;

impl TokenDigest {
    /// The digest of a token.
    pub fn of(token: &str) -> Self {
        Self(Sha256::digest(token).into())
    }
}

/// Equal in a time that does not tell where two begin to differ.
impl PartialEq for TokenDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenDigest {}

impl FromStr for TokenDigest {
    type Err = NoDigest;

    fn from_str(text: &str) -> Result<Self, NoDigest> {
        let digits = text.strip_prefix(ALGORITHM).ok_or(NoDigest)?;
        let bytes = HEXLOWER.decode(digits.as_bytes()).map_err(|_| NoDigest)?;
        bytes.try_into().map(Self).map_err(|_| NoDigest)
    }
}

impl TryFrom<String> for TokenDigest {
    type Error = NoDigest;

    fn try_from(text: String) -> Result<Self, NoDigest> {
        text.parse()
    }
}

impl fmt::Display for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM}{}", HEXLOWER.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        // printf %s secret | sha256sum
        let written = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        assert_eq!(TokenDigest::of("secret").to_string(), written);
        assert_eq!(written.parse(), Ok(TokenDigest::of("secret")));
        assert_ne!(written.parse(), Ok(TokenDigest::of("Secret")));
        let upper = written.to_uppercase();
        for wrong in ["", "secret", "sha256:2bb8", "md5:2bb8", &upper, &written[7..]] {
            assert_eq!(wrong.parse::<TokenDigest>(), Err(NoDigest), "{wrong}");
        }
    }
}
