//! Reading ahead: while one thread folds, another reads, checks and decodes what comes next.

use chl_events::{Block, Commit, CommitError};
use chl_log::{ReadError, ReadLog};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{Builder, Scope},
};

/// So many blocks are decoded ahead, each of at most 64 KiB.
const AHEAD: usize = 8;

/// A block with its commits; one that does not decode is the last.
pub(crate) struct Decoded {
    pub(crate) block: Block,
    pub(crate) commits: Vec<Result<Commit, CommitError>>,
}

/// Decodes a block's commits from a position on.
pub(crate) fn commits(
    block: &Block,
    from: u64,
) -> impl Iterator<Item = Result<Commit, CommitError>> + '_ {
    let folded = usize::try_from(from.saturating_sub(block.first())).unwrap_or(usize::MAX);
    block.commits().skip(folded).map(Commit::decode)
}

/// Starts to read a log from a position on. The thread ends when the receiver is dropped.
pub(crate) fn read_ahead<'scope>(
    scope: &'scope Scope<'scope, '_>,
    log: Arc<dyn ReadLog>,
    from: u64,
) -> Result<Receiver<Result<Decoded, ReadError>>, ReadError> {
    let (hand, decoded) = sync_channel(AHEAD);
    let reading = move || {
        // Who does not want more has dropped the other end.
        let _told = read(log.as_ref(), from, &hand);
    };
    let thread = Builder::new().name("views-ahead".into()).spawn_scoped(scope, reading);
    thread.map_err(|error| ReadError::Storage { position: from, cause: Arc::new(error) })?;
    Ok(decoded)
}

type Told = Result<(), std::sync::mpsc::SendError<Result<Decoded, ReadError>>>;

fn read(log: &dyn ReadLog, from: u64, hand: &SyncSender<Result<Decoded, ReadError>>) -> Told {
    let blocks = match log.read(from) {
        Ok(blocks) => blocks,
        Err(error) => return hand.send(Err(error)),
    };
    for block in blocks {
        hand.send(block.map(|block| {
            let commits = commits(&block, from).collect();
            Decoded { block, commits }
        }))?;
    }
    Ok(())
}
