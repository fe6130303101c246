//! What answers are read from.

use super::{proofs::Proofs, views::KeptViews};
use crate::place::Place;
use chl_bus::{Vault, Viewer};
use chl_events::Role;
use chl_log::ReadLog;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A ledger as questions see it, in whatever process.
pub(crate) struct Reading {
    /// Its log.
    pub(crate) log: Arc<dyn ReadLog>,
    /// Its read models.
    pub(crate) views: Arc<KeptViews>,
    /// What proves its history to others.
    pub(crate) proofs: Arc<Proofs>,
    /// The keys of persons, where there are any.
    pub(crate) vault: Option<Arc<Vault>>,
    /// Whether it will be closed soon, so that long answers end.
    pub(crate) closing: Closing,
}

impl Reading {
    /// A ledger whose log is open.
    pub(crate) fn new(place: &Place, log: Arc<dyn ReadLog>, vault: Option<Arc<Vault>>) -> Self {
        let views = Arc::new(KeptViews::new(place.views(), Arc::clone(&log)));
        let proofs = Arc::new(Proofs::new(place, Arc::clone(&log)));
        Self { log, views, proofs, vault, closing: Closing::default() }
    }

    /// Who asks on the command line: an operator, who may read texts.
    pub(crate) fn operator(&self) -> Viewer<'_> {
        Viewer { role: Role::Operator, partner: None, vault: self.vault.as_deref() }
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
