//! Verifies a published log: entries against their hashes, hashes against the levels above, and
//! the root against what was signed.

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    edge::{Edge, TILE_WIDTH},
    flaw::{Flaw, Span, Vouched},
    key::PublicKey,
    note::{Note, NoteError},
    tile::{CHECKPOINT, Kind, TILES, Tile},
    tree::TreeHead,
};
use chl_events::Hash;
use chl_log::leaf_hash;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Says why a published log is not believed.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// A file cannot be read, though it is there.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// There is no published log.
    #[error("{}: no checkpoint, so no published log", dir.display())]
    Nothing {
        /// The folder.
        dir: PathBuf,
    },
    /// Its checkpoint is not believed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Its checkpoint is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// What it holds was altered.
    #[error("{}: {source}", path.display())]
    Flaw {
        /// The file in which it shows.
        path: PathBuf,
        /// What is wrong, and where.
        source: Flaw,
    },
}

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The checkpoint that vouches for all of it.
    pub checkpoint: Checkpoint,
    /// Whether the entries are there, too.
    pub entries: bool,
}

/// Verifies a folder that holds a published log, and that it continues checkpoints kept elsewhere;
/// tells how many entries it has come to.
pub fn verify_published(
    dir: &Path,
    keys: &[PublicKey],
    against: &[Checkpoint],
    reached: &mut dyn FnMut(u64),
) -> Result<Published, PublishedError> {
    let path = dir.join(CHECKPOINT);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(PublishedError::Nothing { dir: dir.to_owned() });
        }
        Err(source) => return Err(PublishedError::Io { path, source }),
    };
    let checkpoint = Checkpoint::open(&text.parse::<Note>()?, keys)?;
    let entries = dir.join(TILES).join("entries").is_dir();
    let vouched: Vec<Checkpoint> = against.iter().chain([&checkpoint]).cloned().collect();
    let flaw = |source| PublishedError::Flaw { path: path.clone(), source };
    let mut vouched = Vouched::new(&vouched, &checkpoint.origin).map_err(flaw)?;
    let TreeHead { size, .. } = checkpoint.tree;
    let mut walk = Walk { dir, size, edge: Edge::default(), waiting: BTreeMap::new() };
    vouched.compare(0, || walk.edge.root()).map_err(flaw)?;
    for tile in Tile::all(Kind::Hashes(0), size) {
        let hashes = walk.hashes(&tile)?;
        if entries {
            walk.entries(&tile, &hashes)?;
        }
        for hash in hashes {
            walk.push(hash)?;
            if walk.edge.size() == size {
                // A tile tells the place of a difference nearer than the root does.
                walk.partial_levels()?;
            }
            let edge = &walk.edge;
            vouched.compare(edge.size(), || edge.root()).map_err(flaw)?;
        }
        reached(walk.edge.size());
    }
    vouched.ends(size).map_err(flaw)?;
    Ok(Published { checkpoint, entries })
}

/// A published log being walked from its first entry on.
struct Walk<'a> {
    dir: &'a Path,
    size: u64,
    edge: Edge,
    /// Hashes of the levels above the first that are not compared with their tiles yet.
    waiting: BTreeMap<u32, (u64, Vec<Hash>)>,
}

impl Walk<'_> {
    /// Reads a tile of hashes.
    fn hashes(&self, tile: &Tile) -> Result<Vec<Hash>, PublishedError> {
        let (path, bytes) = self.read(tile)?;
        let (hashes, rest) = bytes.as_chunks::<32>();
        if hashes.len() as u64 == tile.width && rest.is_empty() {
            return Ok(hashes.iter().map(|hash| Hash(*hash)).collect());
        }
        let what = format!("{} bytes instead of {} hashes", bytes.len(), tile.width);
        Err(altered(path, tile.covers(), what))
    }

    /// Reads the entries of a tile and compares each with its hash.
    fn entries(&self, hashes: &Tile, wanted: &[Hash]) -> Result<(), PublishedError> {
        let tile = Tile { kind: Kind::Entries, ..*hashes };
        let (path, bytes) = self.read(&tile)?;
        let mut rest = bytes.as_slice();
        for (position, wanted) in (tile.first()..).zip(wanted) {
            let entry = next_entry(&mut rest);
            if entry.is_none_or(|entry| leaf_hash(entry) != *wanted) {
                let what = match entry {
                    Some(_) => "its entry has not the hash it had",
                    None => "its entry is not there",
                };
                return Err(altered(path, (position, position + 1), what.to_owned()));
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        let behind = tile.first() + tile.width;
        Err(altered(path, (behind, behind + 1), format!("{} bytes are left over", rest.len())))
    }

    /// The bytes of a tile; one that was not full may have been replaced by the full one since.
    fn read(&self, tile: &Tile) -> Result<(PathBuf, Vec<u8>), PublishedError> {
        let path = tile.path(self.dir);
        match fs::read(&path) {
            Ok(bytes) => Ok((path, bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(altered(path, tile.covers(), "the file is missing".to_owned()))
            }
            Err(source) => Err(PublishedError::Io { path, source }),
        }
    }

    /// Takes the hash of the next entry; tiles of the levels above are compared when they are full.
    fn push(&mut self, hash: Hash) -> Result<(), PublishedError> {
        let waiting = &mut self.waiting;
        let mut full = Vec::new();
        self.edge.push(hash, |level, hash| {
            let level = level as u32;
            if level > 0 {
                let (index, hashes) = waiting.entry(level).or_default();
                hashes.push(hash);
                if hashes.len() as u64 == TILE_WIDTH {
                    full.push((level, *index, std::mem::take(hashes)));
                    *index += 1;
                }
            }
        });
        full.into_iter().try_for_each(|(level, index, hashes)| self.compare(level, index, &hashes))
    }

    /// Compares the last tiles of the levels above, which are not full.
    fn partial_levels(&mut self) -> Result<(), PublishedError> {
        for (level, (index, hashes)) in std::mem::take(&mut self.waiting) {
            if !hashes.is_empty() {
                self.compare(level, index, &hashes)?;
            }
        }
        Ok(())
    }

    /// Compares a tile with what the level below gives; names what is under the first difference.
    fn compare(&self, level: u32, index: u64, wanted: &[Hash]) -> Result<(), PublishedError> {
        let width = wanted.len() as u64;
        let tile = Tile { kind: Kind::Hashes(level), index, width };
        let found = self.hashes(&tile)?;
        let differs = found.iter().zip(wanted).position(|(found, wanted)| found != wanted);
        let Some(place) = differs else { return Ok(()) };
        let one = Tile {
            kind: Kind::Hashes(level - 1),
            index: tile.first() + place as u64,
            width: TILE_WIDTH,
        };
        let (from, to) = one.covers();
        let what = "the level above has another hash over it".to_owned();
        Err(altered(tile.path(self.dir), (from, to.min(self.size)), what))
    }
}

/// Takes the next entry of a bundle; none where it is not whole.
fn next_entry<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<2>()?;
    let (entry, behind) = behind.split_at_checked(u16::from_be_bytes(*length).into())?;
    *rest = behind;
    Some(entry)
}

fn altered(path: PathBuf, (from, to): (u64, u64), what: String) -> PublishedError {
    PublishedError::Flaw { path, source: Flaw::Altered { at: Span { from, to }, what } }
}
