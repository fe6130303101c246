//! Places for logs on servers that run: a stream for each, and a history to fill it with.
#![expect(dead_code, reason = "each test file uses its own part of it")]

use chl_events::{Block, LedgerId};
use chl_log::conformance::{Bed, Broken};
use chl_log::{Chain, EventLog, Verified};
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
        Self::over(connection, servers, replicas)
    }

    /// Places reached over a connection.
    pub(crate) fn over(connection: Connection, servers: &Servers, replicas: usize) -> Self {
        Self { connection, monitors: servers.monitors(), replicas, made: AtomicU64::new(0) }
    }

    /// The same places, reached in another way.
    pub(crate) fn through(&self, url: String) -> Connection {
        Connection::open(&Access::new(vec![url], "a test")).expect("the way is open")
    }

    /// The name of the server that leads a stream.
    pub(crate) fn leader(&self, options: &Options) -> Option<String> {
        let client = self.connection.client();
        let stream = options.stream.clone();
        let info = self.connection.wait(async move {
            let jetstream = async_nats::jetstream::new(client);
            jetstream.get_stream(stream).await.ok()?.get_info().await.ok()
        });
        info.expect("the connection is open")?.cluster?.leader
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

/// Commits of a history that nothing but their count decides.
pub(crate) fn commits(from: u64, count: u64) -> Vec<Vec<u8>> {
    let commit = |position: u64| {
        let mut bytes = position.to_be_bytes().to_vec();
        bytes.resize(20 + (position % 700) as usize, 0x5a);
        bytes
    };
    (from..from + count).map(commit).collect()
}

/// The next `count` commits of that history as blocks of `size` commits.
pub(crate) fn blocks(chain: &Chain, count: u64, size: usize) -> Vec<Block> {
    let mut chain = chain.clone();
    let all = commits(chain.next(), count);
    let pack = |piece: &[Vec<u8>]| chain.pack(piece).expect("small commits");
    all.chunks(size).flat_map(pack).collect()
}

/// Requires a log to hold that history, and says how far it goes.
pub(crate) fn holds(log: &NatsLog) -> u64 {
    let mut next = 0;
    let mut read = Verified::new(log.read(0).expect("it can be read"), Chain::new(LEDGER));
    for block in read.by_ref() {
        let block = block.expect("it is whole");
        let found: Vec<Vec<u8>> = block.commits().map(<[u8]>::to_vec).collect();
        assert_eq!(found, commits(next, found.len() as u64), "at {next}");
        next = block.next();
    }
    assert_eq!(read.reached().head(), log.head());
    next
}
