//! Reads sealed files: any number of readers, each with bounded memory.

use super::{
    FORMAT, HEADER_BYTES, MAGIC, SealedError, SealedSummary, chain,
    footer::{Footer, Place},
};
use chl_events::{Block, BlockError, LedgerId, MAX_BLOCK_BYTES};
use chl_log::{Chain, Discontinuity};
use std::{
    fs::File,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How much a scan reads at a time; at least a block with its length.
const READ_BYTES: usize = 4 * MAX_BLOCK_BYTES;
const HEADER_CRC_BYTES: usize = 4;

/// A sealed file that is open for reading; its header and footer are checked.
#[derive(Debug)]
pub struct SealedFile {
    path: PathBuf,
    file: File,
    summary: SealedSummary,
    body_start: u64,
    body_end: u64,
    index: Vec<Place>,
}

impl SealedFile {
    /// Opens a file and checks its header and footer; the blocks are checked as they are read.
    pub fn open(path: &Path) -> Result<Self, SealedError> {
        let file = File::open(path).map_err(SealedError::io(path))?;
        let (before, body_start) = header(path, &file)?;
        let footer = Footer::read(path, &file)?;
        let wrong = |what| SealedError::Footer { path: path.to_owned(), what };
        if footer.after.ledger() != before.ledger() {
            return Err(wrong("it names another ledger than the header"));
        }
        if footer.after.next() < before.next() || footer.body_end < body_start {
            return Err(wrong("it ends before it begins"));
        }
        let summary = SealedSummary {
            ledger: before.ledger(),
            before,
            after: footer.after,
            blocks: footer.blocks,
            keys: footer.keys,
        };
        let path = path.to_owned();
        let (body_end, index) = (footer.body_end, footer.index);
        Ok(Self { path, file, summary, body_start, body_end, index })
    }

    /// Opens a damaged file without believing its header and footer: its blocks are those that
    /// continue `before`, up to the first that does not read.
    pub fn open_to_salvage(path: &Path, before: Chain) -> Result<Self, SealedError> {
        let io = SealedError::io(path);
        let file = File::open(path).map_err(&io)?;
        let body_end = file.metadata().map_err(&io)?.len();
        let edge = before.frontier().to_bytes().len();
        let summary = SealedSummary {
            ledger: before.ledger(),
            after: before.clone(),
            before,
            blocks: 0,
            keys: None,
        };
        let body_start = (HEADER_BYTES + edge + HEADER_CRC_BYTES) as u64;
        Ok(Self { path: path.to_owned(), file, summary, body_start, body_end, index: Vec::new() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says of itself.
    pub fn summary(&self) -> &SealedSummary {
        &self.summary
    }

    /// The position of its first commit.
    pub fn first(&self) -> u64 {
        self.summary.before.next()
    }

    /// The position behind its last commit.
    pub fn next(&self) -> u64 {
        self.summary.after.next()
    }

    /// Reads every block from the first on, whatever the footer says.
    pub fn all_blocks(self: &Arc<Self>) -> SealedBlocks {
        let start = Place { position: self.first(), offset: self.body_start };
        self.blocks_at(start, self.first())
    }

    /// Reads the blocks from the one that holds `from`; positions outside give all or none.
    ///
    /// Checksums, ledger and positions are checked, and that the blocks end where the footer says.
    pub fn blocks(self: &Arc<Self>, from: u64) -> SealedBlocks {
        let named = self.index.partition_point(|place| place.position <= from);
        let place = named.checked_sub(1).and_then(|index| self.index.get(index)).copied();
        let start = Place { position: self.first(), offset: self.body_start };
        let place = if from >= self.next() {
            Place { position: self.next(), offset: self.body_end }
        } else {
            place.unwrap_or(start)
        };
        self.blocks_at(place, from)
    }

    fn blocks_at(self: &Arc<Self>, place: Place, from: u64) -> SealedBlocks {
        SealedBlocks {
            file: Arc::clone(self),
            position: place.position,
            from,
            fetched: place.offset,
            buffer: Vec::new(),
            used: 0,
            done: false,
        }
    }

    /// Checks everything there is to check: every block, every root, and that both edges fit.
    pub fn verify(self: &Arc<Self>) -> Result<(), SealedError> {
        let mut chain = self.summary.before.clone();
        let mut blocks = 0;
        for block in self.all_blocks() {
            chain.accept(&block?).map_err(SealedError::broken(&self.path))?;
            blocks += 1;
        }
        if chain == self.summary.after && blocks == self.summary.blocks {
            return Ok(());
        }
        Err(SealedError::End {
            path: self.path.clone(),
            expected: self.next(),
            found: chain.next(),
        })
    }
}

fn header(path: &Path, file: &File) -> Result<(Chain, u64), SealedError> {
    let wrong = |what| SealedError::Header { path: path.to_owned(), what };
    let mut fixed = [0; HEADER_BYTES];
    file.read_exact_at(&mut fixed, 0).map_err(|_| wrong("the file is too short"))?;
    let (magic, rest) = fixed.split_first_chunk::<4>().ok_or(wrong("no magic"))?;
    let (format, rest) = rest.split_first_chunk::<2>().ok_or(wrong("no format"))?;
    let (edge, rest) = rest.split_first_chunk::<2>().ok_or(wrong("no edge"))?;
    let (ledger, _) = rest.split_first_chunk::<16>().ok_or(wrong("no ledger"))?;
    if magic != MAGIC {
        return Err(wrong("it does not begin with CHLS"));
    }
    if u16::from_be_bytes(*format) != FORMAT {
        return Err(wrong("a format that this release does not read"));
    }
    let edge = usize::from(u16::from_be_bytes(*edge));
    let mut all = vec![0; HEADER_BYTES + edge + HEADER_CRC_BYTES];
    file.read_exact_at(&mut all, 0).map_err(|_| wrong("the file is too short"))?;
    let (covered, crc) = all.split_last_chunk::<4>().ok_or(wrong("no checksum"))?;
    if crc32c::crc32c(covered) != u32::from_be_bytes(*crc) {
        return Err(wrong("its checksum does not match"));
    }
    let edge = covered.get(HEADER_BYTES..).unwrap_or_default();
    Ok((chain(path, LedgerId(*ledger), edge)?, all.len() as u64))
}

/// Walks the blocks of a sealed file; the first error ends it.
#[derive(Debug)]
pub struct SealedBlocks {
    file: Arc<SealedFile>,
    /// The position of the next block.
    position: u64,
    /// Blocks that end before it are passed over.
    from: u64,
    /// The offset in the file behind the buffer.
    fetched: u64,
    buffer: Vec<u8>,
    /// How much of the buffer has been taken.
    used: usize,
    done: bool,
}

impl SealedBlocks {
    fn damaged(&self, source: BlockError) -> SealedError {
        SealedError::Block { path: self.file.path.clone(), position: self.position, source }
    }

    /// Makes the buffer hold `wanted` bytes that are not taken yet, unless the body ends before.
    fn fill(&mut self, wanted: usize) -> Result<(), SealedError> {
        if self.buffer.len() - self.used >= wanted {
            return Ok(());
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        let held = self.buffer.len();
        let left = self.file.body_end.saturating_sub(self.fetched);
        let more = usize::try_from(left).unwrap_or(usize::MAX).min(READ_BYTES);
        self.buffer.resize(held + more, 0);
        let room = self.buffer.get_mut(held..).unwrap_or_default();
        let io = SealedError::io(&self.file.path);
        self.file.file.read_exact_at(room, self.fetched).map_err(io)?;
        self.fetched += more as u64;
        Ok(())
    }

    fn take(&mut self, wanted: usize) -> Result<Option<&[u8]>, SealedError> {
        self.fill(wanted)?;
        let taken = self.buffer.get(self.used..self.used + wanted);
        self.used += if taken.is_some() { wanted } else { 0 };
        Ok(taken)
    }

    fn next_block(&mut self) -> Result<Option<Block>, SealedError> {
        let Some(length) = self.take(4)? else {
            return self.end().map(|()| None);
        };
        let length = length.try_into().map_or(0, u32::from_be_bytes);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_BLOCK_BYTES {
            return Err(self.damaged(BlockError::TooLarge(length)));
        }
        let Some(bytes) = self.take(length)? else {
            return Err(self.damaged(BlockError::Short(length)));
        };
        let block = Block::from_bytes(bytes).map_err(|source| self.damaged(source))?;
        let (expected, found) = (self.file.summary.ledger, block.ledger());
        let foreign = Discontinuity::Ledger { expected, found };
        let moved = Discontinuity::Position { expected: self.position, found: block.first() };
        let broken = SealedError::broken(&self.file.path);
        if expected != found {
            return Err(broken(foreign));
        }
        if block.first() != self.position {
            return Err(broken(moved));
        }
        self.position = block.next();
        Ok(Some(block))
    }

    /// The body has ended: it must be where the footer says.
    fn end(&self) -> Result<(), SealedError> {
        let (expected, found) = (self.file.next(), self.position);
        if self.buffer.len() > self.used {
            return Err(self.damaged(BlockError::Short(self.buffer.len() - self.used)));
        }
        if expected == found {
            return Ok(());
        }
        Err(SealedError::End { path: self.file.path.clone(), expected, found })
    }
}

impl Iterator for SealedBlocks {
    type Item = Result<Block, SealedError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.next_block() {
                Ok(Some(block)) if block.next() <= self.from => {}
                Ok(Some(block)) => return Some(Ok(block)),
                Ok(None) => self.done = true,
                Err(error) => {
                    self.done = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
