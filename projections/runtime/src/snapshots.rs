//! Snapshots: all rows but postings at positions of the past, each a file of its own.
//!
//! They lie so far apart that there are never more than a few, and never more bytes than bound.
//! A file's name says its position and its digest. A file that is not what its name says, of another
//! release or of another history is no snapshot: it is passed over and removed.

use crate::{checkpoint::Checkpoint, meta};
use chl_log::ReadLog;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    num::NonZeroU64,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// No two snapshots are nearer than so many commits: folding as many takes no time.
const LEAST_APART: NonZeroU64 = NonZeroU64::new(4_096).expect("it is not zero");
/// There are no more snapshots than so many.
const MOST: u64 = 16;
/// So many bytes are copied at once.
const CHUNK: usize = 1 << 20;

/// The snapshots of one ledger's read models.
#[derive(Debug)]
pub(crate) struct Snapshots {
    folder: PathBuf,
    pub(crate) least_apart: NonZeroU64,
    /// Held by whoever writes one.
    saving: Mutex<()>,
}

/// A file that says it is a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Snapshot {
    position: u64,
    digest: String,
    path: PathBuf,
    bytes: u64,
}

impl Snapshot {
    /// What a file's name says: `POSITION-DIGEST.sqlite`.
    fn named(path: PathBuf, bytes: u64) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_suffix(".sqlite")?;
        let (position, digest) = name.split_once('-')?;
        let (position, digest) = (position.parse().ok()?, digest.to_owned());
        Some(Self { position, digest, path, bytes })
    }
}

impl Snapshots {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, least_apart: LEAST_APART, saving: Mutex::new(()) }
    }

    /// Those there are, by position; none where the folder cannot be read.
    fn list(&self) -> Vec<Snapshot> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let named = files.filter_map(|file| {
            let bytes = file.metadata().ok()?.len();
            Snapshot::named(file.path(), bytes)
        });
        let mut list: Vec<Snapshot> = named.collect();
        list.sort_by_key(|snapshot| snapshot.position);
        list
    }

    /// The next position behind one, up to another, where a snapshot is wanted and none is.
    pub(crate) fn next_due(&self, behind: u64, end: u64, most_bytes: u64) -> Option<u64> {
        let list = self.list();
        let apart = self.apart(&list, end, most_bytes);
        let next = (behind / apart).checked_add(1)?.checked_mul(apart)?;
        let taken = |at: u64| list.iter().any(|one| one.position / apart == at / apart);
        let mut wanted = std::iter::successors(Some(next), |at| at.checked_add(apart));
        wanted.by_ref().take_while(|at| *at <= end).find(|at| !taken(*at))
    }

    /// Keeps a copy of a database that stands at a position, and removes what is too near or too
    /// much then.
    pub(crate) fn save(
        &self,
        database: &Path,
        position: u64,
        end: u64,
        most_bytes: u64,
    ) -> io::Result<()> {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(&self.folder)?;
        let draft = self.folder.join("draft");
        let digest = copy(database, &draft)?;
        File::open(&draft)?.sync_all()?;
        fs::rename(&draft, self.folder.join(format!("{position:020}-{digest}.sqlite")))?;
        File::open(&self.folder)?.sync_all()?;
        let list = self.list();
        let apart = self.apart(&list, end, most_bytes);
        for (at, one) in list.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| list.get(before));
            if !is_kept(one, before, apart) {
                fs::remove_file(&one.path)?;
            }
        }
        Ok(())
    }

    /// Copies the newest snapshot that stands for a log's own history and fits; says where it
    /// stands.
    pub(crate) fn copy_newest(
        &self,
        log: &dyn ReadLog,
        fits: impl Fn(&Checkpoint) -> bool,
        to: &Path,
    ) -> Option<Checkpoint> {
        for snapshot in self.list().into_iter().rev() {
            let checkpoint = checked(&snapshot, log);
            if checkpoint.is_some_and(|checkpoint| !fits(&checkpoint)) {
                continue;
            }
            let whole = || copy(&snapshot.path, to).is_ok_and(|digest| digest == snapshot.digest);
            if checkpoint.is_some() && whole() {
                return checkpoint;
            }
            tracing::warn!(path = %snapshot.path.display(), "no snapshot of this ledger");
            let _half = fs::remove_file(to);
            let _gone = fs::remove_file(&snapshot.path);
        }
        None
    }

    /// How far apart snapshots lie, so that there are neither too many nor too large ones. The first
    /// one tells how large they are.
    fn apart(&self, list: &[Snapshot], end: u64, most_bytes: u64) -> u64 {
        let most = if list.is_empty() { 1 } else { MOST };
        let mut apart = self.least_apart.get();
        while end / apart > most || bytes(list, apart, end) > most_bytes {
            let Some(wider) = apart.checked_mul(2) else { break };
            apart = wider;
        }
        apart
    }

    /// Removes all of them: what they were made of was wrong.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let _one_at_a_time = self.saving.lock().unwrap_or_else(PoisonError::into_inner);
        self.list().iter().try_for_each(|snapshot| fs::remove_file(&snapshot.path))
    }
}

