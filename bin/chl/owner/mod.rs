//! The owner's local socket: how other processes reach a ledger that is already owned.
//!
//! The process that owns a ledger listens on `DIR/LEDGER/socket`, which only its own user may open.
//! A client sends one hello frame, which names the release and the request; behind a submission
//! follow the lines, a frame for each with its number before it, and an empty frame at the end. The owner answers with reply
//! frames: tables, rows, notes, answers, and last how it ended. A connection that breaks before
//! that is reported as such, and what was sent may be sent again: keys make it harmless.

mod client;
mod door;
mod frame;
mod log;
mod protocol;
mod reach;

pub(crate) use client::{Connection, connect, connect_to_read};
pub(crate) use door::{Door, Incoming, Serves};
pub(crate) use log::OwnersLog;
pub(crate) use protocol::{Rebuilding, Request, Submission};
pub(crate) use reach::{Reached, reach};
