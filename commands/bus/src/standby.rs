//! Standing by: states and keys follow a log that another process writes, so that this one can go
//! on where that one ends.
//!
//! Only whole chains are taken: what is owed of the last one its writer may still be adding. Who
//! takes over settles it.

use crate::{
    catch_up::{CatchUpError, ReadFrom, follow},
    clock::Watch,
    committer::OpenLog,
    desk::Desk,
    history::History,
    journal::Journal,
    keys::Keys,
    parts::{OpenError, Options, Parts},
    reader::SteadyReader,
    states::{Shelf, States},
    vault::Vault,
};
use chl_log::ReadLog;
use std::sync::Arc;

/// A ledger that is followed, ready to be taken over.
pub struct Standby {
    pub(crate) desk: Desk,
    pub(crate) reader: Arc<SteadyReader>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) journal: Option<Arc<Journal>>,
    pub(crate) filled: Option<Shelf>,
    pub(crate) options: Options,
    pub(crate) log: OpenLog,
    from: ReadFrom,
}

impl Standby {
    /// Begins behind what the file of states stands for; nothing is read yet.
    ///
    /// `parts.log` opens the log for the take-over; until then `reader` reads it.
    pub fn open(
        parts: Parts,
        reader: Arc<dyn ReadLog>,
        options: &Options,
    ) -> Result<Self, OpenError> {
        let Parts { log, keys, states, vault, clock, journal } = parts;
        let reader = Arc::new(SteadyReader::new(reader));
        let shelf = states.map(|file| Shelf::new(file, Arc::clone(&keys)));
        let filled = shelf.as_ref().map(Shelf::again).transpose()?;
        let head = reader.head();
        let stands_for = shelf.as_ref().map(Shelf::stands_for).transpose()?.flatten();
        let usable = stands_for.filter(|(ledger, at)| *ledger == head.ledger && *at <= head.next);
        let from = ReadFrom {
            states: usable.map_or(0, |(_, position)| position),
            keys: keys.covered_to().min(head.next),
        };
        let mut states = States::new(shelf, options.state_bytes);
        if usable.is_none() {
            states.clear()?;
        }
        let desk = Desk {
            states,
            history: History::new(Arc::clone(&reader)),
            keys: Keys::new(keys),
            watch: Watch::new(options.clock_tolerance, None),
            clock,
            vault: Arc::clone(&vault),
            scratch: Default::default(),
            traces: Arc::default(),
        };
        let options = options.clone();
        Ok(Self { desk, reader, vault, journal, filled, options, log, from })
    }

    /// A handle to read the log through; it stays good after the take-over.
    pub fn reader(&self) -> Arc<dyn ReadLog> {
        Arc::clone(&self.reader) as Arc<dyn ReadLog>
    }

    /// Takes what the log holds of whole chains into states and keys.
    pub fn follow(&mut self) -> Result<(), CatchUpError> {
        self.from = self.bring_up(follow)?;
        Ok(())
    }

    /// Brings states and keys up to the log by a step; states in any doubt are built anew.
    pub(crate) fn bring_up<T>(
        &mut self,
        step: fn(&mut Desk, &dyn ReadLog, ReadFrom) -> Result<T, CatchUpError>,
    ) -> Result<T, CatchUpError> {
        let Self { desk, reader, from, .. } = self;
        desk.history.restart();
        match step(desk, reader.as_ref(), *from) {
            Err(
                error @ (CatchUpError::States(_)
                | CatchUpError::History(_)
                | CatchUpError::Contradiction(_)),
            ) if from.states > 0 => {
                tracing::warn!(%error, "states are built anew from the log");
                desk.states.clear()?;
                step(desk, reader.as_ref(), ReadFrom { states: 0, ..*from })
            }
            done => done,
        }
    }
}
