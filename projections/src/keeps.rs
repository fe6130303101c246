//! What a fold asks of the place its rows are kept in, and why it may fail.

use crate::{Row, Table};
use std::error::Error;

/// Says that the rows, or an earlier commit, cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("the rows of a read model: {0}")]
pub struct StoreError(#[source] pub Box<dyn Error + Send + Sync>);

/// Says why a commit cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The rows cannot be read or kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An event speaks of something no earlier event brought up.
    #[error("position {position}: {event} speaks of the unknown {what} {id}")]
    Unknown {
        /// The commit.
        position: u64,
        /// The event.
        event: &'static str,
        /// What it speaks of.
        what: &'static str,
        /// Its identifier.
        id: String,
    },
    /// Two amounts of one row have different currencies.
    #[error("position {position}: {event} mixes {one} and {other} in one amount")]
    Currency {
        /// The commit.
        position: u64,
        /// The event.
        event: &'static str,
        /// The currency so far.
        one: chl_events::Currency,
        /// The other.
        other: chl_events::Currency,
    },
    /// A sum leaves the range of amounts.
    #[error("position {position}: a sum leaves the range of amounts")]
    Range {
        /// The commit.
        position: u64,
    },
    /// A frozen struct cannot be written.
    #[error("position {position}: {source}")]
    Bytes {
        /// The commit.
        position: u64,
        /// What the codec says.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Says which event could not be folded, and which read models would be wrong without it.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct FoldFailed {
    /// The commit.
    pub position: u64,
    /// The number of the event in it, from 0.
    pub index: usize,
    /// The event.
    pub event: &'static str,
    /// What the fold that failed may change.
    pub views: &'static [&'static Table],
    /// Why it failed.
    pub source: FoldError,
}

/// Keeps the rows of one read model.
pub trait Keeps<R: Row> {
    /// Finds a row to read.
    fn peek(&mut self, key: &R::Key) -> Result<Option<&R>, StoreError>;

    /// Finds a row to change.
    fn edit(&mut self, key: &R::Key) -> Result<Option<&mut R>, StoreError>;

    /// Finds a row to change, or begins one.
    fn edit_or(&mut self, key: &R::Key, new: fn(&R::Key) -> R) -> Result<&mut R, StoreError>;

    /// Keeps a row, in the place of one with the same key.
    fn put(&mut self, row: R) -> Result<(), StoreError>;
}
