//! Import: exports of other systems become commands, by a map in a file.
//!
//! A map (TOML) names the exports, what is looked up in which, and for each export its feeds: which
//! rows, and which commands a row makes, with the fields as templates such as
//! `{account | fix accounts | slug}`. Reading goes twice over the rows: once to find which rows
//! count and when they happened, and once, in the order of the ledger, to write the commands.
//! A row of which no command comes is counted and written beside with the reason; nothing is
//! dropped in silence. The same exports and map make the same lines, with the same ids, so that a
//! second import finds everything done already.

mod data;
mod filter;
mod map;
mod open;
mod plan;
mod rejects;
mod sequence;
mod source;
mod spec;
mod table;
mod template;

#[cfg(test)]
mod tests;

pub(crate) use open::open;
pub(crate) use plan::{Plan, Reject, Report};
pub(crate) use rejects::Rejects;
pub(crate) use sequence::Origin;
