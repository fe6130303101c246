//! Walks a history that lies in several places, and checks what every log's readers may rely on.

use crate::{Blocks, Discontinuity, Head, ReadError};
use chl_events::Block;

/// Gives the blocks from the one that holds a position, at most as many as are asked for, out of
/// whatever place holds them now.
pub type Fetch = Box<dyn Fn(Wanted) -> Result<Blocks, ReadError> + Send>;

/// What a walk wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The position that the first block must hold.
    pub at: u64,
    /// The position the walk ends at.
    pub to: u64,
    /// How many blocks may be read ahead: few at first, since many readers want just one.
    pub most: usize,
}

/// Walks from place to place up to the head of when it was begun; the first error ends it.
///
/// Every block is of the head's ledger, the first one holds the position asked for, and each
/// follows the one before it.
pub struct Walk {
    fetch: Fetch,
    head: Head,
    /// Where the first block must hold, until it is found.
    from: Option<u64>,
    /// The position of the next block.
    at: u64,
    most: usize,
    blocks: Option<Blocks>,
    done: bool,
}

/// By how much a walk asks for more each time, and the most it asks for.
const GROWTH: usize = 32;
const MOST_BLOCKS: usize = 1024;

impl Walk {
    /// Walks from the block that holds `from` up to `head`.
    pub fn new(from: u64, head: Head, fetch: Fetch) -> Result<Self, ReadError> {
        if from > head.next {
            return Err(ReadError::Beyond { from, next: head.next });
        }
        Ok(Self { fetch, head, from: Some(from), at: from, most: 1, blocks: None, done: false })
    }

    fn fetched(&mut self) -> Result<Option<Block>, ReadError> {
        self.blocks.as_mut().and_then(Iterator::next).transpose()
    }

    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if self.at >= self.head.next {
            return Ok(None);
        }
        let mut found = self.fetched()?;
        if found.is_none() {
            let wanted = Wanted { at: self.at, to: self.head.next, most: self.most };
            self.blocks = Some((self.fetch)(wanted)?);
            self.most = self.most.saturating_mul(GROWTH).min(MOST_BLOCKS);
            found = self.fetched()?;
        }
        let block = found.ok_or(ReadError::Gap { position: self.at })?;
        let (expected, ledger) = (self.head.ledger, block.ledger());
        if expected != ledger {
            return Err(Discontinuity::Ledger { expected, found: ledger }.into());
        }
        let fits = match self.from.take() {
            Some(from) => block.first() <= from && from < block.next(),
            None => block.first() == self.at,
        };
        if !fits {
            return Err(ReadError::Gap { position: self.at });
        }
        self.at = block.next();
        Ok(Some(block))
    }
}

impl Iterator for Walk {
    type Item = Result<Block, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let block = self.next_block().transpose();
        self.done = !matches!(block, Some(Ok(_)));
        block
    }
}
