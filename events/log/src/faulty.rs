//! A log that fails as disks and networks do, by a seed.

use crate::{AppendError, Cause, Chain, EventLog, Head, ReadLog, SettleError};
use chl_events::Block;
use std::sync::Arc;

/// What can happen to a group on its way to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives, and the writer learns of a failure.
    Lost,
    /// Its first blocks arrive, the rest do not, and the writer learns of a failure.
    Torn,
    /// It arrives only after the writer has given up: it shows when the log is opened again.
    Delayed,
    /// It arrives, and the writer learns of a failure all the same.
    ErrorAfterSuccess,
    /// The log is away for a moment: nothing arrives, and the same group succeeds when sent again.
    SuccessAfterError,
}

const FAULTS: [Fault; 5] =
    [Fault::Lost, Fault::Torn, Fault::Delayed, Fault::ErrorAfterSuccess, Fault::SuccessAfterError];

/// A failure that a [`FaultyLog`] made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an injected fault: {0:?}")]
struct Injected(Fault);

/// Passes everything on to a log, except for the groups that its seed picks to fail.
///
/// Like every log it is poisoned after a failed write, until it is dropped and made anew around
/// the same store.
pub struct FaultyLog {
    inner: Box<dyn EventLog>,
    seed: u64,
    per_mille: u64,
    scripted: Option<Fault>,
    delayed: Vec<Block>,
    wound: Option<Cause>,
}

impl FaultyLog {
    /// Wraps a log; of 1,000 appends about `per_mille` fail, the same ones for the same seed.
    pub fn new(inner: Box<dyn EventLog>, seed: u64, per_mille: u64) -> Self {
        Self { inner, seed, per_mille, scripted: None, delayed: Vec::new(), wound: None }
    }

    /// Makes the next append fail in a given way.
    pub fn fail_next(&mut self, fault: Fault) {
        self.scripted = Some(fault);
    }

    fn draw(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        splitmix(self.seed)
    }

    fn pick(&mut self) -> Option<Fault> {
        if let Some(fault) = self.scripted.take() {
            return Some(fault);
        }
        if self.draw() % 1000 >= self.per_mille {
            return None;
        }
        let which = self.draw() % FAULTS.len() as u64;
        FAULTS.iter().copied().nth(usize::try_from(which).unwrap_or(0))
    }

    fn poison(&mut self, fault: Fault) -> AppendError {
        let cause: Cause = Arc::new(Injected(fault));
        self.wound = Some(Arc::clone(&cause));
        AppendError::Poisoned(cause)
    }
}

/// Mixes a counter to a number that looks random (the finaliser of SplitMix64).
pub(crate) fn splitmix(counter: u64) -> u64 {
    let first = (counter ^ (counter >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

impl EventLog for FaultyLog {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError> {
        if let Some(cause) = &self.wound {
            return Err(AppendError::Poisoned(Arc::clone(cause)));
        }
        let head = self.inner.head();
        if head.next != expected {
            return Err(AppendError::Conflict { expected, head });
        }
        let mut chain = self.inner.chain();
        for block in blocks {
            chain.accept(block)?;
        }
        let Some(fault) = self.pick() else {
            return self.inner.append(expected, blocks);
        };
        match fault {
            Fault::Lost => Err(self.poison(fault)),
            Fault::Torn => {
                let kept = blocks.len() / 2;
                let (first, _) = blocks.split_at(kept);
                self.inner.append(expected, first)?;
                Err(self.poison(fault))
            }
            Fault::Delayed => {
                self.delayed = blocks.to_vec();
                Err(self.poison(fault))
            }
            Fault::ErrorAfterSuccess => {
                self.inner.append(expected, blocks)?;
                Err(self.poison(fault))
            }
            Fault::SuccessAfterError => Err(AppendError::Unavailable(Arc::new(Injected(fault)))),
        }
    }

    fn chain(&self) -> Chain {
        self.inner.chain()
    }

    fn settle(&mut self) -> Result<(), SettleError> {
        match &self.wound {
            Some(cause) => Err(SettleError(Arc::clone(cause))),
            None => self.inner.settle(),
        }
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        self.inner.reader()
    }
}

impl Drop for FaultyLog {
    fn drop(&mut self) {
        // What was under way when the writer gave up arrives now, or never if the store is gone.
        let expected = self.inner.head().next;
        let _arrived = self.inner.append(expected, &self.delayed);
    }
}
