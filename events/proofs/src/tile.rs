//! Where the tiles of a published log lie (C2SP tlog-tiles).

use crate::edge::{TILE_LEVELS, TILE_WIDTH, hashes_of_level};
use std::path::{Path, PathBuf};

/// The file of the newest signed checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
/// The folder of all tiles.
pub(crate) const TILES: &str = "tile";

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The entries themselves.
    Entries,
    /// Hashes of a level: of entries at 0, else each of a full tile of the level below.
    Hashes(u32),
}

/// A tile of a tree of some size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) kind: Kind,
    pub(crate) index: u64,
    /// How many entries or hashes it has; 256 when it is full.
    pub(crate) width: u64,
}

impl Tile {
    /// The tiles of a kind in a tree of a size, in order; the last one may not be full.
    pub(crate) fn all(kind: Kind, size: u64) -> impl Iterator<Item = Self> {
        let count = hashes_of_level(size, kind.level());
        let tile = move |index: u64| {
            let width = TILE_WIDTH.min(count - index * TILE_WIDTH);
            Self { kind, index, width }
        };
        (0..count.div_ceil(TILE_WIDTH)).map(tile)
    }

    /// The levels that have tiles in a tree of a size.
    pub(crate) fn levels(size: u64) -> impl Iterator<Item = u32> {
        (0..u64::BITS / TILE_LEVELS).take_while(move |level| hashes_of_level(size, *level) > 0)
    }

    /// Whether it never changes again.
    pub(crate) fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The index of its first hash or entry in its level.
    pub(crate) fn first(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    /// The positions of the log's entries that it stands for.
    pub(crate) fn covers(&self) -> (u64, u64) {
        let shift = self.kind.level() * TILE_LEVELS;
        let position = |index: u64| index.checked_shl(shift).unwrap_or(u64::MAX);
        (position(self.first()), position(self.first() + self.width))
    }

    /// Its file below a folder.
    pub(crate) fn path(&self, dir: &Path) -> PathBuf {
        let full = self.full_path(dir);
        if self.is_full() { full } else { partial(full).join(self.width.to_string()) }
    }

    /// The folder of what it was before it was full.
    pub(crate) fn partials(&self, dir: &Path) -> PathBuf {
        partial(self.full_path(dir))
    }

    /// Its file once it is full.
    fn full_path(&self, dir: &Path) -> PathBuf {
        let kind = match self.kind {
            Kind::Entries => "entries".to_owned(),
            Kind::Hashes(level) => level.to_string(),
        };
        let mut path = dir.join(TILES).join(kind);
        let digits = self.index.to_string();
        let digits = format!("{digits:0>0$}", digits.len().next_multiple_of(3));
        let mut groups = digits.as_bytes().chunks(3).peekable();
        while let Some(group) = groups.next() {
            let group = String::from_utf8_lossy(group);
            let last = groups.peek().is_none();
            path.push(if last { group.into_owned() } else { format!("x{group}") });
        }
        path
    }
}

impl Kind {
    fn level(self) -> u32 {
        match self {
            Self::Entries => 0,
            Self::Hashes(level) => level,
        }
    }
}

fn partial(full: PathBuf) -> PathBuf {
    let mut path = full.into_os_string();
    path.push(".p");
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let path = |kind, index, width| {
            Tile { kind, index, width }.path(Path::new("")).display().to_string()
        };
        assert_eq!(path(Kind::Hashes(0), 0, 256), "tile/0/000");
        assert_eq!(path(Kind::Hashes(1), 999, 256), "tile/1/999");
        assert_eq!(path(Kind::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Kind::Entries, 1_000, 112), "tile/entries/x001/000.p/112");
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_of_the_specification() {
        let widths = |level| -> Vec<u64> {
            Tile::all(Kind::Hashes(level), 70_000).map(|tile| tile.width).collect()
        };
        assert_eq!(Tile::levels(70_000).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!((widths(0).len(), widths(0).last()), (274, Some(&112)));
        assert_eq!((widths(1), widths(2)), (vec![256, 17], vec![1]));
        assert_eq!(Tile::levels(256).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(Tile::all(Kind::Entries, 256).count(), 1);
        assert_eq!(Tile::all(Kind::Entries, 0).count(), 0);
        let last = Tile::all(Kind::Hashes(1), 70_000).last();
        assert_eq!(last.map(|tile| tile.covers()), Some((65_536, 69_888)));
    }
}
