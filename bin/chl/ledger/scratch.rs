//! An empty ledger to try something out: in memory where there is none yet, in a temporary folder
//! where a whole history goes in.

use super::{Birth, open_log, owning::parts, unopened};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    place::Place,
    user,
};
use chl_bus::{Bus, Client, MemoryKeys, Opening, Options, Parts, SystemClock, Vault};
use chl_events::LedgerId;
use chl_log::{EventLog, MemoryLog, ReadLog};
use chl_log_sled::Options as LogOptions;
use std::sync::Arc;
use tempfile::TempDir;

/// A ledger that lives as long as this does, and leaves nothing.
pub(crate) struct Scratch {
    bus: Bus,
    /// The keys of what is sealed in it.
    pub(crate) vault: Arc<Vault>,
    _folder: Option<TempDir>,
}

impl Scratch {
    /// Opens one.
    pub(crate) fn open() -> Outcome<Self> {
        let log = MemoryLog::new(LedgerId([0; 16]));
        let vault = Arc::new(Vault::in_memory().or_exit(Exit::Internal, "a vault in memory")?);
        let parts = Parts {
            log: Box::new(move || Ok(Box::new(log.clone()))),
            keys: Arc::new(MemoryKeys::default()),
            states: None,
            vault: Arc::clone(&vault),
            clock: Box::new(SystemClock::new()),
            journal: None,
        };
        let name = "scratch".to_owned();
        let opening =
            Opening { origin: name.clone(), name, actor: user::actor()?, recorded_at: None };
        let bus = Bus::open(parts, &Options::new(opening));
        let bus = bus.or_exit(Exit::Internal, "a ledger in memory cannot be opened")?;
        Ok(Self { bus, vault, _folder: None })
    }

    /// Opens one that begins like another, and takes as much memory as any.
    pub(crate) fn on_disk(birth: &Birth) -> Outcome<Self> {
        let unmade = "no folder for a ledger beside";
        let folder = tempfile::Builder::new().prefix("chl-beside-").tempdir();
        let folder = folder.or_exit(Exit::Unavailable, unmade)?;
        let place = Place::new(folder.path(), &birth.opening.name)?;
        let vault = Arc::new(Vault::in_memory().or_exit(Exit::Internal, "a vault in memory")?);
        let log = open_log(&place, LogOptions::create(birth.ledger))
            .map_err(|error| unopened(&place, error))?;
        let head = log.head();
        let mut opened = Some(log);
        let opener = Box::new(move || {
            let log = opened.take().ok_or("a ledger beside is not opened again")?;
            Ok(Box::new(log) as Box<dyn EventLog>)
        });
        let parts = parts(&place, head, opener, Arc::clone(&vault))?;
        let bus = Bus::open(parts, &Options::new(birth.opening.clone()));
        let bus =
            bus.map_err(|error| Failure::new(Exit::Internal, format!("{unmade}: {error}")))?;
        Ok(Self { bus, vault, _folder: Some(folder) })
    }

    /// What is in its log.
    pub(crate) fn reader(&self) -> Arc<dyn ReadLog> {
        self.bus.reader()
    }

    /// A handle to send commands through.
    pub(crate) fn client(&self) -> Client {
        self.bus.client()
    }
}
