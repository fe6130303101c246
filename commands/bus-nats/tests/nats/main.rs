//! The bus over a real NATS server: commands, questions, the queue.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod fed;
mod published;
mod queued;
mod requests;
mod shared;
mod stage;
mod typed;
