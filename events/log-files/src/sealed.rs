//! Sealed files: a stretch of history, its blocks byte for byte, never changed again.
//!
//! ```text
//! header: magic "CHLS" | format u16 | edge length u16 | ledger id 16 | tree edge before | CRC u32
//! body:   count × ( length u32 | block )
//! footer: ledger id 16 | blocks u64 | body end u64 | keys' digest 32 (zero: none)
//!         | edge length u16 | tree edge after
//!         | index length u32 | index × ( position u64 | offset u64 )
//! tail:   footer length u32 | footer CRC u32 | magic "CHLE"
//! ```
//!
//! All integers are big endian; checksums are CRC-32C. A tree's edge holds its size, so that it
//! says the position and gives the root. The index names about every 64 KiB a block and where it
//! begins. Nothing but the file itself is needed to check it.

mod footer;
mod read;
mod write;

pub use read::{SealedBlocks, SealedFile};
pub use write::SealedWriter;

use chl_events::{BlockError, Hash, LedgerId};
use chl_log::{Chain, Discontinuity, Frontier, FrontierError, ReadError};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What sealed files end in.
pub const SEALED_EXTENSION: &str = "blocks";

const MAGIC: &[u8; 4] = b"CHLS";
const FORMAT: u16 = 1;
/// Header without the tree's edge and the checksum.
const HEADER_BYTES: usize = 24;
/// A block is named in the index when it begins at least this far behind the last named one.
const INDEX_EVERY_BYTES: u64 = 64 * 1024;

/// What a sealed file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedSummary {
    /// Whose history it holds.
    pub ledger: LedgerId,
    /// The chain before its first block.
    pub before: Chain,
    /// The chain behind its last block.
    pub after: Chain,
    /// How many blocks it holds.
    pub blocks: u64,
    /// The digest of the key file that was sealed with it.
    pub keys: Option<Hash>,
}

/// Says why a sealed file could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SealedError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// It is no sealed file, or its beginning is damaged.
    #[error("{}: no sealed file, or its header is damaged: {what}", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// Its end is missing or damaged.
    #[error("{}: the sealed file's end is missing or damaged: {what}", path.display())]
    Footer {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The edge of the tree before or after it does not decode.
    #[error("{}: {source}", path.display())]
    Edge {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: FrontierError,
    },
    /// What stands at a position is no whole block.
    #[error("{}: damaged at position {position}: {source}", path.display())]
    Block {
        /// The file.
        path: PathBuf,
        /// The position of the block that is damaged.
        position: u64,
        /// What is wrong with it.
        source: BlockError,
    },
    /// A block does not continue the history.
    #[error("{}: broken: {source}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: Discontinuity,
    },
    /// The blocks do not lead to where the footer says.
    #[error("{}: its blocks end at position {found}, its footer says {expected}", path.display())]
    End {
        /// The file.
        path: PathBuf,
        /// What the footer says.
        expected: u64,
        /// Where the blocks end, or the position where their root differs.
        found: u64,
    },
}

impl SealedError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    fn broken(path: &Path) -> impl Fn(Discontinuity) -> Self + '_ {
        move |source| Self::Broken { path: path.to_owned(), source }
    }

    /// What it is to the reader of a log who wanted a position.
    pub fn into_read_error(self, wanted: u64) -> ReadError {
        match self {
            Self::Block { path, position, source } => {
                ReadError::Damaged { position, place: path.display().to_string(), source }
            }
            Self::Broken { source, .. } => source.into(),
            Self::Io { .. }
            | Self::Header { .. }
            | Self::Footer { .. }
            | Self::Edge { .. }
            | Self::End { .. } => ReadError::Storage { position: wanted, cause: Arc::new(self) },
        }
    }
}

/// Reads a chain of a ledger from its tree's edge.
fn chain(path: &Path, ledger: LedgerId, edge: &[u8]) -> Result<Chain, SealedError> {
    let frontier = Frontier::from_bytes(edge)
        .map_err(|source| SealedError::Edge { path: path.to_owned(), source })?;
    Ok(Chain::resume(ledger, frontier))
}
