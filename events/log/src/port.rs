//! The port: what a writer asks of a log, what readers ask of it, and how both can fail.

use crate::{Chain, Discontinuity, Packed, Subscription};
use chl_events::{Block, BlockError, Hash, LedgerId};
use std::{error::Error, fmt, sync::Arc, time::Duration};

/// What went wrong below; shared, so that a poisoned log can name its wound again and again.
pub type Cause = Arc<dyn Error + Send + Sync>;

/// Blocks in order, without a gap; the first error ends them.
pub type Blocks = Box<dyn Iterator<Item = Result<Block, ReadError>> + Send>;

/// Where a log's durable history ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whose history it is.
    pub ledger: LedgerId,
    /// The position the next commit gets; as many commits are durable.
    pub next: u64,
    /// The root of the tree over all of them.
    pub root: Hash,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "position {} with root {} of ledger {}", self.next, self.root, self.ledger)
    }
}

/// Says why a group was not acknowledged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The head is not where the writer believes it is. Nothing was stored.
    #[error("the log does not end at position {expected}, but at {}", head.next)]
    Conflict {
        /// Where the writer believed the log to end.
        expected: u64,
        /// Where it ends.
        head: Head,
    },
    /// The blocks do not continue this history. Nothing was stored.
    #[error("the blocks do not continue this log: {0}")]
    Refused(#[from] Discontinuity),
    /// The log cannot take it now. Nothing was stored, and the same group may be sent again.
    #[error("the log is unavailable: {0}")]
    Unavailable(#[source] Cause),
    /// A write or sync failed: how much of the group is stored shows only after reopening. The
    /// log takes nothing more until then.
    #[error("the log is poisoned until it is reopened: {0}")]
    Poisoned(#[source] Cause),
}

/// Says why the witness or what else trails the log could not be brought up to the head.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the log could not be settled: {0}")]
pub struct SettleError(#[source] pub Cause);

/// Says why blocks could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The position lies behind the durable head.
    #[error("position {from} lies beyond the log, which ends at {next}")]
    Beyond {
        /// The position asked for.
        from: u64,
        /// Where the log ends.
        next: u64,
    },
    /// The block that should come next is not there.
    #[error("the log has a gap: no block at position {position}")]
    Gap {
        /// Where a block is missing.
        position: u64,
    },
    /// The block that comes next does not continue the history.
    #[error("the log is broken: {0}")]
    Broken(#[from] Discontinuity),
    /// What is stored at a position is no whole block.
    #[error("the log is damaged at position {position} ({place}): {source}")]
    Damaged {
        /// The position of the damage, or of the last block before it.
        position: u64,
        /// The file or folder.
        place: String,
        /// What is wrong with it.
        source: BlockError,
    },
    /// The storage below failed.
    #[error("the log cannot be read at position {position}: {cause}")]
    Storage {
        /// The position that was wanted.
        position: u64,
        /// What failed.
        #[source]
        cause: Cause,
    },
    /// The log was closed.
    #[error("the log was closed")]
    Closed,
}

impl ReadError {
    /// Whether what was durable is gone or wrong; else it may be there, and is out of reach now.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Beyond { .. } | Self::Gap { .. } | Self::Broken(_) | Self::Damaged { .. } => true,
            Self::Storage { .. } | Self::Closed => false,
        }
    }
}

/// The writer's side of a log: one at a time, in one thread.
pub trait EventLog: Send {
    /// Appends blocks behind `expected`, the position the writer believes the log to end at, and
    /// returns the new head once all of them are durable.
    ///
    /// The blocks of one call become durable together; when that fails, a prefix of them may be
    /// stored, which shows after reopening. The call blocks meanwhile: a writer that decides the
    /// next group in this time owns the log in a thread of its own.
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError>;

    /// Appends a group that its chain has packed, like [`EventLog::append`] at the position the
    /// group begins at; a log that trusts the packing hashes no commit a second time.
    fn append_packed(&mut self, group: &Packed) -> Result<Head, AppendError> {
        self.append(group.before().next(), group.blocks())
    }

    /// Says that the head is still where this writer believes: what was decided on it, and changes
    /// nothing, may be answered. A log that others may append to is asked; one writer's own is not.
    fn confirm(&mut self) -> Result<Head, AppendError> {
        Ok(self.head())
    }

    /// The chain at the durable head: what the next block must continue.
    fn chain(&self) -> Chain;

    /// Makes what trails the log (the witness) durable; the writer calls it when no command waits.
    fn settle(&mut self) -> Result<(), SettleError>;

    /// A handle that other threads read through while this one appends.
    fn reader(&self) -> Arc<dyn ReadLog>;

    /// The durable head.
    fn head(&self) -> Head {
        self.chain().head()
    }

    /// Reads blocks; see [`ReadLog::read`].
    fn read(&self, from: u64) -> Result<Blocks, ReadError> {
        self.reader().read(from)
    }

    /// Follows the log from a position, across rotations, for as long as it is open.
    fn subscribe(&self, from: u64) -> Subscription {
        Subscription::new(self.reader(), from)
    }
}

/// The readers' side of a log: shared by threads, beside the writer.
pub trait ReadLog: Send + Sync {
    /// The durable head. It only grows.
    fn head(&self) -> Head;

    /// Reads the blocks from the one that holds `from` up to the durable head of this moment.
    ///
    /// The first block may begin before `from`; at the head there is none. Every block is whole
    /// (its checksum holds), of this ledger, and follows the one before it. The roots are checked
    /// by [`Verified`](crate::Verified), which hashes every commit.
    fn read(&self, from: u64) -> Result<Blocks, ReadError>;

    /// Waits until the log ends behind `position`, at most for `timeout`, and returns its head.
    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError>;

    /// The position behind what is sealed in files for good; 0 where nothing is.
    fn sealed_to(&self) -> u64 {
        0
    }

    /// The last chain at or before a position that is known without hashing a commit; the empty
    /// one where there is no other.
    fn chain_before(&self, _position: u64) -> Chain {
        Chain::new(self.head().ledger)
    }

    /// The chain at any position: what it takes to go on there, and the root over all before it.
    ///
    /// It hashes the commits from [`ReadLog::chain_before`] on, at most what is not sealed or one
    /// sealed file.
    fn chain_at(&self, position: u64) -> Result<Chain, ReadError> {
        let mut chain = self.chain_before(position);
        if chain.next() == position {
            return Ok(chain);
        }
        for block in self.read(chain.next())? {
            let block = block?;
            if block.next() >= position {
                return Ok(chain.within(&block, position)?);
            }
            chain.accept(&block)?;
        }
        Err(ReadError::Gap { position })
    }

    /// The exact bytes of one commit; none when the position lies at or behind the head.
    fn commit_at(&self, position: u64) -> Result<Option<Vec<u8>>, ReadError> {
        if position >= self.head().next {
            return Ok(None);
        }
        let block = self.read(position)?.next().ok_or(ReadError::Gap { position })??;
        let index = position.checked_sub(block.first()).ok_or(ReadError::Gap { position })?;
        let index = usize::try_from(index).map_err(|_| ReadError::Gap { position })?;
        let commit = block.commits().nth(index).ok_or(ReadError::Gap { position })?;
        Ok(Some(commit.to_vec()))
    }
}
