//! Follows a log: what is stored, then what is committed.

use crate::{Blocks, ReadError, ReadLog};
use chl_events::Block;
use std::{sync::Arc, time::Duration};

/// A reader that goes on at the head instead of ending there.
pub struct Subscription {
    log: Arc<dyn ReadLog>,
    next: u64,
    blocks: Option<Blocks>,
}

impl Subscription {
    /// Follows a log from the block that holds `from`, which may lie in the future.
    pub fn new(log: Arc<dyn ReadLog>, from: u64) -> Self {
        Self { log, next: from, blocks: None }
    }

    /// The position it goes on at: behind the last block it gave.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Waits for the next block, at most for `timeout`; none when none came in that time.
    ///
    /// After an error it goes on at the same position, so that a passing fault loses nothing.
    pub fn next(&mut self, timeout: Duration) -> Result<Option<Block>, ReadError> {
        if let Some(block) = self.stored()? {
            return Ok(Some(block));
        }
        if self.log.wait_beyond(self.next, timeout)?.next <= self.next {
            return Ok(None);
        }
        self.blocks = Some(self.log.read(self.next)?);
        self.stored()
    }

    fn stored(&mut self) -> Result<Option<Block>, ReadError> {
        let Some(result) = self.blocks.as_mut().and_then(Iterator::next) else {
            self.blocks = None;
            return Ok(None);
        };
        match result {
            Ok(block) => {
                self.next = block.next();
                Ok(Some(block))
            }
            Err(error) => {
                self.blocks = None;
                Err(error)
            }
        }
    }
}
