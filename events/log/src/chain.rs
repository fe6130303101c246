//! What continues a history, and how commits become blocks that do.

use crate::{Blocks, Frontier, Head, ReadError};
use chl_events::{BLOCK_OVERHEAD, Block, BlockError, Hash, LedgerId, MAX_BLOCK_BYTES};

/// Says why a block does not continue a history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Discontinuity {
    /// It belongs to another ledger.
    #[error("a block of ledger {found} does not belong to ledger {expected}")]
    Ledger {
        /// The ledger of this history.
        expected: LedgerId,
        /// The block's.
        found: LedgerId,
    },
    /// It begins elsewhere.
    #[error("a block that begins at position {found} cannot follow at position {expected}")]
    Position {
        /// Where the next block begins.
        expected: u64,
        /// Where this one does.
        found: u64,
    },
    /// It was made for another history: the commits before it are not these.
    #[error("at position {at} the root is {expected}, not {found} as the block says")]
    Root {
        /// The position the block begins at.
        at: u64,
        /// The root of this history.
        expected: Hash,
        /// The root the block was made for.
        found: Hash,
    },
}

/// A history as far as it must be known to go on: ledger, position, root and the tree's edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    ledger: LedgerId,
    frontier: Frontier,
    root: Hash,
}

impl Chain {
    /// Begins an empty history.
    pub fn new(ledger: LedgerId) -> Self {
        Self::resume(ledger, Frontier::new())
    }

    /// Goes on where a tree's edge stands.
    pub fn resume(ledger: LedgerId, frontier: Frontier) -> Self {
        let root = frontier.root();
        Self { ledger, frontier, root }
    }

    /// Whose history it is.
    pub fn ledger(&self) -> LedgerId {
        self.ledger
    }

    /// The position of the next commit.
    pub fn next(&self) -> u64 {
        self.frontier.size()
    }

    /// The root over all commits so far.
    pub fn root(&self) -> Hash {
        self.root
    }

    /// The right edge of the tree.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Ledger, position and root in one.
    pub fn head(&self) -> Head {
        Head { ledger: self.ledger, next: self.next(), root: self.root }
    }

    /// The chain behind blocks, after checking that each continues the one before it.
    pub fn behind(&self, blocks: &[Block]) -> Result<Self, Discontinuity> {
        let mut chain = self.clone();
        blocks.iter().try_for_each(|block| chain.accept(block))?;
        Ok(chain)
    }

    /// The chain behind a group: the one it was packed with, where it was packed here.
    pub fn behind_packed(&self, group: &Packed) -> Result<Self, Discontinuity> {
        if *group.before() == *self {
            return Ok(group.after().clone());
        }
        // It may begin at the right position and continue another history: this says which.
        self.behind(group.blocks())
    }

    /// Takes a block as the next one after checking that it continues this history.
    ///
    /// A refused block leaves the chain as it was.
    pub fn accept(&mut self, block: &Block) -> Result<(), Discontinuity> {
        follows(self.ledger, self.next(), block)?;
        let found = block.root_before();
        if found != self.root {
            return Err(Discontinuity::Root { at: block.first(), expected: self.root, found });
        }
        for commit in block.commits() {
            self.frontier.push(commit);
        }
        self.root = self.frontier.root();
        Ok(())
    }

    /// The chain at a position that a block holds or ends at, after checking that the block
    /// continues this history.
    pub(crate) fn within(&self, block: &Block, position: u64) -> Result<Self, Discontinuity> {
        let mut whole = self.clone();
        whole.accept(block)?;
        if position >= whole.next() {
            return Ok(whole);
        }
        let mut frontier = self.frontier.clone();
        for (_, commit) in (block.first()..position).zip(block.commits()) {
            frontier.push(commit);
        }
        Ok(Self::resume(self.ledger, frontier))
    }

    /// Packs commits into as few blocks as hold them and takes those as the next ones.
    ///
    /// A failure (a commit that is too large) leaves the chain as it was.
    pub fn pack<C: AsRef<[u8]>>(&mut self, commits: &[C]) -> Result<Vec<Block>, BlockError> {
        Ok(self.pack_group(commits)?.blocks)
    }

    /// Packs like [`Chain::pack`], and keeps what the log would else hash once more.
    pub fn pack_group<C: AsRef<[u8]>>(&mut self, commits: &[C]) -> Result<Packed, BlockError> {
        self.pack_runs(std::slice::from_ref(&commits))
    }

    /// Packs runs of commits so that none is cut by a block's end, unless it is longer than a
    /// block: a block is stored whole or not at all.
    pub fn pack_runs<R, C>(&mut self, runs: &[R]) -> Result<Packed, BlockError>
    where
        R: AsRef<[C]>,
        C: AsRef<[u8]>,
    {
        let mut after = self.clone();
        let mut blocks = Vec::new();
        let mut waiting: Vec<&[u8]> = Vec::new();
        let mut size = BLOCK_OVERHEAD;
        for run in runs {
            let run = run.as_ref();
            let more: usize = run.iter().map(|commit| 2 + commit.as_ref().len()).sum();
            let many = waiting.len() + run.len() > usize::from(u16::MAX);
            if !waiting.is_empty() && (many || size + more > MAX_BLOCK_BYTES) {
                blocks.push(after.pack_block(&waiting)?);
                waiting.clear();
                size = BLOCK_OVERHEAD;
            }
            waiting.extend(run.iter().map(AsRef::as_ref));
            size += more;
            while size > MAX_BLOCK_BYTES && fitting(&waiting) < waiting.len() {
                let later = waiting.split_off(fitting(&waiting));
                let block = after.pack_block(&waiting)?;
                size -= block.bytes().len() - BLOCK_OVERHEAD;
                blocks.push(block);
                waiting = later;
            }
        }
        if !waiting.is_empty() {
            blocks.push(after.pack_block(&waiting)?);
        }
        let before = std::mem::replace(self, after.clone());
        Ok(Packed { before, blocks, after })
    }

