//! The right edge of the log's Merkle tree (RFC 6962, section 2.1).

use chl_events::Hash;
use sha2::{Digest, Sha256};

/// The most nodes an edge can have: one for each bit of its size.
const MAX_NODES: usize = 64;
const HASH: usize = 32;

/// Hashes a commit's exact bytes to its leaf: SHA-256 of 0x00 and the bytes.
pub fn leaf_hash(commit: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0x00]).chain_update(commit).finalize().into())
}

/// Hashes two subtrees to the node above them: SHA-256 of 0x01, left and right.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x01; 1 + 2 * HASH];
    let (_, rest) = bytes.split_at_mut(1);
    let (first, second) = rest.split_at_mut(HASH);
    first.copy_from_slice(&left.0);
    second.copy_from_slice(&right.0);
    Hash(Sha256::digest(bytes).into())
}

/// The perfect subtrees a tree of some size is made of, the largest first.
///
/// It is all that is needed to go on appending: 32 bytes for each bit set in the size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

/// Says why bytes are no frontier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a tree's edge of {bytes} bytes does not fit its size of {size} leaves")]
pub struct FrontierError {
    /// The size the bytes begin with; 0 when they are too few for one.
    pub size: u64,
    /// How many bytes there are.
    pub bytes: usize,
}

impl Frontier {
    /// Makes the edge of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a commit's exact bytes as the next leaf.
    pub fn push(&mut self, commit: &[u8]) {
        self.push_hash(leaf_hash(commit));
    }

    /// Appends a leaf that is hashed already.
    pub fn push_hash(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            let left = self.nodes.pop().expect("a node stands for each bit set in the size");
            node = node_hash(&left, &node);
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// The root over all leaves; that of the empty tree is the hash of nothing.
    pub fn root(&self) -> Hash {
        self.root_with(None).unwrap_or_else(|| Hash(Sha256::digest([]).into()))
    }

    /// The root over all leaves with a smaller tree at their right; none when both are empty.
    ///
    /// An edge that is kept in pieces, one for each level of tiles, gives its root so.
    pub fn root_with(&self, right: Option<Hash>) -> Option<Hash> {
        let joined = |right: Option<Hash>, left: &Hash| {
            Some(right.map_or(*left, |right| node_hash(left, &right)))
        };
        self.nodes.iter().rev().fold(right, joined)
    }

    /// Writes it as its size (u64, big endian) and its nodes, the largest subtree first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 + self.nodes.len() * HASH);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for node in &self.nodes {
            bytes.extend_from_slice(&node.0);
        }
        bytes
    }

    /// Reads back what [`Frontier::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FrontierError> {
        let wrong = |size| FrontierError { size, bytes: bytes.len() };
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(wrong(0))?;
        let size = u64::from_be_bytes(*size);
        let (nodes, left_over) = rest.as_chunks::<HASH>();
        let expected = size.count_ones() as usize;
        if nodes.len() != expected || nodes.len() > MAX_NODES || !left_over.is_empty() {
            return Err(wrong(size));
        }
        Ok(Self { size, nodes: nodes.iter().map(|node| Hash(*node)).collect() })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::conformance::naive_root;

    #[test]
    fn every_size_has_the_root_of_the_definition() {
        let leaves: Vec<Vec<u8>> = (0..300_u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let mut frontier = Frontier::new();
        for (size, leaf) in leaves.iter().enumerate() {
            let (before, _) = leaves.split_at(size);
            assert_eq!(frontier.root(), naive_root(before), "at {size}");
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()).unwrap(), frontier);
            frontier.push(leaf);
        }
        assert_eq!(frontier.size(), 300);
    }

    /// The roots that RFC 6962's reference implementation publishes for its test leaves.
    #[test]
    fn the_published_roots_come_out() {
        let leaves: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let mut frontier = Frontier::new();
        assert_eq!(
            frontier.root().to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        let mut roots = Vec::new();
        for leaf in leaves {
            frontier.push(leaf);
            roots.push(frontier.root().to_string());
        }
        let published = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        assert_eq!(roots, published);
    }

    #[test]
    fn bytes_that_do_not_fit_the_size_are_refused() {
        let mut frontier = Frontier::new();
        frontier.push(b"one");
        let bytes = frontier.to_bytes();
        for cut in 0..bytes.len() {
            let (short, _) = bytes.split_at(cut);
            assert!(Frontier::from_bytes(short).is_err(), "cut at {cut}");
        }
        let long: Vec<u8> = bytes.iter().copied().chain([0]).collect();
        assert!(Frontier::from_bytes(&long).is_err());
    }
}
