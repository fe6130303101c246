//! Blocks: runs of commits written as one piece, the same bytes on every log.
//!
//! ```text
//! magic "CHLB" | format u16 | count u16 | ledger id 16 | first position u64 | root before 32
//! then count × ( length u16 | commit ) and last a CRC-32C u32 over all before it
//! ```
//!
//! All integers are big endian. The middle part is, byte for byte, an entry bundle of a
//! tiled transparency log.

use std::fmt;

const MAGIC: &[u8; 4] = b"CHLB";
const FORMAT: u16 = 1;
const HEADER: usize = 64;
const CRC: usize = 4;

/// The most bytes of one commit; a tile entry holds 65,535.
pub const MAX_COMMIT_BYTES: usize = 60 * 1024;
/// The most bytes of one block; the largest commit always fits.
pub const MAX_BLOCK_BYTES: usize = 64 * 1024;
/// What a block adds to its commits: header and checksum; and two bytes a commit.
pub const BLOCK_OVERHEAD: usize = HEADER + CRC;

/// A SHA-256 value: a leaf, a node or a root of the log's tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The random id of a ledger, drawn once when it is opened for the first time.
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
pub struct LedgerId(pub [u8; 16]);

impl fmt::Display for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for LedgerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A run of commits, checked: its bytes are whole and cut at the right places.
#[derive(Clone, PartialEq, Eq)]
pub struct Block {
    bytes: std::sync::Arc<[u8]>,
}

/// Says why bytes are no block, or commits do not make one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It does not begin like a block.
    #[error("no block: it does not begin with CHLB")]
    Magic,
    /// The layout is not one this release reads.
    #[error("a block of format {0}; this release reads format 1")]
    Format(u16),
    /// It ends in the middle.
    #[error("a block ends in the middle, after {0} bytes")]
    Short(usize),
    /// It is larger than [`MAX_BLOCK_BYTES`].
    #[error("a block of {0} bytes; at most 65536 are allowed")]
    TooLarge(usize),
    /// Its checksum is another: its bytes were changed.
    #[error("the block's checksum does not match: stored {stored:08x}, computed {computed:08x}")]
    Checksum {
        /// What it says.
        stored: u32,
        /// What its bytes give.
        computed: u32,
    },
    /// A commit is larger than [`MAX_COMMIT_BYTES`].
    #[error("a commit of {0} bytes; at most 61440 are allowed")]
    CommitTooLarge(usize),
    /// It has no commit.
    #[error("a block without a commit")]
    Empty,
}

impl Block {
    /// Makes a block of commits that continue a ledger at `first`, whose root so far is `before`.
    pub fn new<C: AsRef<[u8]>>(
        ledger: LedgerId,
        first: u64,
        before: Hash,
        commits: &[C],
    ) -> Result<Self, BlockError> {
        let body: usize = commits.iter().map(|commit| 2 + commit.as_ref().len()).sum();
        let size = BLOCK_OVERHEAD + body;
        if commits.is_empty() {
            return Err(BlockError::Empty);
        }
        if let Some(large) = commits.iter().find(|one| one.as_ref().len() > MAX_COMMIT_BYTES) {
            return Err(BlockError::CommitTooLarge(large.as_ref().len()));
        }
        let count = u16::try_from(commits.len()).map_err(|_| BlockError::TooLarge(size))?;
        if size > MAX_BLOCK_BYTES {
            return Err(BlockError::TooLarge(size));
        }
        let mut bytes = Vec::with_capacity(size);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_be_bytes());
        bytes.extend_from_slice(&count.to_be_bytes());
        bytes.extend_from_slice(&ledger.0);
        bytes.extend_from_slice(&first.to_be_bytes());
        bytes.extend_from_slice(&before.0);
        for commit in commits {
            let commit = commit.as_ref();
            let length = u16::try_from(commit.len())
                .map_err(|_| BlockError::CommitTooLarge(commit.len()))?;
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(commit);
        }
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        Ok(Self { bytes: bytes.into() })
    }

    /// Takes bytes as a block after checking that they are whole: magic, format, lengths, checksum.
    pub fn from_bytes(bytes: impl Into<std::sync::Arc<[u8]>>) -> Result<Self, BlockError> {
        let block = Self { bytes: bytes.into() };
        let all: &[u8] = &block.bytes;
        if all.len() > MAX_BLOCK_BYTES {
            return Err(BlockError::TooLarge(all.len()));
        }
        if !all.starts_with(MAGIC) {
            return Err(BlockError::Magic);
        }
        if all.len() < BLOCK_OVERHEAD {
            return Err(BlockError::Short(all.len()));
        }
        let format = u16::from_be_bytes(block.field(4));
        if format != FORMAT {
            return Err(BlockError::Format(format));
        }
        let (covered, crc) = all.split_at(all.len() - CRC);
        let stored = crc.try_into().map_or(0, u32::from_be_bytes);
        let computed = crc32c::crc32c(covered);
        if stored != computed {
            return Err(BlockError::Checksum { stored, computed });
        }
        if block.count() == 0 {
            return Err(BlockError::Empty);
        }
        let mut walk = block.commits();
        if walk.by_ref().count() != block.count() || !walk.rest.is_empty() {
            return Err(BlockError::Short(all.len()));
        }
        Ok(block)
    }

    fn field<const N: usize>(&self, at: usize) -> [u8; N] {
        self.bytes
            .get(at..at + N)
            .and_then(|slice| slice.try_into().ok())
            .expect("a block is at least its header, checked when it was made")
    }

    /// The exact bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The ledger it belongs to.
    pub fn ledger(&self) -> LedgerId {
        LedgerId(self.field(8))
    }

    /// How many commits it has; at least one.
    pub fn count(&self) -> usize {
        usize::from(u16::from_be_bytes(self.field(6)))
    }

    /// The position of its first commit.
    pub fn first(&self) -> u64 {
        u64::from_be_bytes(self.field(24))
    }

    /// The position behind its last commit.
    pub fn next(&self) -> u64 {
        self.first().saturating_add(self.count() as u64)
    }

    /// The root of the tree over all commits before it.
    pub fn root_before(&self) -> Hash {
        Hash(self.field(32))
    }

    /// The commits' bytes, in order.
    pub fn commits(&self) -> Commits<'_> {
        let end = self.bytes.len().saturating_sub(CRC);
        Commits { rest: self.bytes.get(HEADER..end).unwrap_or_default() }
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({}..{} of {})", self.first(), self.next(), self.ledger())
    }
}

/// Walks a block's commits.
#[derive(Debug, Clone)]
pub struct Commits<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Commits<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<2>()?;
        let (commit, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        self.rest = rest;
        Some(commit)
    }
}
