//! Of who was forgotten nothing readable is left: in no file of a ledger, nor of a node and its
//! servers, nor in what is copied or exported from then on.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../cli/mod.rs"]
mod cli;
mod embedded;
mod keys;
#[expect(dead_code, reason = "other tests use the rest")]
#[path = "../nodes/node.rs"]
mod node;
mod search;
mod servers;
mod story;
