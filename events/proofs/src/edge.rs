//! The right edge of a tree whose hashes are kept in tiles of 256.

use chl_events::Hash;
use chl_log::Frontier;

/// How many hashes a full tile has: it is a subtree eight levels high.
pub(crate) const TILE_WIDTH: u64 = 256;
/// How many levels of the tree a tile stands for.
pub(crate) const TILE_LEVELS: u32 = TILE_WIDTH.trailing_zeros();

/// The tiles that are not full yet, one for each level, from the leaves up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Edge {
    size: u64,
    tiles: Vec<Frontier>,
}

impl Edge {
    /// The edge of a tree of a size, from the hashes of its tiles that are not full.
    pub(crate) fn new<T: IntoIterator<Item = Hash>>(
        size: u64,
        tiles: impl IntoIterator<Item = T>,
    ) -> Self {
        Self { size, tiles: tiles.into_iter().map(edge_over).collect() }
    }

    /// How many leaves there are.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and tells every hash that a tile gets by it, with the tile's level.
    pub(crate) fn push(&mut self, leaf: Hash, mut told: impl FnMut(usize, Hash)) {
        self.size += 1;
        let mut node = leaf;
        for (level, tile) in self.tiles.iter_mut().enumerate() {
            told(level, node);
            tile.push_hash(node);
            if tile.size() < TILE_WIDTH {
                return;
            }
            node = std::mem::take(tile).root();
        }
        told(self.tiles.len(), node);
        self.tiles.push(edge_over([node]));
    }

    /// The root over all leaves.
    pub(crate) fn root(&self) -> Hash {
        let joined = self.tiles.iter().fold(None, |right, tile| tile.root_with(right));
        joined.unwrap_or_else(|| Frontier::new().root())
    }
}

/// The hash over hashes that are the leaves of a tree of their own: part of a tile, or all of it.
pub(crate) fn hash_over(hashes: impl IntoIterator<Item = Hash>) -> Hash {
    edge_over(hashes).root()
}

fn edge_over(hashes: impl IntoIterator<Item = Hash>) -> Frontier {
    let mut tile = Frontier::new();
    hashes.into_iter().for_each(|hash| tile.push_hash(hash));
    tile
}

/// How many hashes the tiles of a level hold in a tree of a size.
pub(crate) fn hashes_of_level(size: u64, level: u32) -> u64 {
    size.checked_shr(level * TILE_LEVELS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chl_log::leaf_hash;

    #[test]
    fn the_root_of_all_tiles_is_the_root_of_the_tree() {
        let (mut edge, mut frontier) = (Edge::default(), Frontier::new());
        let mut told: Vec<Vec<Hash>> = Vec::new();
        for number in 0..70_000_u32 {
            let leaf = leaf_hash(&number.to_be_bytes());
            frontier.push_hash(leaf);
            edge.push(leaf, |level, hash| {
                told.resize_with(told.len().max(level + 1), Vec::new);
                told.get_mut(level).into_iter().for_each(|hashes| hashes.push(hash));
            });
            if number % 611 == 0 || u64::from(number).is_multiple_of(TILE_WIDTH) {
                assert_eq!(edge.root(), frontier.root(), "at {}", number + 1);
            }
        }
        let counts: Vec<u64> = (0..4).map(|level| hashes_of_level(70_000, level)).collect();
        assert_eq!(counts, [70_000, 273, 1, 0]);
        let rests = told.iter().map(|hashes| {
            let full = hashes.len() - hashes.len() % 256;
            hashes.iter().skip(full).copied()
        });
        assert_eq!(Edge::new(70_000, rests), edge, "its tiles are all it takes to go on");
        assert_eq!(Edge::default().root(), Frontier::new().root());
    }
}