/// Where a snapshot says it stands, if that is in the log's history.
fn checked(snapshot: &Snapshot, log: &dyn ReadLog) -> Option<Checkpoint> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(&snapshot.path, flags).ok()?;
    let meta = meta::read(&db).ok()?.ok()?;
    let checkpoint = meta.furthest();
    let own = checkpoint.check(log).ok()?.is_none();
    (own && checkpoint.position == snapshot.position && meta.frozen().is_empty())
        .then_some(checkpoint)
}

/// How many bytes snapshots so far apart would take, as those there are tell: rows become more with
/// the log, so that each is no larger than the next one.
fn bytes(list: &[Snapshot], apart: u64, end: u64) -> u64 {
    let Some(last) = list.last() else { return 0 };
    let at = |position: u64| match list.iter().find(|one| one.position >= position) {
        Some(next) => next.bytes,
        None => last.bytes.saturating_mul(position / last.position.max(1) + 1),
    };
    (1..=end / apart).map(|number| at(number * apart)).fold(0, u64::saturating_add)
}

/// Whether a snapshot is the first one of its stretch, and not of the first stretch, which is
/// folded in no time.
fn is_kept(one: &Snapshot, before: Option<&Snapshot>, apart: u64) -> bool {
    let stretch = one.position / apart;
    stretch > 0 && before.is_none_or(|before| before.position / apart < stretch)
}

/// Copies a file; returns the SHA-256 of what was copied.
fn copy(from: &Path, to: &Path) -> io::Result<String> {
    let (mut from, mut to) = (File::open(from)?, File::create(to)?);
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        let read = from.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hasher.update(bytes);
        to.write_all(bytes)?;
    }
    Ok(chl_events::Hash(hasher.finalize().into()).to_string())
}

#[cfg(test)]
mod tests {
    use super::{LEAST_APART, MOST, Snapshots};

    #[test]
    fn their_number_and_their_bytes_are_bounded_however_long_the_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("database");
        let snapshots = Snapshots::new(folder.path().join("past"));
        let most_bytes = 160_000;
        let mut end = 0;
        for step in 1..400_u64 {
            end = step * LEAST_APART.get();
            // Rows become more with the log.
            let bytes = usize::try_from(step * 100).expect("it is small");
            std::fs::write(&database, vec![7; bytes]).expect("it can be written");
            let mut at = end - LEAST_APART.get();
            while let Some(due) = snapshots.next_due(at, end, most_bytes) {
                snapshots.save(&database, due, end, most_bytes).expect("it can be kept");
                at = due;
            }
            let list = snapshots.list();
            assert!(list.len() as u64 <= MOST, "{list:?}");
            let bytes: u64 = list.iter().map(|one| one.bytes).sum();
            assert!(bytes <= most_bytes, "{bytes} bytes at {end}");
        }
        let list = snapshots.list();
        assert!(!list.is_empty());
        let apart = snapshots.apart(&list, end, most_bytes);
        assert!(list.iter().all(|one| one.position % apart == 0), "{apart}: {list:?}");
        snapshots.clear().expect("they can be removed");
        assert!(snapshots.list().is_empty());
    }
}
