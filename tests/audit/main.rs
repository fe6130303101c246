//! What an auditor does alone: keys, checkpoints, published logs, receipts, and forged histories.
//!
//! `CHL_TAMPERED` says how many forgeries, `CHL_RECEIPTS` how many receipts, `CHL_SEED` which ones.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod calls;
#[path = "../cli/mod.rs"]
mod cli;
mod kept;
mod receipts;
mod servers;
mod stand;
mod tampered;
mod verifier;
