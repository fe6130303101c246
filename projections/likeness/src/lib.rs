//! Finds customers that look like one company: pairs with a score and the evidence.
//!
//! Floor 2 of the house, and pure: names, domains, countries and parents in, pairs out, in whole
//! numbers. Three steps, a file each: what of a name counts (`name`, by the tables in `words`),
//! which pairs are looked at at all (`blocks`), and how much two customers are alike (`score`). A
//! score decides nothing: somebody keeps the two apart or merges them.

mod blocks;
mod name;
mod pairs;
mod score;
mod words;

pub use blocks::MAX_BLOCK;
pub use pairs::{Known, LookAlike, find};
