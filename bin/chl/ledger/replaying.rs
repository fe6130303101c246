//! States of aggregates beside a ledger, in a temporary folder: to look at what each event does.

use super::{keys::KeyFiles, owning::make_dir};
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    place::Place,
};
use chl_bus::{Changed, Replay, StatesFile};
use chl_events::{Commit, RecordedEvent};
use chl_log::ReadLog;
use chl_log_files::KeyIndex;
use std::sync::Arc;
use tempfile::TempDir;

/// The folder's name for what is replayed.
const NAME: &str = "replayed";

/// States that are built from a log's first event on, and gone when this is.
pub(crate) struct Replaying {
    replay: Replay,
    _folder: TempDir,
}

impl Replaying {
    /// Begins before the first event of a log.
    pub(crate) fn begin(log: Arc<dyn ReadLog>) -> Outcome<Self> {
        let unmade = "no folder for the states of a replay";
        let folder = tempfile::Builder::new().prefix("chl-replay-").tempdir();
        let folder = folder.or_exit(Exit::Unavailable, unmade)?;
        let place = Place::new(folder.path(), NAME)?;
        make_dir(&place)?;
        let keys = KeyIndex::open(&place.keys(), log.head().ledger);
        let keys = Arc::new(KeyFiles::new(keys.or_exit(Exit::Unavailable, unmade)?));
        let states = StatesFile::open(&place.states()).or_exit(Exit::Unavailable, unmade)?;
        Ok(Self { replay: Replay::new(log, states, keys), _folder: folder })
    }

    /// Takes the next event, and says which rows it changed.
    pub(crate) fn event(
        &mut self,
        commit: &Commit,
        recorded: &RecordedEvent,
    ) -> Outcome<Vec<Changed>> {
        let unfit = format!("the commit at position {} cannot be replayed", commit.position);
        self.replay.event(commit, recorded).or_exit(Exit::Verification, unfit)
    }
}
