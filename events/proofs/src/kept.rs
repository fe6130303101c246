//! The hashes of a log's tree, kept in files beside it: a proof reads a few of them, and no entry.
//!
//! ```text
//! level-0 … level-7   the hashes of the tiles of a level, one behind the other (C2SP tlog-tiles,
//!                     256 a tile): tile N begins at N × 8192, and the last one may not be full
//! edge                magic "CHLT" | format u16 | 0 u16 | ledger id 16 | size u64 | root 32
//!                     | CRC-32C u32 over all before it
//! ```
//!
//! They are a cache over the log: what is in doubt is made anew from it. The edge is written last
//! and says how much of the files counts.

use crate::{
    TreeHead,
    edge::{Edge, TILE_LEVELS, TILE_WIDTH, hash_over, hashes_of_level},
    tree::Nodes,
};
use chl_events::{Hash, LedgerId};
use chl_log::{ReadError, ReadLog, leaf_hash};
use chl_log_files::{Draft, create_dir};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const MAGIC: &[u8; 4] = b"CHLT";
const FORMAT: u16 = 1;
const EDGE_BYTES: usize = 68;
const HASH_BYTES: usize = 32;
/// A tree of more leaves than a `u64` counts would have a ninth level.
const LEVELS: u32 = u64::BITS / TILE_LEVELS;
/// Hashes are written when so many bytes of them wait.
const WAITING_BYTES: usize = 4 << 20;

/// Says why hashes could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum HashesError {
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The log they are made from cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The log does not give the root it has, or the hashes are of another one.
    #[error("the log's entries before position {position} do not give the root they should")]
    Differs {
        /// Where the root differs.
        position: u64,
    },
    /// The hashes do not reach that far.
    #[error("there is no hash over position {position} in a tree of {size}")]
    Outside {
        /// A position under the node.
        position: u64,
        /// How many leaves there are.
        size: u64,
    },
}

impl HashesError {
    /// Whether what was durable is gone or wrong; else it is out of reach now.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Differs { .. } => true,
            Self::Log(error) => error.is_damage(),
            Self::Io { .. } | Self::Outside { .. } => false,
        }
    }
}

/// The hashes of a log's tree, open for its owner.
#[derive(Debug)]
pub struct KeptHashes {
    dir: PathBuf,
    ledger: LedgerId,
    levels: Vec<File>,
    edge: Edge,
}

impl KeptHashes {
    /// Opens the hashes kept in a folder; what is not whole, or of another ledger, counts nothing.
    pub fn open(dir: &Path, ledger: LedgerId) -> Result<Self, HashesError> {
        create_dir(dir).map_err(io_error(dir))?;
        let mut levels = Vec::new();
        for level in 0..LEVELS {
            let path = dir.join(format!("level-{level}"));
            let open =
                OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            levels.push(open.map_err(io_error(&path))?);
        }
        let mut kept = Self { dir: dir.to_owned(), ledger, levels, edge: Edge::default() };
        if let Some(head) = kept.published()? {
            kept.edge = kept.restored(head).unwrap_or_default();
        }
        Ok(kept)
    }

    /// The tree they are the hashes of.
    pub fn head(&self) -> TreeHead {
        TreeHead { size: self.edge.size(), root: self.edge.root() }
    }

    /// Takes over what the log has come to, after checking every root on the way, and tells the
    /// positions it comes to. Hashes that are not of this log are made anew.
    pub fn catch_up(
        &mut self,
        log: &dyn ReadLog,
        reached: &mut dyn FnMut(u64),
    ) -> Result<TreeHead, HashesError> {
        let began = self.edge.size();
        match self.extend(log, reached) {
            Err(HashesError::Differs { .. }) if began > 0 => {
                self.edge = Edge::default();
                self.extend(log, reached)?;
            }
            done => done?,
        }
        Ok(self.head())
    }

    fn extend(
        &mut self,
        log: &dyn ReadLog,
        reached: &mut dyn FnMut(u64),
    ) -> Result<(), HashesError> {
        let head = log.head();
        let began = self.edge.size();
        if began > head.next {
            return Err(HashesError::Differs { position: head.next });
        }
        let mut edge = self.edge.clone();
        let mut waiting = Waiting::new(began);
        for block in log.read(began)? {
            let block = block?;
            if block.first() >= began && block.root_before() != edge.root() {
                return Err(HashesError::Differs { position: block.first() });
            }
            for (position, commit) in (block.first()..head.next).zip(block.commits()) {
                if position >= began {
                    edge.push(leaf_hash(commit), |level, hash| waiting.push(level, hash));
                }
            }
            if waiting.bytes() >= WAITING_BYTES {
                self.write(&mut waiting)?;
            }
            reached(edge.size());
        }
        if edge.size() != head.next || edge.root() != head.root {
            return Err(HashesError::Differs { position: head.next });
        }
        self.write(&mut waiting)?;
        if edge.size() > began {
            self.publish(&edge)?;
        }
        self.edge = edge;
        Ok(())
    }

