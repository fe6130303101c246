//! Keeps the read models: folds blocks, writes rows and checkpoints into one SQLite file.
//!
//! Floor 4 of the house. [`Views`] is the writer's side: it folds blocks in memory and lets SQLite
//! follow in transactions of whole blocks, builds read models anew beside the old, and compares
//! both by digest. [`Reader`] is everybody else's side, in any process: typed filters, scorecards
//! for any period, and read-only SQL. [`as_of`] folds a log up to a moment into a temporary
//! database of the same schema.

mod ahead;
mod as_of;
mod build;
mod cache;
mod checkpoint;
mod digest;
mod effective;
mod error;
mod file;
mod folding;
mod frozen;
mod layout;
mod lines;
mod meta;
mod now;
mod own_file;
mod pace;
mod place;
mod query;
mod reader;
mod rebuild;
mod review;
mod scorecard;
mod show;
mod snapshots;
mod sql;
mod tables;
mod trial;
mod unchanged;
mod view;
mod views;

pub use as_of::{AsOf, Past, as_of, some_as_of};
pub use build::BuildError;
pub use checkpoint::{Checkpoint, StaleError};
pub use digest::ViewDigest;
pub use error::{ReaderError, StatementError};
pub use frozen::{Frozen, WriteFailed};
pub use meta::{SCHEMA_VERSION, Stand};
pub use own_file::OwnFile;
pub use pace::{GivenUp, Pace};
pub use place::PlaceError;
pub use query::{Filter, Query};
pub use reader::{Answer, Reader};
pub use rebuild::{Compared, Held, Rebuild, Rebuilt};
pub use review::{Review, Reviewed};
pub use scorecard::ScorecardQuery;
pub use trial::{Sum, TrialBalance};
pub use view::View;
pub use views::{ApplyError, OpenError, Until, Views};
