//! Several nodes of one ledger on NATS: whoever dies, nothing acknowledged is lost and nothing is
//! done twice.
//!
//! `CHL_CHAOS` says how many rounds of disasters, `CHL_SEED` which ones.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod chaos;
#[path = "../cli/mod.rs"]
mod cli;
mod clients;
mod crm;
mod drills;
mod followed;
mod node;
mod permissions;
mod redelivered;
mod several;
mod watched;
mod whatif;
