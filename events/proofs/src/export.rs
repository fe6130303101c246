//! Publishes a log as static files, which any tool of C2SP tlog-tiles reads.

use crate::{
    checkpoint::{Checkpoint, CheckpointError},
    kept::{HashesError, KeptHashes},
    note::Note,
    tile::{CHECKPOINT, Kind, TILES, Tile},
    tree::{TreeHead, root_at},
};
use chl_events::Hash;
use chl_log::{ReadError, ReadLog, leaf_hash};
use chl_log_files::{Draft, create_dir_with_parents};
use rustix::fs::syncfs;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Says why a log was not published.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The folder holds something else.
    #[error("{}: it holds other things; choose a folder that is empty, or an earlier export of this \
             ledger", dir.display())]
    Occupied {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder holds another history.
    #[error("{}: it holds {} commits of {:?} with root {}, which this log does not continue",
            dir.display(), published.tree.size, published.origin, published.tree.root)]
    Forked {
        /// The folder.
        dir: PathBuf,
        /// What was published there.
        published: Checkpoint,
    },
    /// What is to be published is no checkpoint, or the one in the folder is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The hashes are out of reach.
    #[error(transparent)]
    Hashes(#[from] HashesError),
    /// The log is out of reach.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The log does not hold what its hashes are of.
    #[error("position {position} was altered: its entry has not the hash it had")]
    Altered {
        /// Where.
        position: u64,
    },
}

impl ExportError {
    /// Whether a history is damaged or denied; else something is out of reach.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Forked { .. } | Self::Altered { .. } | Self::Checkpoint(_) => true,
            Self::Hashes(error) => error.is_damage(),
            Self::Log(error) => error.is_damage(),
            Self::Io { .. } | Self::Occupied { .. } => false,
        }
    }
}

/// What an export has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exported {
    /// How many files were written.
    pub written: u64,
    /// How many stood there already.
    pub kept: u64,
}

/// A folder that a log is being published in.
struct Export<'a> {
    dir: &'a Path,
    hashes: &'a KeptHashes,
    /// Tiles that lie within this size are there, unless somebody removed them.
    published: u64,
    done: Exported,
}

/// Publishes the tree of a signed checkpoint in a folder, with the entries or as hashes alone.
///
/// What an earlier export left is gone on with. The checkpoint comes last, when all it vouches for
/// is durable; tells how many entries it has come to.
pub fn export(
    dir: &Path,
    (log, hashes): (&dyn ReadLog, &KeptHashes),
    note: &Note,
    entries: bool,
    reached: &mut dyn FnMut(u64),
) -> Result<Exported, ExportError> {
    create_dir_with_parents(dir).map_err(io_error(dir))?;
    let TreeHead { size, .. } = note.unverified_text().parse::<Checkpoint>()?.tree;
    let published = published(dir, hashes, note)?;
    let done = Exported { written: 0, kept: 0 };
    let mut export = Export { dir, hashes, published, done };
    if entries {
        export.entries(log, size, reached)?;
    }
    for level in Tile::levels(size) {
        for tile in Tile::all(Kind::Hashes(level), size) {
            if !export.keeps(&tile) {
                let hashes = hashes.hashes(level, tile.first(), tile.width)?;
                let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
                export.write(&tile, &bytes)?;
            }
        }
    }
    // One sync of the file system is cheaper than one of each of thousands of files.
    File::open(dir).and_then(|dir| Ok(syncfs(dir)?)).map_err(io_error(dir))?;
    let path = dir.join(CHECKPOINT);
    let drafted = Draft::create(&path).and_then(|mut draft| {
        draft.write_all(note.to_string().as_bytes())?;
        draft.publish()
    });
    drafted.map_err(io_error(&path))?;
    Ok(export.done)
}

