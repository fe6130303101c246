//! Pages of a key file: entries sorted by hash, with a checksum.

use super::{KeyHash, Record};

pub(super) const PAGE_BYTES: usize = 4096;
const CRC_BYTES: usize = 4;
const COUNT_BYTES: usize = 2;
const FIXED_BYTES: usize = 16 + 8 + 1;
const RELEASED: u64 = 1 << 63;

/// A page under way.
#[derive(Debug)]
pub(super) struct PageWriter {
    bytes: Vec<u8>,
    count: u16,
}

impl PageWriter {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; COUNT_BYTES], count: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes an entry unless the page is full. An empty page takes any.
    pub(super) fn push(&mut self, record: &Record) -> bool {
        let value = record.value.as_deref().unwrap_or_default();
        if self.bytes.len() + FIXED_BYTES + value.len() + CRC_BYTES > PAGE_BYTES {
            return false;
        }
        let released = if record.value.is_none() { RELEASED } else { 0 };
        let length = u8::try_from(value.len()).unwrap_or(u8::MAX);
        self.bytes.extend_from_slice(&record.hash.0.to_be_bytes());
        self.bytes.extend_from_slice(&(record.position | released).to_be_bytes());
        self.bytes.push(length);
        self.bytes.extend_from_slice(value.get(..usize::from(length)).unwrap_or(value));
        self.count += 1;
        true
    }

    /// The page's bytes; the next page begins.
    pub(super) fn take(&mut self) -> Vec<u8> {
        let mut page = std::mem::replace(&mut self.bytes, vec![0; COUNT_BYTES]);
        for (to, from) in page.iter_mut().zip(self.count.to_be_bytes()) {
            *to = from;
        }
        self.count = 0;
        page.resize(PAGE_BYTES - CRC_BYTES, 0);
        let crc = crc32c::crc32c(&page);
        page.extend_from_slice(&crc.to_be_bytes());
        page
    }
}

/// Walks the entries of a page whose checksum holds.
#[derive(Debug)]
pub(super) struct Page<'a> {
    rest: &'a [u8],
    left: u16,
}

impl<'a> Page<'a> {
    pub(super) fn check(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let (covered, crc) = bytes.split_last_chunk::<CRC_BYTES>().ok_or("a page is short")?;
        if crc32c::crc32c(covered) != u32::from_be_bytes(*crc) {
            return Err("a page's checksum does not match");
        }
        let (count, rest) = covered.split_first_chunk::<COUNT_BYTES>().ok_or("a page is short")?;
        Ok(Self { rest, left: u16::from_be_bytes(*count) })
    }

    pub(super) fn find(self, wanted: KeyHash) -> Option<Record> {
        let mut page = self;
        while let Some((hash, position, value)) = page.step() {
            if hash == wanted {
                return Some(record(hash, position, value));
            }
            if hash > wanted {
                return None;
            }
        }
        None
    }

    fn step(&mut self) -> Option<(KeyHash, u64, &'a [u8])> {
        self.left = self.left.checked_sub(1)?;
        let (hash, rest) = self.rest.split_first_chunk::<16>()?;
        let (position, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first()?;
        let (value, rest) = rest.split_at_checked(usize::from(*length))?;
        self.rest = rest;
        Some((KeyHash(u128::from_be_bytes(*hash)), u64::from_be_bytes(*position), value))
    }
}

impl Iterator for Page<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.step().map(|(hash, position, value)| record(hash, position, value))
    }
}

fn record(hash: KeyHash, position: u64, value: &[u8]) -> Record {
    let released = position & RELEASED != 0;
    Record { hash, position: position & !RELEASED, value: (!released).then(|| value.into()) }
}
