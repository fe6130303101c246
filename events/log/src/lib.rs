//! The event log's port, its tree, and the logs that live in memory.
//!
//! One ledger is one totally ordered, append-only log of [blocks](chl_events::Block) with one
//! writer at a time. [`EventLog`] is the writer's side: its `append` returns when the blocks are
//! durable, so a writer that wants to decide the next group meanwhile gives the log to a thread
//! of its own (a committer) and waits for that thread's answers. [`ReadLog`] is everybody else's
//! side: a handle that any number of threads read through while the writer appends; it never
//! shows what is not durable.
//!
//! [`Chain`] says what continues a history and packs commits into blocks; [`Frontier`] is the
//! Merkle tree of RFC 6962 over all commits, kept as its right edge. [`conformance`] is the one
//! suite that every log passes; [`FaultyLog`] makes a log fail as disks and networks do.

mod chain;
mod faulty;
mod frontier;
mod memory;
mod port;
mod signal;
mod subscription;
mod walk;

pub mod conformance;

pub use chain::{Chain, Discontinuity, Packed, Verified};
pub use faulty::{Fault, FaultyLog};
pub use frontier::{Frontier, FrontierError, leaf_hash, node_hash};
pub use memory::MemoryLog;
pub use port::{AppendError, Blocks, Cause, EventLog, Head, ReadError, ReadLog, SettleError};
pub use signal::HeadSignal;
pub use subscription::Subscription;
pub use walk::{Fetch, Walk, Wanted};
