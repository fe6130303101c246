//! The key index: which commit took a key, for ever, across the whole ledger.
//!
//! A key (a command's source and id, a deal's name, an invoice …) is known by the first 16 bytes
//! of the SHA-256 of its kind and its bytes. The newest entries are in memory; sealed ones are in
//! sorted, immutable files, each for a stretch of positions, which merge geometrically, so that a
//! lookup asks O(log n) of them, and most of those only their filter.
//!
//! ```text
//! FROM-TO.keys:  pages of 4096: count u16 | count × entry | zeros | CRC u32
//!                  entry: hash 16 | position u64, top bit: released | length u8 | value
//!                meta: magic "CHLK" | format u16 | ledger id 16 | from u64 | to u64 | entries u64
//!                  | pages u32 | pages × first hash's upper half u64
//!                  | filters u32 | filters × ( first half u64 | length u32 | filter )
//!                tail: meta length u32 | meta CRC u32 | magic "CHLF"
//! ```
//!
//! All integers are big endian; checksums are CRC-32C. The files are no truth: whatever of them
//! is missing or damaged is built again from the log, from [`KeyIndex::covered_to`] on.

mod filter;
mod index;
mod merge;
mod page;
mod run;
mod write;
mod young;

pub use index::KeyIndex;

use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The most bytes of a value.
pub const MAX_KEY_VALUE_BYTES: usize = 255;

const EXTENSION: &str = "keys";

/// What a key leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The position of the commit that took it.
    pub position: u64,
    /// What was put beside it: a stream's name, a digest.
    pub value: Vec<u8>,
}

/// Says why keys could not be looked up or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// A key file is damaged. It has been set aside: open the index again and replay the log from
    /// where it covers it.
    #[error("{}: the key file is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// A value is too long.
    #[error("a key's value of {0} bytes; at most 255 are allowed")]
    ValueTooLong(usize),
}

impl KeyError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    fn damaged(path: &Path) -> impl Fn(&'static str) -> Self + '_ {
        move |what| Self::Damaged { path: path.to_owned(), what }
    }
}

/// What a key is known by: 128 bits of a hash, in the order of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct KeyHash(u128);

impl KeyHash {
    fn of(kind: u8, key: &[u8]) -> Self {
        let digest: [u8; 32] =
            Sha256::new().chain_update([kind]).chain_update(key).finalize().into();
        let half = digest.first_chunk::<16>().copied();
        Self(half.map_or(0, u128::from_be_bytes))
    }

    /// The upper half: what filters and fences know.
    fn upper(self) -> u64 {
        (self.0 >> 64) as u64
    }
}

/// An entry of the index. A release has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    hash: KeyHash,
    position: u64,
    value: Option<Box<[u8]>>,
}
