//! The log's blocks, as another process on this machine reads them.

use super::export::{ledger_id, root};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    ledger::Reading,
    output::Sink,
};
use chl_events::Block;
use chl_log::Head;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// How often it looks meanwhile whether the owner is about to leave.
const HEARTBEAT: Duration = Duration::from_millis(100);

/// Where the log ends, and its blocks from the one that holds a position on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Blocks {
    /// The position; at the log's end and behind it there is no block.
    pub(crate) from: u64,
    /// At most so many blocks.
    pub(crate) most: Option<usize>,
    /// Waits until the log ends behind the position, at most for so long.
    pub(crate) wait: Duration,
}

/// Who answers, and where the log ends: the first document of an answer, before its blocks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BlocksHead {
    owner: u32,
    ledger: String,
    next: u64,
    root: String,
}

impl BlocksHead {
    /// The owner's process id, and where the log ends.
    pub(crate) fn read(json: &str) -> Outcome<(u32, Head)> {
        let unread = "where the log of the ledger's owner ends";
        let Self { owner, ledger, next, root: digits } =
            serde_json::from_str(json).or_exit(Exit::Internal, unread)?;
        let read = ledger_id(&ledger).zip(root(&digits));
        let head = read.map(|(ledger, root)| (owner, Head { ledger, next, root }));
        head.ok_or_else(|| Failure::new(Exit::Internal, unread))
    }
}

impl Blocks {
    /// Hands out where the log ends as a document, and the blocks as lines.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let unread = "the log cannot be read";
        let began = Instant::now();
        let mut head = ledger.log.head();
        while head.next <= self.from && !ledger.closing.is_near() {
            let left = self.wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                break;
            }
            head = ledger.log.wait_beyond(self.from, left.min(HEARTBEAT)).or_own_exit(unread)?;
        }
        let Head { ledger: id, next, root } = head;
        let (owner, ledger_id, root) = (std::process::id(), id.to_string(), root.to_string());
        let shown = BlocksHead { owner, ledger: ledger_id, next, root };
        sink.document(&serde_json::to_string(&shown).or_exit(Exit::Internal, unread)?)?;
        if self.from < next {
            let blocks = ledger.log.read(self.from).or_own_exit(unread)?;
            for block in blocks.take(self.most.unwrap_or(usize::MAX)) {
                let block = block.or_own_exit(unread)?;
                // What has come since is no part of what was said.
                if block.first() >= next {
                    break;
                }
                sink.line(&BASE64.encode(block.bytes()))?;
            }
        }
        Ok(Exit::Success)
    }

    /// Reads a line of an answer.
    pub(crate) fn read(line: &str) -> Outcome<Block> {
        let unread = "a block of the ledger's owner";
        let bytes = BASE64.decode(line.as_bytes()).or_exit(Exit::Internal, unread)?;
        Block::from_bytes(bytes).or_exit(Exit::Verification, unread)
    }
}
