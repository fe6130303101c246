//! Writes read models as files that other tools read: Parquet, with Arrow's types and exact
//! decimals, or CSV; and the postings as books of hledger and Beancount.
//!
//! Floor 4 of the house. All views of an export stand at one position; the large ones are cut by
//! the month of a date, in folders as Hive, DuckDB, Spark and pandas know them
//! (`postings/month=2026-03/part.parquet`). The manifest comes last: a folder without one is an
//! export that did not end.

mod books;
mod cards;
mod error;
mod fields;
mod files;
mod manifest;
mod parquet_file;
mod run;

pub use books::{Period, Tool, Written, write_books};
pub use error::ExportError;
pub use files::Format;
pub use manifest::{Manifest, Part, Still};
pub use run::{Listed, Wanted, export};
