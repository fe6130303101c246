//! A ledger that this process has opened: to read it, or to own it.

mod history;
mod keys;
mod open;
mod owning;
mod reading;
mod scratch;
mod views;

pub(crate) use history::{commits_from, decoded};
pub(crate) use open::{Attempt, open_log, require_log, seen, unopened};
pub(crate) use owning::{Birth, Owning, open_vault, own};
pub(crate) use reading::{Closing, Reading};
pub(crate) use scratch::Scratch;
pub(crate) use views::unbuilt;
