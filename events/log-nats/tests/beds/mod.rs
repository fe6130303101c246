//! Places for logs on servers that run: a stream for each.

use chl_events::LedgerId;
use chl_log::EventLog;
use chl_log::conformance::{Bed, Broken};
use chl_log_nats::{Access, Connection, NatsLog, Options};
use chl_nats_servers::Servers;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;

pub(crate) const LEDGER: LedgerId = LedgerId(*b"a ledger in NATS");

/// Gives every case a stream of its own.
pub(crate) struct Beds {
    pub(crate) connection: Connection,
    monitors: Vec<String>,
    replicas: usize,
    made: AtomicU64,
}

impl Beds {
    pub(crate) fn new(servers: &Servers, replicas: usize) -> Self {
        let access = Access::new(servers.urls(), "a test");
        let connection = Connection::open(&access).expect("the servers are ready");
        Self { connection, monitors: servers.monitors(), replicas, made: AtomicU64::new(0) }
    }

    /// Options for a stream that nobody else has.
    pub(crate) fn options(&self) -> Options {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let mut options = Options::new(&format!("test-{number}"), self.replicas);
        options.create = Some(LEDGER);
        options.monitors = self.monitors.clone();
        options
    }

    pub(crate) fn bed(&self) -> Result<InStream, Broken> {
        let connection = self.connection.clone();
        Ok(InStream { connection, options: self.options(), _dir: None })
    }

    /// A stream and a node that keeps a copy of it.
    pub(crate) fn bed_with_copy(&self, seal_bytes: u64) -> Result<InStream, Broken> {
        let dir = tempfile::tempdir()?;
        let mut options = self.options();
        options.copy = Some(dir.path().join("node/log"));
        options.seal_bytes = seal_bytes;
        Ok(InStream { connection: self.connection.clone(), options, _dir: Some(dir) })
    }
}

/// A stream.
pub(crate) struct InStream {
    pub(crate) connection: Connection,
    pub(crate) options: Options,
    _dir: Option<TempDir>,
}

impl Bed for InStream {
    fn ledger(&self) -> LedgerId {
        LEDGER
    }

    fn open(&mut self) -> Result<Box<dyn EventLog>, Broken> {
        Ok(Box::new(NatsLog::open(&self.connection, &self.options)?))
    }
}
