//! The flusher: a thread that writes changed rows down while the writer goes on.

use crate::states::{Changes, Shelf, StatesError};
use chl_events::LedgerId;
use std::{
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
};

struct Flush {
    rows: Arc<Changes>,
    ledger: LedgerId,
    position: u64,
}

/// Fills the shelf of states.
pub(crate) struct Flusher {
    flushes: Option<Sender<Flush>>,
    busy: bool,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    /// Starts the thread; `done` learns what became of each flush.
    pub(crate) fn start(
        mut shelf: Shelf,
        done: impl Fn(Result<(), StatesError>) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (flushes, work) = channel::<Flush>();
        let run = move || {
            for Flush { rows, ledger, position } in work {
                done(shelf.write(&rows, ledger, position));
            }
        };
        let thread = std::thread::Builder::new().name("chl-flusher".into()).spawn(run)?;
        Ok(Self { flushes: Some(flushes), busy: false, thread: Some(thread) })
    }

    /// Whether it can take a flush.
    pub(crate) fn is_idle(&self) -> bool {
        !self.busy
    }

    /// Begins to write rows down, with the position they stand for.
    pub(crate) fn begin(&mut self, rows: Arc<Changes>, ledger: LedgerId, position: u64) {
        let flush = Flush { rows, ledger, position };
        self.busy = self.flushes.as_ref().is_some_and(|flushes| flushes.send(flush).is_ok());
    }

    /// The last flush is done.
    pub(crate) fn ended(&mut self) {
        self.busy = false;
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.flushes = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the flusher ended by panicking");
        }
    }
}
