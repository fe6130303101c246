//! A ledger that this process has opened: to read it, or to own it.

mod copy;
mod history;
mod keys;
mod leased;
mod node;
mod open;
mod own;
mod owning;
mod proofs;
mod reading;
mod replaying;
mod scratch;
mod share;
mod views;
mod waits;

pub(crate) use copy::{open_copy, sealed_history};
pub(crate) use history::{commits_from, decoded, forget_again};
pub(crate) use node::{Node, open_bucket, open_stream, open_stream_alone};
pub(crate) use open::{Attempt, open_log, require_log, seen, unopened};
pub(crate) use own::own;
pub(crate) use owning::{Birth, Owning, open_vault};
pub(crate) use proofs::{compare_signed, give_up_keys, unpublished, unsigned};
pub(crate) use reading::{Closing, Reading};
pub(crate) use replaying::Replaying;
pub(crate) use scratch::Scratch;
pub(crate) use share::Share;
pub(crate) use views::{KeptViews, unapplied, unbuilt};
pub(crate) use waits::{Waits, behind, named_behind};
