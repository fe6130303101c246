//! What answers are read from.

use super::{history::decoded, proofs::Proofs, views::KeptViews};
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    place::Place,
};
use chl_bus::{Noted, Vault, Viewer, noted};
use chl_events::{Instant, Role};
use chl_log::ReadLog;
use std::{
    path::PathBuf,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

/// A ledger as questions see it, in whatever process.
pub(crate) struct Reading {
    /// Its log.
    pub(crate) log: Arc<dyn ReadLog>,
    /// Its read models.
    pub(crate) views: Arc<KeptViews>,
    /// What proves its history to others.
    pub(crate) proofs: Arc<Proofs>,
    /// The folder of its decision journal.
    journal: PathBuf,
    /// The keys of persons, where there are any.
    pub(crate) vault: Option<Arc<Vault>>,
    /// Whether it will be closed soon, so that long answers end.
    pub(crate) closing: Closing,
}

impl Reading {
    /// A ledger whose log is open.
    pub(crate) fn new(place: &Place, log: Arc<dyn ReadLog>, vault: Option<Arc<Vault>>) -> Self {
        let views = Arc::new(KeptViews::new(place.views(), place.past(), Arc::clone(&log)));
        let proofs = Arc::new(Proofs::new(place, Arc::clone(&log)));
        let journal = place.journal();
        Self { log, views, proofs, journal, vault, closing: Closing::default() }
    }

    /// What this machine's decision journal has noted, the oldest first.
    pub(crate) fn refusals(&self) -> Outcome<impl Iterator<Item = Outcome<Noted>> + use<>> {
        let unread = format!("the decision journal in {}", self.journal.display());
        let noted = noted(&self.journal).or_exit(Exit::Unavailable, &unread)?;
        Ok(noted.map(move |one| one.or_exit(Exit::Unavailable, &unread)))
    }

    /// How far rows that stand for a position are behind the log; none where they are not.
    pub(crate) fn lag(&self, position: u64) -> Option<Lag> {
        let positions = self.log.head().next.checked_sub(position).filter(|lag| *lag > 0)?;
        let first = self.log.commit_at(position).ok().flatten();
        let first = first.and_then(|bytes| decoded(position, &bytes).ok());
        Some(Lag { positions, since: first.map(|commit| commit.recorded_at) })
    }

    /// Who asks on the command line: an operator, who may read texts.
    pub(crate) fn operator(&self) -> Viewer<'_> {
        Viewer { role: Role::Operator, partner: None, vault: self.vault.as_deref() }
    }
}

/// How far rows are behind the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lag {
    /// How many commits are not in them.
    pub(crate) positions: u64,
    /// When the first of those was recorded, where it can be read.
    pub(crate) since: Option<Instant>,
}

impl Lag {
    /// How long ago the first commit was recorded that is not in the rows.
    pub(crate) fn at(&self, now: Instant) -> Duration {
        let micros = self.since.map(|since| now.micros().saturating_sub(since.micros()));
        let micros = micros.and_then(|micros| u64::try_from(micros).ok());
        Duration::from_micros(micros.unwrap_or_default())
    }
}

/// Says to long answers that the ledger is about to be closed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closing(Arc<(Mutex<bool>, Condvar)>);

impl Closing {
    /// Whether it is.
    pub(crate) fn is_near(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is, once so much time has passed or before.
    pub(crate) fn is_near_within(&self, time: Duration) -> bool {
        let near = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(near, time, |near| !*near);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Announces it.
    pub(crate) fn announce(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }
}
