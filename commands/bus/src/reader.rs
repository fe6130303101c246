//! One handle to read a log through, however often the log behind it is opened again.

use chl_log::{Blocks, Chain, Head, ReadError, ReadLog};
use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

/// Reads the log that is open now.
pub(crate) struct SteadyReader {
    now: RwLock<Arc<dyn ReadLog>>,
}

impl SteadyReader {
    pub(crate) fn new(reader: Arc<dyn ReadLog>) -> Self {
        Self { now: RwLock::new(reader) }
    }

    /// Goes over to the log that was opened again.
    pub(crate) fn replace(&self, reader: Arc<dyn ReadLog>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = reader;
    }

    fn now(&self) -> Arc<dyn ReadLog> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ReadLog for SteadyReader {
    fn head(&self) -> Head {
        self.now().head()
    }

    fn read(&self, from: u64) -> Result<Blocks, ReadError> {
        self.now().read(from)
    }

    fn sealed_to(&self) -> u64 {
        self.now().sealed_to()
    }

    fn chain_before(&self, position: u64) -> Chain {
        self.now().chain_before(position)
    }

    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
        let waited_for = self.now();
        let waited = waited_for.wait_beyond(position, timeout);
        let now = self.now();
        let replaced = !Arc::ptr_eq(&waited_for, &now);
        match waited {
            Err(ReadError::Closed) if replaced => now.wait_beyond(position, timeout),
            waited => waited,
        }
    }
}
