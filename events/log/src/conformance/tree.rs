//! The tree as RFC 6962 defines it, word for word and slow.

use crate::{leaf_hash, node_hash};
use chl_events::Hash;
use sha2::{Digest, Sha256};

/// Computes the root over commits by the definition: split at the largest power of two below.
pub fn naive_root<C: AsRef<[u8]>>(commits: &[C]) -> Hash {
    match commits {
        [] => Hash(Sha256::digest([]).into()),
        [one] => leaf_hash(one.as_ref()),
        more => {
            let half = more.len().next_power_of_two() / 2;
            let (left, right) = more.split_at(half);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}
