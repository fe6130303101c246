//! A lease that is renewed for as long as its ledger is open.

use chl_bus_nats::Held;
use chl_log_nats::Connection;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Says that a lease was lost: its ledger is another process's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lost(Arc<AtomicBool>);

impl Lost {
    /// Whether it was.
    pub(crate) fn is_so(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A lease being renewed by a thread of its own; given up when it is dropped.
pub(super) struct Leased {
    ended: Option<Sender<()>>,
    renewing: Option<JoinHandle<()>>,
}

impl Leased {
    /// Begins to renew a lease of a length.
    pub(super) fn keep(connection: Connection, held: Held, length: Duration, lost: Lost) -> Self {
        let (ended, end) = channel();
        let renewing = thread::spawn(move || {
            let mut renewed = Instant::now();
            let mut mine = Some(held);
            while let Some(held) = mine.take() {
                match end.recv_timeout(length / 3) {
                    Err(RecvTimeoutError::Timeout) => {
                        mine = renew(&connection, held, &mut renewed, length);
                    }
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                        return release(&connection, held);
                    }
                }
            }
            lost.0.store(true, Ordering::Release);
        });
        Self { ended: Some(ended), renewing: Some(renewing) }
    }
}

/// Renews a lease; none when it is lost, or has run out while no server answered.
fn renew(
    connection: &Connection,
    mut held: Held,
    renewed: &mut Instant,
    length: Duration,
) -> Option<Held> {
    let asked = Instant::now();
    let asking = async move {
        let renewal = held.renew().await;
        (held, renewal)
    };
    let (held, renewal) = connection.wait(asking).ok()?;
    match renewal {
        Ok(true) => {
            *renewed = asked;
            Some(held)
        }
        Ok(false) => None,
        Err(error) => {
            tracing::warn!(%error, "the lease could not be renewed");
            (renewed.elapsed() < length).then_some(held)
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
