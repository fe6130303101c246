//! Writes sealed files.

use super::{
    FORMAT, HEADER_BYTES, INDEX_EVERY_BYTES, MAGIC, SealedError, SealedSummary,
    footer::{Footer, Place},
};
use crate::Draft;
use chl_events::{Block, Hash};
use chl_log::{Chain, Discontinuity};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

/// A sealed file under way; it appears when it is finished, and not before.
#[derive(Debug)]
pub struct SealedWriter {
    path: PathBuf,
    draft: Draft,
    before: Chain,
    chain: Chain,
    blocks: u64,
    offset: u64,
    index: Vec<Place>,
}

impl SealedWriter {
    /// Begins a file at `path` for the blocks that continue `before`.
    pub fn create(path: &Path, before: Chain) -> Result<Self, SealedError> {
        let io = SealedError::io(path);
        let edge = before.frontier().to_bytes();
        let mut header = Vec::with_capacity(HEADER_BYTES + edge.len() + 4);
        header.extend_from_slice(MAGIC);
        header.extend_from_slice(&FORMAT.to_be_bytes());
        let length = u16::try_from(edge.len()).expect("a tree's edge has at most 64 nodes");
        header.extend_from_slice(&length.to_be_bytes());
        header.extend_from_slice(&before.ledger().0);
        header.extend_from_slice(&edge);
        let crc = crc32c::crc32c(&header);
        header.extend_from_slice(&crc.to_be_bytes());
        let mut draft = Draft::create(path).map_err(&io)?;
        draft.write_all(&header).map_err(&io)?;
        Ok(Self {
            path: path.to_owned(),
            draft,
            chain: before.clone(),
            before,
            blocks: 0,
            offset: header.len() as u64,
            index: Vec::new(),
        })
    }

    /// Writes the next block after checking that it continues the ones before it.
    pub fn push(&mut self, block: &Block) -> Result<(), SealedError> {
        self.chain.accept(block).map_err(SealedError::broken(&self.path))?;
        self.write(block)
    }

    /// Writes blocks that a log has chained already, from the chain so far to `after`: that they
    /// follow each other is checked, and their commits are not hashed again.
    pub fn push_chained(&mut self, blocks: &[Block], after: Chain) -> Result<(), SealedError> {
        lead(&self.chain, blocks, &after).map_err(SealedError::broken(&self.path))?;
        blocks.iter().try_for_each(|block| self.write(block))?;
        self.chain = after;
        Ok(())
    }

    fn write(&mut self, block: &Block) -> Result<(), SealedError> {
        if self.index.last().is_none_or(|last| self.offset - last.offset >= INDEX_EVERY_BYTES) {
            self.index.push(Place { position: block.first(), offset: self.offset });
        }
        let bytes = block.bytes();
        let length = u32::try_from(bytes.len()).expect("a block has at most 64 KiB");
        let io = SealedError::io(&self.path);
        self.draft.write_all(&length.to_be_bytes()).map_err(&io)?;
        self.draft.write_all(bytes).map_err(&io)?;
        self.offset += 4 + bytes.len() as u64;
        self.blocks += 1;
        Ok(())
    }

    /// The chain behind the last block.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Writes the footer, syncs, and lets the file appear, with the digest of the keys' file.
    pub fn finish(mut self, keys: Option<Hash>) -> Result<SealedSummary, SealedError> {
        let io = SealedError::io(&self.path);
        let footer = Footer {
            after: self.chain.clone(),
            blocks: self.blocks,
            body_end: self.offset,
            keys,
            index: self.index,
        };
        let bytes = footer.encode().ok_or_else(|| io(io::Error::other("the file is too large")))?;
        self.draft.write_all(&bytes).map_err(&io)?;
        self.draft.publish().map_err(&io)?;
        Ok(SealedSummary {
            ledger: self.chain.ledger(),
            before: self.before,
            after: self.chain,
            blocks: self.blocks,
            keys,
        })
    }
}

/// Checks that blocks follow each other from a chain to another, by what they say of themselves.
fn lead(from: &Chain, blocks: &[Block], to: &Chain) -> Result<(), Discontinuity> {
    let mut next = from.next();
    if let Some(first) = blocks.first()
        && first.root_before() != from.root()
    {
        let (expected, found) = (from.root(), first.root_before());
        return Err(Discontinuity::Root { at: next, expected, found });
    }
    for block in blocks {
        if block.ledger() != from.ledger() {
            let (expected, found) = (from.ledger(), block.ledger());
            return Err(Discontinuity::Ledger { expected, found });
        }
        if block.first() != next {
            return Err(Discontinuity::Position { expected: next, found: block.first() });
        }
        next = block.next();
    }
    if next != to.next() {
        return Err(Discontinuity::Position { expected: to.next(), found: next });
    }
    Ok(())
}
