//! The end of a sealed file, as bytes.

use super::{SealedError, chain};
use chl_events::{Hash, LedgerId};
use chl_log::Chain;
use std::{fs::File, os::unix::fs::FileExt, path::Path};

const TAIL_MAGIC: &[u8; 4] = b"CHLE";
const TAIL_BYTES: usize = 12;
const NO_KEYS: Hash = Hash([0; 32]);

/// Where a block begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) offset: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Footer {
    pub(super) after: Chain,
    pub(super) blocks: u64,
    pub(super) body_end: u64,
    pub(super) keys: Option<Hash>,
    pub(super) index: Vec<Place>,
}

impl Footer {
    /// Footer and tail; none when a length does not fit its field, which 64 KiB blocks never reach.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let edge = self.after.frontier().to_bytes();
        let mut bytes = self.after.ledger().0.to_vec();
        bytes.extend_from_slice(&self.blocks.to_be_bytes());
        bytes.extend_from_slice(&self.body_end.to_be_bytes());
        bytes.extend_from_slice(&self.keys.unwrap_or(NO_KEYS).0);
        bytes.extend_from_slice(&u16::try_from(edge.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(&edge);
        bytes.extend_from_slice(&u32::try_from(self.index.len()).ok()?.to_be_bytes());
        for place in &self.index {
            bytes.extend_from_slice(&place.position.to_be_bytes());
            bytes.extend_from_slice(&place.offset.to_be_bytes());
        }
        let length = u32::try_from(bytes.len()).ok()?;
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&crc.to_be_bytes());
        bytes.extend_from_slice(TAIL_MAGIC);
        Some(bytes)
    }

    pub(super) fn read(path: &Path, file: &File) -> Result<Self, SealedError> {
        let wrong = |what| SealedError::Footer { path: path.to_owned(), what };
        let io = SealedError::io(path);
        let size = file.metadata().map_err(&io)?.len();
        let tail_at = size.checked_sub(TAIL_BYTES as u64).ok_or(wrong("the file is too short"))?;
        let mut tail = [0; TAIL_BYTES];
        file.read_exact_at(&mut tail, tail_at).map_err(&io)?;
        let (length, rest) = tail.split_first_chunk::<4>().ok_or(wrong("no length"))?;
        let (crc, magic) = rest.split_first_chunk::<4>().ok_or(wrong("no checksum"))?;
        if magic != TAIL_MAGIC {
            return Err(wrong("it does not end with CHLE"));
        }
        let length = u32::from_be_bytes(*length);
        let start = tail_at.checked_sub(u64::from(length)).ok_or(wrong("a length beyond it"))?;
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| wrong("a length beyond it"))?];
        file.read_exact_at(&mut bytes, start).map_err(&io)?;
        if crc32c::crc32c(&bytes) != u32::from_be_bytes(*crc) {
            return Err(wrong("its checksum does not match"));
        }
        let footer = Self::decode(path, &bytes)?;
        if footer.body_end == start { Ok(footer) } else { Err(wrong("it is not where it belongs")) }
    }

    fn decode(path: &Path, bytes: &[u8]) -> Result<Self, SealedError> {
        let short = || SealedError::Footer { path: path.to_owned(), what: "it ends in the middle" };
        let (ledger, rest) = bytes.split_first_chunk::<16>().ok_or_else(short)?;
        let (blocks, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
        let (body_end, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
        let (keys, rest) = rest.split_first_chunk::<32>().ok_or_else(short)?;
        let (edge, rest) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let edge = usize::from(u16::from_be_bytes(*edge));
        let (edge, rest) = rest.split_at_checked(edge).ok_or_else(short)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let (places, left_over) = rest.as_chunks::<16>();
        if places.len() as u64 != u64::from(u32::from_be_bytes(*count)) || !left_over.is_empty() {
            return Err(short());
        }
        let place = |bytes: &[u8; 16]| {
            let number = u128::from_be_bytes(*bytes);
            Place { position: (number >> 64) as u64, offset: number as u64 }
        };
        let keys = Hash(*keys);
        Ok(Self {
            after: chain(path, LedgerId(*ledger), edge)?,
            blocks: u64::from_be_bytes(*blocks),
            body_end: u64::from_be_bytes(*body_end),
            keys: (keys != NO_KEYS).then_some(keys),
            index: places.iter().map(place).collect(),
        })
    }
}