    /// Writes the hashes that wait behind those that are there.
    fn write(&self, waiting: &mut Waiting) -> Result<(), HashesError> {
        for (level, (offset, bytes)) in waiting.levels.iter_mut().enumerate() {
            let (Some(file), false) = (self.levels.get(level), bytes.is_empty()) else { continue };
            file.write_all_at(bytes, *offset).map_err(io_error(&self.dir))?;
            *offset += bytes.len() as u64;
            bytes.clear();
        }
        Ok(())
    }

    /// Makes the hashes durable, and then says that they count.
    fn publish(&self, edge: &Edge) -> Result<(), HashesError> {
        let path = self.dir.join("edge");
        let io = io_error(&path);
        for file in &self.levels {
            file.sync_data().map_err(&io)?;
        }
        let mut bytes = Vec::with_capacity(EDGE_BYTES);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_be_bytes());
        bytes.extend_from_slice(&[0; 2]);
        bytes.extend_from_slice(&self.ledger.0);
        bytes.extend_from_slice(&edge.size().to_be_bytes());
        bytes.extend_from_slice(&edge.root().0);
        let crc = crc32c::crc32c(&bytes);
        bytes.extend_from_slice(&crc.to_be_bytes());
        let mut draft = Draft::create(&path).map_err(&io)?;
        draft.write_all(&bytes).and_then(|()| draft.publish()).map_err(io)
    }

    /// What the edge's file says; nothing where it is not whole, or of another ledger.
    fn published(&self) -> Result<Option<TreeHead>, HashesError> {
        let path = self.dir.join("edge");
        match fs::read(&path) {
            Ok(bytes) => Ok(decode(&bytes, self.ledger)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error(&path)(error)),
        }
    }

    /// The edge as the files have it; none where they do not give the root that was published.
    fn restored(&self, head: TreeHead) -> Option<Edge> {
        let rest = |level: u32| {
            let count = hashes_of_level(head.size, level);
            let rest = count % TILE_WIDTH;
            self.read(level, count - rest, rest).ok()
        };
        let levels = (0..LEVELS).take_while(|level| hashes_of_level(head.size, *level) > 0);
        let tiles: Option<Vec<Vec<Hash>>> = levels.map(rest).collect();
        Some(Edge::new(head.size, tiles?)).filter(|edge| edge.root() == head.root)
    }

    /// The hashes of a level's tiles from an index on.
    pub(crate) fn hashes(
        &self,
        level: u32,
        from: u64,
        count: u64,
    ) -> Result<Vec<Hash>, HashesError> {
        let size = self.edge.size();
        if from.saturating_add(count) > hashes_of_level(size, level) {
            let position = from.checked_shl(level * TILE_LEVELS).unwrap_or(u64::MAX);
            return Err(HashesError::Outside { position, size });
        }
        self.read(level, from, count).map_err(io_error(&self.dir))
    }

    fn read(&self, level: u32, from: u64, count: u64) -> io::Result<Vec<Hash>> {
        let file = self.levels.get(level as usize).ok_or(io::ErrorKind::NotFound)?;
        let count = usize::try_from(count).map_err(io::Error::other)?;
        let mut bytes = vec![0; count * HASH_BYTES];
        file.read_exact_at(&mut bytes, from * HASH_BYTES as u64)?;
        let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
        Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
    }
}

impl Nodes for KeptHashes {
    type Error = HashesError;

    fn node(&self, level: u32, index: u64) -> Result<Hash, HashesError> {
        let (tiles, within) = (level / TILE_LEVELS, level % TILE_LEVELS);
        Ok(hash_over(self.hashes(tiles, index << within, 1 << within)?))
    }
}

/// Hashes that are not written yet: for each level where they begin in its file, and their bytes.
struct Waiting {
    levels: Vec<(u64, Vec<u8>)>,
}

impl Waiting {
    fn new(size: u64) -> Self {
        let begin = |level| (hashes_of_level(size, level) * HASH_BYTES as u64, Vec::new());
        Self { levels: (0..LEVELS).map(begin).collect() }
    }

    fn push(&mut self, level: usize, hash: Hash) {
        if let Some((_, bytes)) = self.levels.get_mut(level) {
            bytes.extend_from_slice(&hash.0);
        }
    }

    fn bytes(&self) -> usize {
        self.levels.iter().map(|(_, bytes)| bytes.len()).sum()
    }
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> HashesError + '_ {
    move |source| HashesError::Io { path: path.to_owned(), source }
}

fn decode(bytes: &[u8], ledger: LedgerId) -> Option<TreeHead> {
    let (covered, crc) = bytes.split_last_chunk::<4>()?;
    if crc32c::crc32c(covered) != u32::from_be_bytes(*crc) {
        return None;
    }
    let (begin, rest) = covered.split_first_chunk::<8>()?;
    let (found, rest) = rest.split_first_chunk::<16>()?;
    let (size, root) = rest.split_first_chunk::<8>()?;
    let ours = begin.starts_with(MAGIC) && begin.get(4..6)? == FORMAT.to_be_bytes();
    let root = Hash(root.try_into().ok()?);
    (ours && *found == ledger.0).then_some(TreeHead { size: u64::from_be_bytes(*size), root })
}
