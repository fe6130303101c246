//! Intents: what a sender can ask the ledger to do, and who may ask it.
//!
//! Floor 1 of the house. An area's file lists its commands: each with its number and version for
//! ever, its fields, the stream it changes, whose it is, and the roles that may send it. The
//! [`Command`] catalog is made of those lists; subjects, JSON Schemas, the reference and the
//! generators of the property tests come from it.

mod catalog;
mod envelope;

pub mod budget;
pub mod claim;
pub mod conflict;
pub mod coop;
pub mod customer;
pub mod deal;
pub mod ledger;
pub mod mdf;
pub mod partner;
pub mod programme;
pub mod rebate;

pub use catalog::{Command, CommandError, CommandKind};
pub use envelope::{Envelope, MAX_COMMAND_BYTES, MAX_SOURCE_CHARS};