    fn pack_block(&mut self, commits: &[&[u8]]) -> Result<Block, BlockError> {
        let block = Block::new(self.ledger, self.next(), self.root, commits)?;
        for commit in commits {
            self.frontier.push(commit);
        }
        self.root = self.frontier.root();
        Ok(block)
    }
}

/// A group that a chain has packed: its blocks continue each other, which needs no second proof.
#[derive(Debug, Clone)]
pub struct Packed {
    before: Chain,
    blocks: Vec<Block>,
    after: Chain,
}

impl Packed {
    /// The chain the first block continues.
    pub fn before(&self) -> &Chain {
        &self.before
    }

    /// The blocks, in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The blocks, given away.
    pub fn into_blocks(self) -> Vec<Block> {
        self.blocks
    }

    /// The chain behind the last block.
    pub fn after(&self) -> &Chain {
        &self.after
    }
}

/// How many of the commits one block holds; at least one, even when that one is too large.
fn fitting<C: AsRef<[u8]>>(commits: &[C]) -> usize {
    let mut size = BLOCK_OVERHEAD;
    let fits = commits.iter().take(usize::from(u16::MAX)).take_while(|commit| {
        size += 2 + commit.as_ref().len();
        size <= MAX_BLOCK_BYTES
    });
    fits.count().max(1)
}

/// Checks what can be seen without hashing: the ledger and the position.
pub(crate) fn follows(ledger: LedgerId, next: u64, block: &Block) -> Result<(), Discontinuity> {
    if block.ledger() != ledger {
        return Err(Discontinuity::Ledger { expected: ledger, found: block.ledger() });
    }
    if block.first() != next {
        return Err(Discontinuity::Position { expected: next, found: block.first() });
    }
    Ok(())
}

/// Checks the roots of blocks while they pass: import, audit and repair read through it.
pub struct Verified {
    blocks: Blocks,
    chain: Chain,
    failed: bool,
}

impl Verified {
    /// Checks blocks that must continue `chain`; they begin at its next position.
    pub fn new(blocks: Blocks, chain: Chain) -> Self {
        Self { blocks, chain, failed: false }
    }

    /// The chain behind the last block that passed.
    pub fn reached(&self) -> &Chain {
        &self.chain
    }
}

impl Iterator for Verified {
    type Item = Result<Block, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let checked = self.blocks.next()?.and_then(|block| {
            self.chain.accept(&block)?;
            Ok(block)
        });
        self.failed = checked.is_err();
        Some(checked)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::conformance::naive_root;

    const LEDGER: LedgerId = LedgerId([7; 16]);

    #[test]
    fn packing_fills_blocks_and_keeps_every_commit_in_order() {
        let commits: Vec<Vec<u8>> = (0..500_u32).map(|n| vec![n as u8; 997]).collect();
        let mut writer = Chain::new(LEDGER);
        let blocks = writer.pack(&commits).unwrap();
        assert_eq!(blocks.len(), 500_usize.div_ceil(65));
        let mut reader = Chain::new(LEDGER);
        let mut read = Vec::new();
        for block in &blocks {
            reader.accept(block).unwrap();
            read.extend(block.commits().map(<[u8]>::to_vec));
        }
        assert_eq!(read, commits);
        assert_eq!(reader, writer);
        assert_eq!(reader.root(), naive_root(&commits));
    }

    #[test]
    fn the_largest_commit_fits_and_a_larger_one_changes_nothing() {
        let mut chain = Chain::new(LEDGER);
        let largest = vec![1; chl_events::MAX_COMMIT_BYTES];
        assert_eq!(chain.pack(&[&largest, &largest]).unwrap().len(), 2);
        let before = chain.clone();
        let larger = vec![1; chl_events::MAX_COMMIT_BYTES + 1];
        assert!(matches!(chain.pack(&[&largest, &larger]), Err(BlockError::CommitTooLarge(_))));
        assert_eq!(chain, before);
    }

    #[test]
    fn what_does_not_continue_is_refused_and_changes_nothing() {
        let mut chain = Chain::new(LEDGER);
        chain.pack(&[b"zero"]).unwrap();
        let before = chain.clone();
        let foreign = Block::new(LedgerId([8; 16]), 1, chain.root(), &[b"x"]).unwrap();
        let late = Block::new(LEDGER, 2, chain.root(), &[b"x"]).unwrap();
        let forked = Block::new(LEDGER, 1, Hash([0; 32]), &[b"x"]).unwrap();
        assert!(matches!(chain.accept(&foreign), Err(Discontinuity::Ledger { .. })));
        assert!(matches!(chain.accept(&late), Err(Discontinuity::Position { .. })));
        assert!(matches!(chain.accept(&forked), Err(Discontinuity::Root { .. })));
        assert_eq!(chain, before);
    }
}
