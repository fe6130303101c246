//! A ledger that this process has opened: to read it, or to own it.

mod history;
mod open;
mod reading;
mod views;

pub(crate) use history::{commits_from, decoded};
pub(crate) use open::{open_log, seen, unopened};
pub(crate) use reading::{Closing, Reading};
pub(crate) use views::{KeptViews, unapplied, unbuilt};
