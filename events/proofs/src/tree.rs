//! Inclusion and consistency proofs of RFC 6962, section 2.1, from the hashes of perfect subtrees.
//!
//! Which nodes a proof consists of, and whether it holds, is decided by `ct-merkle`; what is kept
//! here is how such a node is put together from subtrees that never change.

use chl_events::Hash;
use chl_log::{Frontier, node_hash};
use ct_merkle::{
    ConsistencyProof, ConsistencyVerifError, InclusionProof, InclusionVerifError, RootHash,
    indices_for_consistency_proof, indices_for_inclusion_proof,
};
use sha2::Sha256;
use std::error::Error;

/// More leaves than any tree has; the arithmetic of proofs is safe below.
const MAX_SIZE: u64 = 1 << 62;

/// The hashes of a proof, in the order of RFC 6962: from the leaf's side up.
pub type Proof = Vec<Hash>;

/// A tree as a signature or an owner vouches for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Gives the hashes of a tree's perfect subtrees, which stay the same however the tree grows.
pub trait Nodes {
    /// What hinders it.
    type Error: Error;

    /// The hash over the leaves from `index << level` up to, but without, `(index + 1) << level`.
    fn node(&self, level: u32, index: u64) -> Result<Hash, Self::Error>;
}

/// Says why there is no such proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E: Error> {
    /// The tree has no such leaf, or no such size.
    #[error("position {position} is in no tree of {size} leaves")]
    Outside {
        /// The leaf, or the smaller size.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The hashes are out of reach.
    #[error(transparent)]
    Nodes(E),
}

/// Says why a proof does not hold.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The entry is not at this position of that tree.
    #[error("the entry is not at position {position} of the tree: {source}")]
    NotIncluded {
        /// Where it was said to be.
        position: u64,
        /// What does not fit.
        source: InclusionVerifError,
    },
    /// The larger tree does not continue the smaller one.
    #[error("the tree of {newer} does not continue that of {older}: {source}")]
    NotConsistent {
        /// The smaller size.
        older: u64,
        /// The larger size.
        newer: u64,
        /// What does not fit.
        source: ConsistencyVerifError,
    },
    /// No tree is that large.
    #[error("no tree has {0} leaves")]
    TooLarge(u64),
}

/// The root over the first `size` leaves.
pub fn root_at<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, N::Error> {
    if size == 0 { Ok(Frontier::new().root()) } else { span(nodes, 0, size) }
}

/// Proves that a leaf stands at a position of the tree of a size.
pub fn prove_inclusion<N: Nodes>(
    nodes: &N,
    size: u64,
    position: u64,
) -> Result<Proof, ProveError<N::Error>> {
    if position >= size || size > MAX_SIZE {
        return Err(ProveError::Outside { position, size });
    }
    gather(nodes, size, &indices_for_inclusion_proof(size, position))
}

/// Proves that the tree of `size` leaves continues the one of `older`, which has at least one.
pub fn prove_consistency<N: Nodes>(
    nodes: &N,
    older: u64,
    size: u64,
) -> Result<Proof, ProveError<N::Error>> {
    if older == 0 || older > size || size > MAX_SIZE {
        return Err(ProveError::Outside { position: older, size });
    }
    gather(nodes, size, &indices_for_consistency_proof(older, size - older))
}

/// Checks that an entry's bytes stand at a position of a tree.
pub fn check_inclusion(
    entry: &[u8],
    position: u64,
    tree: &TreeHead,
    proof: &[Hash],
) -> Result<(), ProofError> {
    let root = root_hash(tree)?;
    let held = InclusionProof::<Sha256>::try_from_bytes(joined(proof))
        .and_then(|proof| root.verify_inclusion(&entry, position, &proof));
    held.map_err(|source| ProofError::NotIncluded { position, source })
}

/// Checks that a tree continues an older one; an empty one is continued by no proof.
pub fn check_consistency(
    older: &TreeHead,
    newer: &TreeHead,
    proof: &[Hash],
) -> Result<(), ProofError> {
    let (old_root, root) = (root_hash(older)?, root_hash(newer)?);
    let held = ConsistencyProof::<Sha256>::try_from_bytes(joined(proof))
        .and_then(|proof| root.verify_consistency(&old_root, &proof));
    held.map_err(|source| ProofError::NotConsistent {
        older: older.size,
        newer: newer.size,
        source,
    })
}

fn root_hash(tree: &TreeHead) -> Result<RootHash<Sha256>, ProofError> {
    if tree.size > MAX_SIZE {
        return Err(ProofError::TooLarge(tree.size));
    }
    Ok(RootHash::new(tree.root.0.into(), tree.size))
}

fn joined(proof: &[Hash]) -> Vec<u8> {
    proof.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of nodes that are named as in an array-based tree (RFC 9420, appendix C): leaves at
/// even places, a node in the middle of what it covers.
fn gather<N: Nodes>(nodes: &N, size: u64, places: &[u64]) -> Result<Proof, ProveError<N::Error>> {
    let hash = |place: &u64| {
        let level = place.trailing_ones();
        let from = (place >> (level + 1)) << level;
        span(nodes, from, size.min(from + (1 << level)))
    };
    places.iter().map(hash).collect::<Result<_, _>>().map_err(ProveError::Nodes)
}

/// The hash over leaves from a place that is a multiple of a power of two not below their number.
fn span<N: Nodes>(nodes: &N, from: u64, to: u64) -> Result<Hash, N::Error> {
    let count = to - from;
    if count.is_power_of_two() {
        return nodes.node(count.trailing_zeros(), from / count);
    }
    let half = count.next_power_of_two() / 2;
    let (left, right) = (nodes.node(half.trailing_zeros(), from / half)?, from + half);
    Ok(node_hash(&left, &span(nodes, right, to)?))
}