/// How much of this history an earlier export has published in a folder.
fn published(dir: &Path, hashes: &KeptHashes, note: &Note) -> Result<u64, ExportError> {
    let path = dir.join(CHECKPOINT);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return vacant(dir).map(|()| 0),
        Err(error) => return Err(io_error(&path)(error)),
    };
    let earlier: Note = text.parse().map_err(CheckpointError::from)?;
    let earlier: Checkpoint = earlier.unverified_text().parse()?;
    let now: Checkpoint = note.unverified_text().parse()?;
    let TreeHead { size, root } = earlier.tree;
    let continues = earlier.origin == now.origin && size <= now.tree.size;
    if continues && root_at(hashes, size)? == root {
        return Ok(size);
    }
    Err(ExportError::Forked { dir: dir.to_owned(), published: earlier })
}

/// Refuses a folder with anything but what an export leaves that was interrupted.
fn vacant(dir: &Path) -> Result<(), ExportError> {
    for entry in fs::read_dir(dir).map_err(io_error(dir))? {
        let entry = entry.map_err(io_error(dir))?;
        if entry.file_name() != TILES && !Draft::is_unfinished(&entry.path()) {
            return Err(ExportError::Occupied { dir: dir.to_owned() });
        }
    }
    Ok(())
}

impl Export<'_> {
    /// Whether a tile is there already.
    fn keeps(&mut self, tile: &Tile) -> bool {
        let there =
            tile.is_full() && tile.covers().1 <= self.published && tile.path(self.dir).is_file();
        self.done.kept += u64::from(there);
        there
    }

    /// Writes the entries from the first tile on that is not there.
    fn entries(
        &mut self,
        log: &dyn ReadLog,
        size: u64,
        reached: &mut dyn FnMut(u64),
    ) -> Result<(), ExportError> {
        let all = || Tile::all(Kind::Entries, size);
        let there = all().take_while(|tile| self.keeps(tile)).count();
        let mut tiles = all().skip(there);
        let Some(mut tile) = tiles.next() else { return Ok(()) };
        let mut bundle = Vec::new();
        let mut wanted = self.hashes_of(&tile)?;
        for block in log.read(tile.first())? {
            let block = block?;
            for (position, entry) in (block.first()..size).zip(block.commits()) {
                if position < tile.first() {
                    continue;
                }
                if wanted.next() != Some(leaf_hash(entry)) {
                    return Err(ExportError::Altered { position });
                }
                let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
                bundle.extend_from_slice(&length.to_be_bytes());
                bundle.extend_from_slice(entry);
                if position + 1 == tile.covers().1 {
                    self.write(&tile, &bundle)?;
                    bundle.clear();
                    reached(position + 1);
                    let Some(next) = tiles.next() else { return Ok(()) };
                    tile = next;
                    wanted = self.hashes_of(&tile)?;
                }
            }
        }
        Err(ReadError::Gap { position: tile.first() }.into())
    }

    fn hashes_of(&self, tile: &Tile) -> Result<impl Iterator<Item = Hash> + use<>, HashesError> {
        Ok(self.hashes.hashes(0, tile.first(), tile.width)?.into_iter())
    }

    /// Writes a tile so that it appears whole; what it was before it was full goes.
    fn write(&mut self, tile: &Tile, bytes: &[u8]) -> Result<(), ExportError> {
        let path = tile.path(self.dir);
        let mut draft = path.clone().into_os_string();
        draft.push(".tmp");
        let folder = path.parent().unwrap_or(self.dir);
        let written = fs::create_dir_all(folder)
            .and_then(|()| fs::write(&draft, bytes))
            .and_then(|()| fs::rename(&draft, &path));
        written.map_err(io_error(&path))?;
        let partials = tile.partials(self.dir);
        if tile.is_full() && partials.is_dir() {
            fs::remove_dir_all(&partials).map_err(io_error(&partials))?;
        }
        self.done.written += 1;
        Ok(())
    }
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> ExportError + '_ {
    move |source| ExportError::Io { path: path.to_owned(), source }
}
