//! A node: one of several processes that follow a ledger on NATS, of which one takes its commands.

use super::{
    Attempt, Birth, Owning, Reading,
    leased::{LeaseLost, Leased, Lost, UnderLease},
    owning::{make_dir, parts, stand_by},
    proofs::compare_signed,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    place::Place,
    servers::Servers,
};
use chl_bus::{Standby, Vault};
use chl_bus_nats::{BucketKeys, Held, Lease, LeaseError};
use chl_events::Code;
use chl_log::EventLog;
use chl_log_nats::{Connection, NatsLog, OpenError, Options};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long a lease lasts that nobody renews: so long a ledger whose writer died takes no commands.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// How long the servers may leave a node without an answer about the lease before it gives up.
const PATIENCE: Duration = Duration::from_secs(30);

const UNASKED: &str = "the lease cannot be asked for";

/// The log of a node: its own while it follows, the bus's once it has taken over.
type Shared = Arc<Mutex<Option<NatsLog>>>;

/// A node that follows.
pub(crate) struct Node {
    connection: Connection,
    lease: Lease,
    log: Shared,
    standby: Standby,
    /// What answers are read from, now and after a take-over.
    pub(crate) reading: Arc<Reading>,
    lost: Lost,
    /// Since when the lease cannot be asked for.
    troubled: Option<Instant>,
}

/// Opens the stream of a ledger; one that is not there is made, where a birth is given.
pub(crate) fn open_stream(
    place: &Place,
    servers: &Servers,
    birth: Option<&Birth>,
) -> Outcome<Attempt<(Connection, Options, NatsLog)>> {
    make_dir(place)?;
    let connection = servers.connect_home()?;
    let usual = options(place, servers);
    let options = Options {
        create: birth.map(|birth| birth.ledger),
        copy: Some(place.log()),
        seal_bytes: place.seal_bytes().unwrap_or(usual.seal_bytes),
        ..usual
    };
    match NatsLog::open(&connection, &options) {
        Ok(log) => {
            compare_signed(place, log.reader().as_ref())?;
            Ok(Attempt::Opened((connection, options, log)))
        }
        Err(error @ OpenError::Owned(_)) => Ok(Attempt::Owned(unopened(place, error))),
        Err(error) => Err(unopened(place, error)),
    }
}

/// Opens the stream of a ledger to read it, beside any node of this machine: nothing is kept of it.
pub(crate) fn open_stream_alone(place: &Place, servers: &Servers) -> Outcome<NatsLog> {
    let connection = servers.connect_home()?;
    let log = NatsLog::open(&connection, &options(place, servers));
    let log = log.map_err(|error| unopened(place, error))?;
    compare_signed(place, log.reader().as_ref())?;
    Ok(log)
}

fn options(place: &Place, servers: &Servers) -> Options {
    Options {
        monitors: servers.nats_monitor.clone(),
        accept_unsynced: servers.accept_unsynced,
        ..Options::new(place.ledger(), servers.nats_replicas)
    }
}

/// Opens the bucket of persons' keys.
pub(crate) fn open_bucket(
    place: &Place,
    servers: &Servers,
    connection: &Connection,
) -> Outcome<Vault> {
    let (client, ledger) = (connection.client(), ledger(place)?);
    let replicas = servers.nats_replicas;
    let opening = async move { BucketKeys::open(&client, &ledger, replicas).await };
    let what = "the vault on NATS cannot be opened";
    let keys = connection.wait(opening).or_exit(Exit::Unavailable, what)?;
    Ok(Vault::over(Box::new(keys.or_exit(Exit::Unavailable, what)?)))
}

/// Owns a ledger on NATS, unless another node does.
pub(super) fn own(
    place: &Place,
    servers: &Servers,
    birth: Option<&Birth>,
) -> Outcome<Attempt<Owning>> {
    let mut node = match Node::open(place, servers, birth)? {
        Attempt::Opened(node) => node,
        Attempt::Owned(failure) => return Ok(Attempt::Owned(failure)),
    };
    let held = node.take_lease()?;
    match held {
        Some(held) => node.lead(place, held).map(Attempt::Opened),
        None => Ok(Attempt::Owned(node.held_elsewhere(place)?)),
    }
}

fn ledger(place: &Place) -> Outcome<Code> {
    Code::new(place.ledger()).or_exit(Exit::Usage, "--ledger")
}

