//! What an auditor or a partner verifies alone, without the ledger, its operators or this code.
//!
//! The forms are those of the transparency logs of the web (C2SP), so that other tools read them:
//! the tree is that of RFC 6962 over the exact bytes of every commit; [`KeptHashes`] keeps its
//! hashes beside a log of whatever kind, and [`prove_inclusion`] and [`prove_consistency`] make
//! proofs of them. A [`Notary`] signs [`Checkpoint`]s and never two histories; [`export`] publishes
//! static files that [`verify_published`] reads; a [`Receipt`] is one entry with all that proves it.

mod checkpoint;
mod edge;
mod export;
mod flaw;
mod kept;
mod key;
mod notary;
mod note;
mod published;
mod receipt;
mod tile;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use export::{ExportError, Exported, export};
pub use flaw::{Flaw, Span};
pub use kept::{HashesError, KeptHashes};
pub use key::{KeyError, KeyId, PrivateKey, PublicKey};
pub use notary::{Notary, SignError};
pub use note::{Note, NoteError};
pub use published::{Published, PublishedError, verify_published};
pub use receipt::{Receipt, ReceiptError};
pub use tree::{
    Nodes, Proof, ProofError, ProveError, TreeHead, check_consistency, check_inclusion,
    prove_consistency, prove_inclusion, root_at,
};
pub use verify::{VerifyError, first_difference, verify_end, verify_log};
