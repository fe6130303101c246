//! An empty ledger in memory, to try something out where there is none yet.

use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    user,
};
use chl_bus::{Bus, Client, MemoryKeys, Opening, Options, Parts, SystemClock, Vault};
use chl_events::LedgerId;
use chl_log::MemoryLog;
use std::sync::Arc;

/// A ledger that lives as long as this does, and leaves nothing.
pub(crate) struct Scratch {
    bus: Bus,
    /// The keys of what is sealed in it.
    pub(crate) vault: Arc<Vault>,
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
        Ok(Self { bus, vault })
    }

    /// A handle to send commands through.
    pub(crate) fn client(&self) -> Client {
        self.bus.client()
    }
}
