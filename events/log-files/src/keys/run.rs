//! One key file: sorted, immutable, for a stretch of positions.

use super::{
    EXTENSION, KeyError, KeyHash, Record,
    filter::Filters,
    page::{PAGE_BYTES, Page},
};
use chl_events::LedgerId;
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
    vec,
};

pub(super) const META_MAGIC: &[u8; 4] = b"CHLK";
pub(super) const TAIL_MAGIC: &[u8; 4] = b"CHLF";
pub(super) const RUN_FORMAT: u16 = 2;
const TAIL_BYTES: usize = 12;

/// Whose keys, and those of which positions: from the first up to but not including the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) ledger: LedgerId,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Stretch {
    pub(super) fn path(&self, dir: &Path) -> PathBuf {
        dir.join(format!("{:020}-{:020}.{EXTENSION}", self.from, self.to))
    }

    /// Reads a stretch from the name of its file.
    pub(super) fn of_name(ledger: LedgerId, path: &Path) -> Option<Self> {
        if path.extension()? != EXTENSION {
            return None;
        }
        let (from, to) = path.file_stem()?.to_str()?.split_once('-')?;
        Some(Self { ledger, from: from.parse().ok()?, to: to.parse().ok()? })
    }
}

/// An open key file, with its fences and filters in memory.
#[derive(Debug)]
pub(super) struct Run {
    path: PathBuf,
    file: File,
    pub(super) stretch: Stretch,
    pub(super) entries: u64,
    fences: Vec<u64>,
    filters: Filters,
}

impl Run {
    pub(super) fn open(path: &Path, stretch: Stretch) -> Result<Self, KeyError> {
        let io = KeyError::io(path);
        let damaged = KeyError::damaged(path);
        let file = File::open(path).map_err(&io)?;
        let size = file.metadata().map_err(&io)?.len();
        let tail_at = size.checked_sub(TAIL_BYTES as u64).ok_or_else(|| damaged("it is short"))?;
        let mut tail = [0; TAIL_BYTES];
        file.read_exact_at(&mut tail, tail_at).map_err(&io)?;
        let (length, rest) = tail.split_first_chunk::<4>().ok_or_else(|| damaged("no tail"))?;
        let (crc, magic) = rest.split_first_chunk::<4>().ok_or_else(|| damaged("no tail"))?;
        let length = u32::from_be_bytes(*length);
        let meta_at = tail_at.checked_sub(u64::from(length));
        let meta_at = meta_at.ok_or_else(|| damaged("its tail does not fit"))?;
        if magic != TAIL_MAGIC {
            return Err(damaged("it does not end with CHLF"));
        }
        let mut meta = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut meta, meta_at).map_err(&io)?;
        if crc32c::crc32c(&meta) != u32::from_be_bytes(*crc) {
            return Err(damaged("the checksum of its end does not match"));
        }
        let meta = decode(&meta).ok_or_else(|| damaged("its end does not decode"))?;
        if meta.stretch != stretch || meta.fences.len() as u64 * PAGE_BYTES as u64 != meta_at {
            return Err(damaged("it is not the file its name says"));
        }
        let Meta { entries, fences, filters, .. } = meta;
        Ok(Self { path: path.to_owned(), file, stretch, entries, fences, filters })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes of memory it takes.
    pub(super) fn memory_bytes(&self) -> usize {
        self.filters.bytes() + self.fences.len() * 8
    }

    pub(super) fn find(&self, hash: KeyHash) -> Result<Option<Record>, KeyError> {
        if !self.filters.may_hold(hash) {
            return Ok(None);
        }
        let upper = hash.upper();
        // Pages that begin with the wanted half may follow one that ends with it.
        let begin = self.fences.partition_point(|fence| *fence < upper).saturating_sub(1);
        let end = self.fences.partition_point(|fence| *fence <= upper);
        for page in begin..end {
            let mut bytes = [0; PAGE_BYTES];
            self.read_page(page, &mut bytes)?;
            let page = Page::check(&bytes).map_err(KeyError::damaged(&self.path))?;
            if let Some(record) = page.find(hash) {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    fn read_page(&self, page: usize, bytes: &mut [u8; PAGE_BYTES]) -> Result<(), KeyError> {
        let offset = page as u64 * PAGE_BYTES as u64;
        self.file.read_exact_at(bytes, offset).map_err(KeyError::io(&self.path))
    }

    /// Walks all entries in the order of their hashes, a page in memory at a time.
    pub(super) fn records(self: &Arc<Self>) -> Records {
        Records { run: Arc::clone(self), page: 0, records: Vec::new().into_iter() }
    }
}

struct Meta {
    stretch: Stretch,
    entries: u64,
    fences: Vec<u64>,
    filters: Filters,
}

fn decode(meta: &[u8]) -> Option<Meta> {
    let rest = meta.strip_prefix(META_MAGIC)?;
    let (format, rest) = rest.split_first_chunk::<2>()?;
    let (ledger, rest) = rest.split_first_chunk::<16>()?;
    let (from, rest) = rest.split_first_chunk::<8>()?;
    let (to, rest) = rest.split_first_chunk::<8>()?;
    let (entries, rest) = rest.split_first_chunk::<8>()?;
    let (pages, rest) = rest.split_first_chunk::<4>()?;
    let pages = usize::try_from(u32::from_be_bytes(*pages)).ok()?;
    let (fences, filters) = rest.split_at_checked(pages.checked_mul(8)?)?;
    let (fences, _) = fences.as_chunks::<8>();
    if u16::from_be_bytes(*format) != RUN_FORMAT {
        return None;
    }
    let (from, to) = (u64::from_be_bytes(*from), u64::from_be_bytes(*to));
    Some(Meta {
        stretch: Stretch { ledger: LedgerId(*ledger), from, to },
        entries: u64::from_be_bytes(*entries),
        fences: fences.iter().map(|fence| u64::from_be_bytes(*fence)).collect(),
        filters: Filters::decode(filters)?,
    })
}

/// Walks a key file.
#[derive(Debug)]
pub(super) struct Records {
    run: Arc<Run>,
    page: usize,
    records: vec::IntoIter<Record>,
}

impl Records {
    pub(super) fn next(&mut self) -> Result<Option<Record>, KeyError> {
        loop {
            if let Some(record) = self.records.next() {
                return Ok(Some(record));
            }
            if self.page >= self.run.fences.len() {
                return Ok(None);
            }
            let mut bytes = [0; PAGE_BYTES];
            self.run.read_page(self.page, &mut bytes)?;
            let page = Page::check(&bytes).map_err(KeyError::damaged(&self.run.path))?;
            self.records = page.collect::<Vec<_>>().into_iter();
            self.page += 1;
        }
    }
}
