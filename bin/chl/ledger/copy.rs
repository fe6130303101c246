//! What a folder has of a ledger, read without its owner or its servers.

use super::Reading;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    place::Place,
    talk,
};
use chl_log::ReadLog;
use chl_log_files::{HistoryError, OwnerLock, SealedFolder, SealedHistory, Witness};
use std::sync::Arc;

/// A node's own copy, and the lock that keeps the node from starting meanwhile.
pub(crate) struct OwnCopy {
    /// What answers are read from.
    pub(crate) reading: Reading,
    _lock: OwnerLock,
}

/// What is sealed of a ledger on this machine, which any number of processes may read beside its
/// owner; none where nothing is, or where it cannot be read, which whoever opens the log says.
pub(crate) fn sealed_history(place: &Place) -> Option<SealedHistory> {
    sealed(place).ok()
}

fn sealed(place: &Place) -> Result<SealedHistory, HistoryError> {
    SealedHistory::open(&SealedFolder::new(&place.log().join("sealed")))
}

/// Opens this node's own copy; says so when the node had seen more than is in it.
pub(crate) fn open_copy(place: &Place) -> Outcome<OwnCopy> {
    if place.servers().is_none() {
        return Err(Failure::usage("--copy is of a ledger on servers: say which, with --nats"));
    }
    let dir = place.log();
    let what = format!("this node's copy {}", dir.display());
    if !dir.is_dir() {
        return Err(Failure::new(Exit::Unavailable, format_args!("{what}: there is none")));
    }
    let lock = OwnerLock::take(&dir).or_exit(Exit::Unavailable, &what)?;
    let history = sealed(place);
    let history = history.map_err(|error| {
        let exit = match &error {
            HistoryError::Nothing { .. } => Exit::Unavailable,
            HistoryError::Folder(_) | HistoryError::Sealed(_) => Exit::Verification,
        };
        Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
    })?;
    let ends = history.head().next;
    let seen = Witness::open(&dir.join("witness")).map(|witness| witness.last().head.next);
    if let Ok(seen) = seen
        && seen > ends
    {
        talk::say(&format!(
            "this copy ends at position {ends}; the node had seen the ledger come to {seen}"
        ));
    }
    Ok(OwnCopy { reading: Reading::new(place, Arc::new(history), None), _lock: lock })
}
