//! The witness: how far a log has durably come, told by a file that is no part of the log.
//!
//! ```text
//! two slots at 0 and 4096, written in turn:
//! magic "CHLW" | format u16 | 0 u16 | generation u64 | ledger id 16 | position u64 | root 32
//! | CRC-32C u32 over all before it
//! ```
//!
//! All integers are big endian. The whole slot with the higher generation counts; a slot that a
//! crash tore is as if it had not been written.

use crate::Draft;
use chl_events::{Hash, LedgerId};
use chl_log::Head;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 4] = b"CHLW";
const FORMAT: u16 = 1;
const SLOT_BYTES: usize = 76;
const SLOT_DISTANCE: u64 = 4096;
const FILE_BYTES: usize = 2 * 4096;

/// What a witness says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// A head that was durable when this was written.
    pub head: Head,
    /// Counts what was written to the witness.
    pub generation: u64,
}

/// Says why a witness could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// There is none.
    #[error("{}: the witness is missing", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Neither slot is whole.
    #[error("{}: the witness is damaged, none of its two slots is whole", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The file system failed.
    #[error("{}: the witness cannot be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

/// The witness file of a log, open for writing by the log's owner.
#[derive(Debug)]
pub struct Witness {
    path: PathBuf,
    file: File,
    last: Mark,
}

impl Witness {
    /// Makes a witness that says `head`, replacing one that is there; whole or not at all.
    pub fn create(path: &Path, head: Head, generation: u64) -> Result<Self, WitnessError> {
        let write = || {
            let mut draft = Draft::create(path)?;
            let mut bytes = vec![0; FILE_BYTES];
            let mark = Mark { head, generation };
            for (to, from) in bytes.iter_mut().skip(slot_start(generation)).zip(encode(&mark)) {
                *to = from;
            }
            draft.write_all(&bytes)?;
            draft.publish()
        };
        write().map_err(|source| WitnessError::Io { path: path.to_owned(), source })?;
        Self::open(path)
    }

    /// Opens the witness of a log.
    pub fn open(path: &Path) -> Result<Self, WitnessError> {
        let io = |source| WitnessError::Io { path: path.to_owned(), source };
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(WitnessError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(io(error)),
        };
        let mut newest: Option<Mark> = None;
        for slot in 0..2 {
            let mut bytes = [0; SLOT_BYTES];
            match file.read_exact_at(&mut bytes, slot * SLOT_DISTANCE) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => continue,
                Err(error) => return Err(io(error)),
            }
            if let Some(mark) = decode(&bytes)
                && newest.is_none_or(|other| other.generation < mark.generation)
            {
                newest = Some(mark);
            }
        }
        let last = newest.ok_or_else(|| WitnessError::Damaged { path: path.to_owned() })?;
        Ok(Self { path: path.to_owned(), file, last })
    }

    /// What it says.
    pub fn last(&self) -> Mark {
        self.last
    }

    /// Writes a durable head into the older slot; a kill leaves it, a power cut may not until
    /// [`Witness::sync`].
    pub fn record(&mut self, head: Head) -> Result<(), WitnessError> {
        let mark = Mark { head, generation: self.last.generation + 1 };
        let slot = (mark.generation % 2) * SLOT_DISTANCE;
        self.file.write_all_at(&encode(&mark), slot).map_err(|source| self.failed(source))?;
        self.last = mark;
        Ok(())
    }

    /// Makes what was recorded durable.
    pub fn sync(&self) -> Result<(), WitnessError> {
        self.file.sync_data().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> WitnessError {
        WitnessError::Io { path: self.path.clone(), source }
    }
}

fn slot_start(generation: u64) -> usize {
    if generation.is_multiple_of(2) { 0 } else { FILE_BYTES / 2 }
}

fn encode(mark: &Mark) -> [u8; SLOT_BYTES] {
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&FORMAT.to_be_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&mark.generation.to_be_bytes());
    bytes.extend_from_slice(&mark.head.ledger.0);
    bytes.extend_from_slice(&mark.head.next.to_be_bytes());
    bytes.extend_from_slice(&mark.head.root.0);
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes.try_into().expect("the fields above are 76 bytes")
}

fn decode(bytes: &[u8; SLOT_BYTES]) -> Option<Mark> {
    let (covered, crc) = bytes.split_last_chunk::<4>()?;
    if crc32c::crc32c(covered) != u32::from_be_bytes(*crc) {
        return None;
    }
    let (begin, rest) = covered.split_first_chunk::<8>()?;
    if !begin.starts_with(MAGIC) || begin.get(4..6)? != FORMAT.to_be_bytes() {
        return None;
    }
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (ledger, rest) = rest.split_first_chunk::<16>()?;
    let (next, rest) = rest.split_first_chunk::<8>()?;
    let (root, _) = rest.split_first_chunk::<32>()?;
    let head =
        Head { ledger: LedgerId(*ledger), next: u64::from_be_bytes(*next), root: Hash(*root) };
    Some(Mark { head, generation: u64::from_be_bytes(*generation) })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn head(next: u64) -> Head {
        Head { ledger: LedgerId([3; 16]), next, root: Hash([next as u8; 32]) }
    }

    #[test]
    fn the_newest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        assert!(matches!(Witness::open(&path), Err(WitnessError::Missing { .. })));
        let mut witness = Witness::create(&path, head(0), 0).unwrap();
        for next in 1..6 {
            witness.record(head(next)).unwrap();
            witness.sync().unwrap();
            assert_eq!(Witness::open(&path).unwrap().last().head, head(next));
        }
        assert_eq!(Witness::open(&path).unwrap().last().generation, 5);
        // Whatever byte of the newest slot is torn, the one before it counts.
        let whole = std::fs::read(&path).unwrap();
        for byte in 0..SLOT_BYTES {
            let mut torn = whole.clone();
            *torn.get_mut(FILE_BYTES / 2 + byte).unwrap() ^= 0x10;
            std::fs::write(&path, &torn).unwrap();
            assert_eq!(Witness::open(&path).unwrap().last().head, head(4), "byte {byte}");
            *torn.get_mut(byte).unwrap() ^= 0x10;
            std::fs::write(&path, &torn).unwrap();
            assert!(matches!(Witness::open(&path), Err(WitnessError::Damaged { .. })));
        }
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(Witness::open(&path), Err(WitnessError::Damaged { .. })));
    }
}
