//! Reading ahead: while one thread folds rows, another reads, checks and decodes what comes next,
//! and makes its posting lines ready, which depend on no row.

use crate::lines::{Lines, PostingLines};
use chl_events::{Block, Commit, CommitError, Date};
use chl_log::{ReadError, ReadLog};
use chl_projections::{FoldFailed, StoreError, fold_postings};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{Builder, Scope},
};

/// So many blocks are made ready ahead, each of at most 64 KiB.
const AHEAD: usize = 8;

/// Says why a commit is not ready to be folded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unready {
    #[error(transparent)]
    Commit(#[from] CommitError),
    #[error(transparent)]
    Fold(#[from] FoldFailed),
}

/// A block that is ready to be folded.
pub(crate) struct Ready {
    pub(crate) block: Block,
    /// Its commits, each with how many posting lines end with it; a failure is the last.
    pub(crate) commits: Vec<Result<(Commit, usize), Unready>>,
    pub(crate) postings: Lines,
}

/// Decodes a block's commits from a position on.
pub(crate) fn commits(
    block: &Block,
    from: u64,
) -> impl Iterator<Item = Result<Commit, CommitError>> + '_ {
    let folded = usize::try_from(from.saturating_sub(block.first())).unwrap_or(usize::MAX);
    block.commits().skip(folded).map(Commit::decode)
}

/// The commit at a position that a reversal names.
pub(crate) fn earlier(log: &dyn ReadLog, position: u64) -> Result<Commit, StoreError> {
    let bytes = log.commit_at(position).map_err(|source| StoreError(source.into()))?;
    let bytes = bytes.ok_or_else(|| {
        StoreError(format!("the log has no commit at position {position}").into())
    })?;
    Commit::decode(&bytes).map_err(|source| StoreError(source.into()))
}

/// Reads a log, from a position on.
pub(crate) struct Reading {
    pub(crate) log: Arc<dyn ReadLog>,
    pub(crate) from: u64,
    pub(crate) effective: Option<Date>,
    /// Whether posting lines are made ready.
    pub(crate) with_postings: bool,
}

impl Reading {
    /// Starts to read. The thread ends when the receiver is dropped.
    pub(crate) fn start<'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
    ) -> Result<Receiver<Result<Ready, ReadError>>, ReadError> {
        let (hand, ready) = sync_channel(AHEAD);
        let position = self.from;
        let reading = move || self.read(&hand);
        let thread = Builder::new().name("views-ahead".into()).spawn_scoped(scope, reading);
        thread.map_err(|error| ReadError::Storage { position, cause: Arc::new(error) })?;
        Ok(ready)
    }

    /// Hands blocks on, as long as somebody takes them.
    fn read(&self, hand: &SyncSender<Result<Ready, ReadError>>) {
        let blocks = match self.log.read(self.from) {
            Ok(blocks) => blocks,
            Err(error) => Box::new(std::iter::once(Err(error))),
        };
        for block in blocks {
            if hand.send(block.map(|block| self.ready(block))).is_err() {
                return;
            }
        }
    }

    fn ready(&self, block: Block) -> Ready {
        let mut postings = PostingLines::default();
        let commits = commits(&block, self.from);
        let commits = commits.map(|commit| -> Result<(Commit, usize), Unready> {
            let commit = commit?;
            let earlier = |_: &mut PostingLines, at| earlier(self.log.as_ref(), at);
            if self.with_postings {
                fold_postings(&commit, self.effective, &mut postings, earlier)?;
            }
            Ok((commit, postings.0.len()))
        });
        let commits = commits.collect();
        Ready { block, commits, postings: postings.0 }
    }
}