impl Node {
    /// Begins to follow.
    pub(crate) fn open(
        place: &Place,
        servers: &Servers,
        birth: Option<&Birth>,
    ) -> Outcome<Attempt<Self>> {
        let (connection, options, log) = match open_stream(place, servers, birth)? {
            Attempt::Opened(opened) => opened,
            Attempt::Owned(failure) => return Ok(Attempt::Owned(failure)),
        };
        let vault = Arc::new(open_bucket(place, servers, &connection)?);
        let (client, name) = (connection.client(), ledger(place)?);
        let (replicas, node) =
            (servers.nats_replicas, format!("{}-{}", host(), std::process::id()));
        let leasing = async move { Lease::open(&client, &name, &node, replicas, LEASE).await };
        let unleased = "the lease on NATS cannot be opened";
        let lease = connection.wait(leasing).or_exit(Exit::Unavailable, unleased)?;
        let lease = lease.or_exit(Exit::Unavailable, unleased)?;
        let (head, reader) = (log.head(), log.reader());
        let log: Shared = Arc::new(Mutex::new(Some(log)));
        let lost = Lost::default();
        let (own, again, gone) = (Arc::clone(&log), connection.clone(), lost.clone());
        let opener = Box::new(move || {
            if gone.is_so() {
                return Err(LeaseLost.into());
            }
            let held = own.lock().unwrap_or_else(PoisonError::into_inner).take();
            let log = match held {
                Some(log) => log,
                None => NatsLog::open(&again, &options)?,
            };
            Ok(Box::new(UnderLease::new(log, gone.clone())) as Box<dyn EventLog>)
        });
        let parts = parts(place, head, opener, Arc::clone(&vault))?;
        let standby = stand_by(place, parts, reader, birth)?;
        let reading = Arc::new(Reading::new(place, standby.reader(), Some(vault)));
        let node = Self { connection, lease, log, standby, reading, lost, troubled: None };
        Ok(Attempt::Opened(node))
    }

    /// Takes over what others have written, states and read models too; waits for it as long as
    /// `timeout`.
    pub(crate) fn follow(&mut self, timeout: Duration) -> Outcome {
        let before = self.reading.log.head().next;
        if let Some(log) = self.log.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            log.follow(timeout).or_exit(Exit::Unavailable, "the stream cannot be followed")?;
        }
        if self.reading.log.head().next > before {
            let stale = "states cannot follow the stream";
            self.standby.follow().or_own_exit(stale)?;
            self.reading.views.catch_up()?;
        }
        Ok(())
    }

    /// Takes the lease, unless another node holds it or the servers do not say; tells when it was
    /// asked for.
    pub(crate) fn take_lease(&mut self) -> Outcome<Option<(Held, Instant)>> {
        let asked = Instant::now();
        let lease = self.lease.clone();
        let taken = self.connection.wait(async move { lease.take().await });
        let taken = taken.or_exit(Exit::Unavailable, UNASKED)?;
        match taken {
            Ok(held) => {
                self.troubled = None;
                Ok(held.map(|held| (held, asked)))
            }
            Err(error) => self.put_up_with(error).map(|()| None),
        }
    }

    /// Whether nobody holds the lease now, as far as the servers say.
    pub(super) fn is_free(&mut self) -> Outcome<bool> {
        let lease = self.lease.clone();
        let holder = self.connection.wait(async move { lease.holder().await });
        match holder.or_exit(Exit::Unavailable, UNASKED)? {
            Ok(holder) => Ok(holder.is_none()),
            Err(error) => self.put_up_with(error).map(|()| false),
        }
    }

    /// Puts up with trouble on the servers' side for a while.
    fn put_up_with(&mut self, error: LeaseError) -> Outcome {
        let since = *self.troubled.get_or_insert_with(Instant::now);
        if since.elapsed() >= PATIENCE {
            return Err(error).or_exit(Exit::Unavailable, UNASKED);
        }
        tracing::warn!(%error, "the lease could not be asked for");
        Ok(())
    }

    /// Takes commands from now on, for as long as the lease lasts.
    pub(crate) fn lead(self, place: &Place, held: (Held, Instant)) -> Outcome<Owning> {
        let Self { connection, lease, log, standby, reading, lost, .. } = self;
        let leased = Leased::keep(connection, held, lease.length(), lost.clone());
        // The writer before may have appended what this node has not seen: opened again, the log
        // reaches to the stream's end, and nothing is decided or refused on an older one.
        drop(log.lock().unwrap_or_else(PoisonError::into_inner).take());
        Owning::take_over(place, standby, reading, Some((leased, lost)))
    }

    fn held_elsewhere(&self, place: &Place) -> Outcome<Failure> {
        let lease = self.lease.clone();
        let holder = self.connection.wait(async move { lease.holder().await });
        let holder = holder.or_exit(Exit::Unavailable, "the lease")?;
        let holder = holder.ok().flatten().unwrap_or_else(|| "another process".to_owned());
        Ok(Failure::new(
            Exit::Unavailable,
            format_args!(
                "ledger {:?} takes commands through {holder}; `chl submit --as ACTOR` sends them \
                 over the bus",
                place.ledger()
            ),
        ))
    }
}

fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    if plain.is_empty() { "node".to_owned() } else { plain }
}

/// Why a stream could not be opened, and what to do.
fn unopened(place: &Place, error: OpenError) -> Failure {
    let ledger = place.ledger();
    let (exit, what) = if error.is_damage() {
        (Exit::Verification, format!("ledger {ledger:?} on NATS is not the one this node has seen"))
    } else if matches!(error, OpenError::NotFound { .. }) {
        (Exit::Unavailable, format!("there is no ledger {ledger:?} on these servers yet"))
    } else {
        (Exit::Unavailable, format!("ledger {ledger:?} on NATS cannot be opened"))
    };
    Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
}
