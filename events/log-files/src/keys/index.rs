//! The index as its owner sees it.

use super::{
    KeyEntry, KeyError, KeyHash, MAX_KEY_VALUE_BYTES, Record,
    merge::{due, merge},
    run::{Run, Stretch},
    write::RunWriter,
    young::{Frozen, Young},
};
use crate::{Draft, create_dir, sync_dir};
use chl_events::{Hash, LedgerId};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// The keys of a ledger. It is shared: one thread puts, others look up, and sealing and merging
/// run beside them.
///
/// Entries are put as commits are decided; [`KeyIndex::advance`] says up to which position all of
/// them are in. What is put and not sealed is lost when the process ends: whoever opens the index
/// replays the log from [`KeyIndex::covered_to`].
#[derive(Debug)]
pub struct KeyIndex {
    dir: PathBuf,
    ledger: LedgerId,
    state: RwLock<State>,
    /// Held while files are written: by one thread at a time.
    upkeep: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    newest: Young,
    /// What is being written to a file.
    frozen: Arc<Frozen>,
    runs: Vec<Arc<Run>>,
    complete_to: u64,
}

impl State {
    fn covered_to(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.stretch.to)
    }
}

impl KeyIndex {
    /// Opens the index in a folder, which is made if it is not there.
    ///
    /// A file that is damaged, or of another ledger, is set aside; the ones behind it are removed,
    /// as are left-overs of a crash. All of them come again with the replay from
    /// [`KeyIndex::covered_to`].
    pub fn open(dir: &Path, ledger: LedgerId) -> Result<Self, KeyError> {
        // Before a file is removed for the sake of a longer one, that one's name is made durable.
        create_dir(dir).and_then(|()| sync_dir(dir)).map_err(KeyError::io(dir))?;
        let mut files = Vec::new();
        for entry in fs::read_dir(dir).map_err(KeyError::io(dir))? {
            let path = entry.map_err(KeyError::io(dir))?.path();
            if Draft::is_unfinished(&path) {
                fs::remove_file(&path).map_err(KeyError::io(&path))?;
            } else if let Some(stretch) = Stretch::of_name(ledger, &path) {
                files.push((stretch, path));
            }
        }
        // Of files that begin at one position, the longest has the others in it.
        files.sort_by_key(|(stretch, _)| (stretch.from, std::cmp::Reverse(stretch.to)));
        let mut state = State::default();
        for (stretch, path) in files {
            let covered = state.covered_to();
            if stretch.from != covered || stretch.to <= covered {
                fs::remove_file(&path).map_err(KeyError::io(&path))?;
                continue;
            }
            match Run::open(&path, stretch) {
                Ok(run) => state.runs.push(Arc::new(run)),
                Err(KeyError::Damaged { .. }) => set_aside(&path)?,
                Err(error) => return Err(error),
            }
        }
        state.complete_to = state.covered_to();
        let state = RwLock::new(state);
        Ok(Self { dir: dir.to_owned(), ledger, state, upkeep: Mutex::new(()) })
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The position up to which files hold every key; the log must reach at least as far, and is
    /// replayed from there.
    pub fn covered_to(&self) -> u64 {
        self.state().covered_to()
    }

    /// How many files there are, and how many bytes of memory their filters and fences take.
    pub fn files(&self) -> (usize, usize) {
        let state = self.state();
        (state.runs.len(), state.runs.iter().map(|run| run.memory_bytes()).sum())
    }

    /// Looks a key up: the newest entry, unless that is a release.
    pub fn get(&self, kind: u8, key: &[u8]) -> Result<Option<KeyEntry>, KeyError> {
        let hash = KeyHash::of(kind, key);
        let state = self.state();
        if let Some(record) = state.newest.get(hash).or_else(|| state.frozen.get(hash)) {
            return Ok(entry(record));
        }
        for run in state.runs.iter().rev() {
            match run.find(hash) {
                Ok(None) => {}
                Ok(Some(record)) => return Ok(entry(record)),
                Err(error @ KeyError::Damaged { .. }) => {
                    set_aside(run.path())?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Says that the commit at a position takes a key.
    pub fn put(&self, kind: u8, key: &[u8], entry: KeyEntry) -> Result<(), KeyError> {
        if entry.value.len() > MAX_KEY_VALUE_BYTES {
            return Err(KeyError::ValueTooLong(entry.value.len()));
        }
        let hash = KeyHash::of(kind, key);
        let record = Record { hash, position: entry.position, value: Some(entry.value.into()) };
        self.state_mut().newest.put(record);
        Ok(())
    }

    /// Says that the commit at a position sets a key free.
    pub fn release(&self, kind: u8, key: &[u8], position: u64) {
        let record = Record { hash: KeyHash::of(kind, key), position, value: None };
        self.state_mut().newest.put(record);
    }

    /// Says that every key of the commits before a position is in, and that they are durable.
    pub fn advance(&self, to: u64) {
        let mut state = self.state_mut();
        state.complete_to = state.complete_to.max(to);
    }

    /// Writes the entries before a position to a file and returns its digest; none when there is
    /// nothing new. Only what [`KeyIndex::advance`] has called durable is written.
    pub fn seal(&self, up_to: u64) -> Result<Option<Hash>, KeyError> {
        let _alone = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let (stretch, frozen) = {
            let mut state = self.state_mut();
            let (from, to) = (state.covered_to(), up_to.min(state.complete_to));
            if to <= from {
                return Ok(None);
            }
            state.frozen = Arc::new(state.newest.freeze(to));
            (Stretch { ledger: self.ledger, from, to }, Arc::clone(&state.frozen))
        };
        let written = self.write(stretch, &frozen);
        let mut state = self.state_mut();
        match written {
            Ok((run, digest)) => {
                state.runs.push(Arc::new(run));
                state.frozen = Arc::default();
                Ok(Some(digest))
            }
            Err(error) => {
                let frozen = std::mem::take(&mut state.frozen);
                state.newest.thaw(&frozen);
                Err(error)
            }
        }
    }

    fn write(&self, stretch: Stretch, frozen: &Frozen) -> Result<(Run, Hash), KeyError> {
        let path = stretch.path(&self.dir);
        let mut writer = RunWriter::create(path.clone(), stretch)?;
        for record in frozen.records() {
            writer.push(record)?;
        }
        let digest = writer.finish()?;
        Ok((Run::open(&path, stretch)?, digest))
    }

    /// Merges files until there are few; lookups go on meanwhile. A crash between any two steps
    /// leaves the files before or the one after, or both, of which the longer one counts.
    pub fn merge(&self) -> Result<(), KeyError> {
        let _alone = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let runs = self.state().runs.clone();
            let entries: Vec<u64> = runs.iter().map(|run| run.entries).collect();
            let Some(count) = due(&entries) else {
                return Ok(());
            };
            let (_, merging) = runs.split_at(runs.len() - count);
            let (Some(first), Some(last)) = (merging.first(), merging.last()) else {
                return Ok(());
            };
            let stretch = Stretch { to: last.stretch.to, ..first.stretch };
            let merged = match merge(&self.dir, merging, stretch) {
                Ok(run) => Arc::new(run),
                Err(KeyError::Damaged { path, what }) => {
                    set_aside(&path)?;
                    return Err(KeyError::Damaged { path, what });
                }
                Err(error) => return Err(error),
            };
            let mut state = self.state_mut();
            let kept = state.runs.len().saturating_sub(count);
            state.runs.truncate(kept);
            state.runs.push(merged);
            drop(state);
            for run in merging {
                fs::remove_file(run.path()).map_err(KeyError::io(run.path()))?;
            }
            sync_dir(&self.dir).map_err(KeyError::io(&self.dir))?;
        }
    }

    /// Forgets what lies at and behind a position, after a repair that ended the log there: files
    /// that reach beyond it are removed whole, and come again with the replay.
    pub fn forget_beyond(&self, position: u64) -> Result<(), KeyError> {
        let _alone = self.upkeep.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state_mut();
        let kept = state.runs.partition_point(|run| run.stretch.to <= position);
        for run in state.runs.drain(kept..) {
            fs::remove_file(run.path()).map_err(KeyError::io(run.path()))?;
        }
        state.newest = Young::default();
        state.complete_to = state.covered_to();
        drop(state);
        sync_dir(&self.dir).map_err(KeyError::io(&self.dir))
    }
}

fn entry(record: Record) -> Option<KeyEntry> {
    let Record { position, value, .. } = record;
    value.map(|value| KeyEntry { position, value: value.into_vec() })
}

/// Gives a damaged file a name under which it is not found any more, but can be looked at.
fn set_aside(path: &Path) -> Result<(), KeyError> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".damaged");
    match fs::rename(path, &aside) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(KeyError::io(path)(error))
        }
        _ => Ok(()),
    }
}
