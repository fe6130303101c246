//! Replaying a log event by event: what each of them changes in the states of aggregates.

use crate::{
    history::History,
    keys::KeyStore,
    reader::SteadyReader,
    states::{Changes, Shelf, States, StatesError, StatesFile},
};
use chl_aggregates::{Row, RowKey, Rows, RowsMut, Unavailable, evolve_event};
use chl_events::{Commit, LedgerId, RecordedEvent};
use chl_log::ReadLog;
use std::{collections::BTreeMap, sync::Arc};

/// How many bytes of memory rows may take before they go to their file.
const STATE_BYTES: usize = 32 << 20;

/// States of aggregates, built from a log's first event on, apart from those of its ledger.
pub struct Replay {
    states: States,
    history: History,
    ledger: LedgerId,
}

/// Says why a commit could not be taken into the states.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The commit contradicts the states before it, or an earlier commit cannot be read.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The file of states failed.
    #[error(transparent)]
    States(#[from] StatesError),
}

/// A row that an event changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The row's name.
    pub key: RowKey,
    /// As it was before the event.
    pub before: Option<Row>,
    /// As the event left it.
    pub after: Option<Row>,
}

struct OneEvent<'a> {
    states: &'a States,
    history: &'a History,
    changes: BTreeMap<RowKey, Option<Row>>,
}

impl Rows for OneEvent<'_> {
    fn row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        match self.changes.get(key) {
            Some(row) => Ok(row.clone()),
            None => self.states.row(key),
        }
    }

    fn commit(&self, position: u64) -> Result<Option<Arc<Commit>>, Unavailable> {
        self.history.commit(position).map_err(|error| Unavailable(Box::new(error)))
    }
}

impl RowsMut for OneEvent<'_> {
    fn set(&mut self, key: RowKey, row: Option<Row>) {
        self.changes.insert(key, row);
    }
}

impl Replay {
    /// Begins before the first event of a log. Rows that are too many for the memory go to a file
    /// of states; it and its keys must be empty.
    pub fn new(log: Arc<dyn ReadLog>, file: StatesFile, keys: Arc<dyn KeyStore>) -> Self {
        let ledger = log.head().ledger;
        let states = States::new(Some(Shelf::new(file, keys)), STATE_BYTES);
        let history = History::new(Arc::new(SteadyReader::new(log)));
        Self { states, history, ledger }
    }

    /// Takes the next event, and says which rows it changed, in the order of their keys.
    pub fn event(
        &mut self,
        commit: &Commit,
        recorded: &RecordedEvent,
    ) -> Result<Vec<Changed>, ReplayError> {
        let changes = BTreeMap::new();
        let mut event = OneEvent { states: &self.states, history: &self.history, changes };
        evolve_event(commit, recorded, &mut event)?;
        let changes = event.changes;
        let mut changed = Vec::with_capacity(changes.len());
        let mut merged = Changes::with_capacity(changes.len());
        for (key, after) in changes {
            let before = self.states.row(&key)?;
            merged.insert(key.clone(), after.clone());
            if before != after {
                changed.push(Changed { key, before, after });
            }
        }
        self.states.merge(&mut merged);
        self.states.keep_oldest();
        if self.states.is_full() {
            self.states.flush_now(self.ledger, commit.position)?;
        }
        Ok(changed)
    }
}
