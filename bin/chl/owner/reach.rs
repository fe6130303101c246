//! Reaching a ledger: through its owner, or as the owner.

use super::{Connection, connect};
use crate::{
    failure::Outcome,
    ledger::{Attempt, require_log},
    place::Place,
};
use std::{
    thread,
    time::{Duration, Instant},
};

/// How long to wait for an owner that does not listen: one that starts, or that only reads.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often to look again meanwhile.
const GLANCE: Duration = Duration::from_millis(25);

/// How a ledger was reached.
pub(crate) enum Reached<T> {
    /// Another process owns it and listens.
    Owner(Connection),
    /// This process has opened it.
    Own(T),
}

/// Reaches a ledger: through an owner that listens, else by opening it.
///
/// A process that holds the lock without listening is about to listen or soon done; it is waited
/// for, and only then told with its process id.
pub(crate) fn reach<T>(
    place: &Place,
    mut open: impl FnMut() -> Outcome<Attempt<T>>,
) -> Outcome<Reached<T>> {
    require_log(place)?;
    let since = Instant::now();
    loop {
        if let Some(connection) = connect(place)? {
            return Ok(Reached::Owner(connection));
        }
        match open()? {
            Attempt::Opened(ledger) => return Ok(Reached::Own(ledger)),
            Attempt::Owned(failure) if since.elapsed() >= PATIENCE => return Err(failure),
            Attempt::Owned(_) => thread::sleep(GLANCE),
        }
    }
}
