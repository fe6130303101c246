//! Keeps the read models: folds blocks, writes rows and checkpoints into one SQLite file.
//!
//! Floor 4 of the house. [`Views`] is the writer's side: it folds blocks in memory and lets SQLite
//! follow in transactions of whole blocks, builds read models anew beside the old, and compares
//! both by digest. [`Reader`] is everybody else's side, in any process: typed filters, scorecards
//! for any period, and read-only SQL. [`as_of`] folds a log up to a moment into a temporary
//! database of the same schema.

mod ahead;
mod build;
mod cache;
mod checkpoint;
mod digest;
mod effective;
mod error;
mod layout;
mod lines;
mod place;
mod query;
mod reader;
mod review;
mod scorecard;
mod show;
mod sql;
mod tables;
mod trial;
mod view;
mod views;

pub use build::{AsOf, BuildError, Compared, Rebuilt, as_of};
pub use checkpoint::{Checkpoint, SCHEMA_VERSION, StaleError};
pub use digest::ViewDigest;
pub use error::{ReaderError, StatementError};
pub use place::PlaceError;
pub use query::{Filter, Query};
pub use reader::{Answer, Reader};
pub use review::{Review, Reviewed};
pub use scorecard::ScorecardQuery;
pub use trial::{Sum, TrialBalance};
pub use view::View;
pub use views::{ApplyError, OpenError, Until, Views};
