//! Why an export did not end.

use chl_runtime::ReaderError;
use std::{io, path::PathBuf};

/// Says why read models could not be exported; what was written so far has no manifest.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder holds something already.
    #[error("{} is not empty; an export goes into a folder of its own", .0.display())]
    Occupied(PathBuf),
    /// The read models could not be read.
    #[error(transparent)]
    Read(#[from] ReaderError),
    /// A file could not be written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A row could not be written as Parquet.
    #[error("{}: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library says.
        source: parquet::errors::ParquetError,
    },
    /// An amount has more digits than 38.
    #[error("{column} of {view} has an amount that no decimal of 38 digits holds")]
    TooLarge {
        /// The read model.
        view: &'static str,
        /// The column.
        column: &'static str,
    },
}

impl ExportError {
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn parquet(
        path: &std::path::Path,
    ) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.to_owned();
        move |source| Self::Parquet { path, source }
    }
}
