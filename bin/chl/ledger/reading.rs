//! What answers are read from.

use super::views::KeptViews;
use crate::place::Place;
use chl_log::ReadLog;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A ledger as questions see it, in whatever process.
pub(crate) struct Reading {
    /// Where it lies.
    pub(crate) place: Place,
    /// Its log.
    pub(crate) log: Arc<dyn ReadLog>,
    /// Its read models.
    pub(crate) views: Arc<KeptViews>,
    /// Whether it will be closed soon, so that long answers end.
    pub(crate) closing: Closing,
}

impl Reading {
    /// A ledger whose log is open.
    pub(crate) fn new(place: Place, log: Arc<dyn ReadLog>) -> Self {
        let views = Arc::new(KeptViews::new(place.views(), Arc::clone(&log)));
        Self { place, log, views, closing: Closing::default() }
    }
}

/// Says to long answers that the ledger is about to be closed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Closing(Arc<AtomicBool>);

impl Closing {
    /// Whether it is.
    pub(crate) fn is_near(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Announces it.
    pub(crate) fn announce(&self) {
        self.0.store(true, Ordering::Release);
    }
}
