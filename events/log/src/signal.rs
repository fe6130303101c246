//! Tells readers that the durable head has moved.

use crate::{Head, ReadError};
use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The durable head, shared by a log's writer with its readers.
#[derive(Debug)]
pub struct HeadSignal {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Clone, Copy)]
struct State {
    head: Head,
    closed: bool,
}

impl HeadSignal {
    /// Begins at a head.
    pub fn new(head: Head) -> Self {
        Self { state: Mutex::new(State { head, closed: false }), moved: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The durable head.
    pub fn head(&self) -> Head {
        self.lock().head
    }

    /// Announces a new durable head.
    pub fn announce(&self, head: Head) {
        self.lock().head = head;
        self.moved.notify_all();
    }

    /// Says that no head will be announced any more, and wakes all who wait.
    pub fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
    }

    /// Waits until the head lies behind `position`, at most for `timeout`; returns the head.
    ///
    /// Fails with [`ReadError::Closed`] when there is nothing to wait for any more.
    pub fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
        let since = Instant::now();
        let mut state = self.lock();
        while state.head.next <= position {
            if state.closed {
                return Err(ReadError::Closed);
            }
            let Some(left) = timeout.checked_sub(since.elapsed()) else {
                break;
            };
            let (woken, _) =
                self.moved.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
            state = woken;
        }
        Ok(state.head)
    }
}
