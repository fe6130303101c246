//! The bus on logs in memory, healthy and failing.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod chains;
mod crash;
mod forgetting;
mod groups;
mod ledger;
mod path;
mod sight;
mod standby;
mod states;
mod waiting;
