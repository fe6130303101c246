//! A lease that is renewed for as long as its ledger is open.

use chl_bus_nats::Held;
use chl_events::Block;
use chl_log::{AppendError, Chain, EventLog, Head, Packed, ReadLog, SettleError};
use chl_log_nats::{Connection, NatsLog};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Says that a lease was lost: its ledger is another process's.
///
/// It is lost, too, when its time has run out by this machine's clock and nobody has told: a process
/// that was paused must not answer before it has looked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lost(Arc<Mutex<Term>>);

#[derive(Debug, Default)]
struct Term {
    told: bool,
    ends: Option<Instant>,
}

impl Lost {
    /// Whether it was.
    pub(crate) fn is_so(&self) -> bool {
        let term = self.term();
        term.told || term.ends.is_some_and(|ends| ends <= Instant::now())
    }

    fn renewed(&self, asked: Instant, length: Duration) {
        self.term().ends = Some(asked + length);
    }

    fn told(&self) {
        self.term().told = true;
    }

    fn term(&self) -> MutexGuard<'_, Term> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log that is written under a lease: without it nothing is appended, and nothing answered.
pub(super) struct UnderLease {
    log: NatsLog,
    lost: Lost,
}

impl UnderLease {
    /// Puts a log under a lease.
    pub(super) fn new(log: NatsLog, lost: Lost) -> Self {
        Self { log, lost }
    }

    fn held(&self) -> Result<(), AppendError> {
        if self.lost.is_so() {
            return Err(AppendError::Unavailable(Arc::new(LeaseLost)));
        }
        Ok(())
    }
}

/// Another node goes on.
#[derive(Debug, thiserror::Error)]
#[error("the lease was lost; another node goes on")]
pub(super) struct LeaseLost;

impl EventLog for UnderLease {
    fn append(&mut self, expected: u64, blocks: &[Block]) -> Result<Head, AppendError> {
        self.held()?;
        self.log.append(expected, blocks)
    }

    fn append_packed(&mut self, group: &Packed) -> Result<Head, AppendError> {
        self.held()?;
        self.log.append_packed(group)
    }

    fn confirm(&mut self) -> Result<Head, AppendError> {
        self.held()?;
        self.log.confirm()
    }

    fn chain(&self) -> Chain {
        self.log.chain()
    }

    fn settle(&mut self) -> Result<(), SettleError> {
        self.log.settle()
    }

    fn reader(&self) -> Arc<dyn ReadLog> {
        self.log.reader()
    }
}

/// A lease being renewed by a thread of its own; given up when it is dropped.
pub(super) struct Leased {
    ended: Option<Sender<()>>,
    renewing: Option<JoinHandle<()>>,
}

impl Leased {
    /// Begins to renew a lease of a length, which was asked for at an instant.
    pub(super) fn keep(
        connection: Connection,
        (held, taken): (Held, Instant),
        length: Duration,
        lost: Lost,
    ) -> Self {
        let (ended, end) = channel();
        lost.renewed(taken, length);
        let renewing = thread::spawn(move || {
            let mut mine = Some(held);
            while let Some(held) = mine.take() {
                match end.recv_timeout(length / 3) {
                    Err(RecvTimeoutError::Timeout) => {
                        mine = renew(&connection, held, length, &lost);
                    }
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                        return release(&connection, held);
                    }
                }
            }
            lost.told();
        });
        Self { ended: Some(ended), renewing: Some(renewing) }
    }
}

/// Renews a lease; none when it is lost, or has run out while no server answered.
fn renew(connection: &Connection, mut held: Held, length: Duration, lost: &Lost) -> Option<Held> {
    let asked = Instant::now();
    let asking = async move {
        let renewal = held.renew().await;
        (held, renewal)
    };
    let (held, renewal) = connection.wait(asking).ok()?;
    match renewal {
        Ok(true) => {
            lost.renewed(asked, length);
            Some(held)
        }
        Ok(false) => None,
        Err(error) => {
            tracing::warn!(%error, "the lease could not be renewed");
            (!lost.is_so()).then_some(held)
        }
    }
}

fn release(connection: &Connection, held: Held) {
    match connection.wait(async move { held.release().await }) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the lease ends by itself"),
        Err(error) => tracing::warn!(%error, "the lease ends by itself"),
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        self.ended = None;
        if let Some(renewing) = self.renewing.take()
            && renewing.join().is_err()
        {
            tracing::error!("the lease's thread ended by panicking");
        }
    }
}
