//! Why a question to the read models is not answered.

use crate::StaleError;
use rusqlite::ErrorCode;
use std::time::Duration;

/// Says why read models cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// There are none yet, or they are another release's.
    #[error(transparent)]
    Stale(#[from] StaleError),
    /// The file keeps only some read models, and not this one.
    #[error("{view} is not in this file; it keeps {kept}")]
    NotKept {
        /// What was asked for.
        view: &'static str,
        /// What it keeps.
        kept: String,
    },
    /// SQLite failed.
    #[error("the database of the read models: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A view has no such column, or none that can be compared.
    #[error("{view} cannot be filtered by {column:?}; it can by: {known}")]
    Column {
        /// The view.
        view: &'static str,
        /// What was asked for.
        column: String,
        /// What can be asked for.
        known: String,
    },
    /// A filter's value is none of the column's kind.
    #[error("{value:?} is no value of {column}; {allowed}")]
    Value {
        /// The column.
        column: &'static str,
        /// The value.
        value: String,
        /// What it can be.
        allowed: String,
    },
    /// What rows are to come behind is no key of theirs.
    #[error("no place among the rows of {0} to go on behind")]
    Key(&'static str),
    /// A row does not read back.
    #[error("a row of {0} does not read back; the read models must be rebuilt")]
    Damaged(&'static str),
    /// A foreign statement is not one that runs.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

/// Says why a foreign statement did not run, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It would write, attach a file or change a setting.
    #[error("only reading is allowed, and this statement would write or change a setting")]
    Writes,
    /// There is more than one.
    #[error("one statement at a time; what follows the first `;` is another")]
    Several,
    /// It answers with nothing.
    #[error("the statement answers with no rows; write one that begins with SELECT")]
    NoRows,
    /// It took too long.
    #[error("the statement was stopped after {} s", .0.as_secs())]
    TimeLimit(Duration),
    /// It answers with more than is held in memory.
    #[error("the answer is too large after {rows} rows; add a condition or a LIMIT")]
    TooLarge {
        /// How many rows had come.
        rows: usize,
    },
    /// SQLite does not take it: its syntax, a table or column that is not there, a value.
    #[error("the statement does not run: {0}")]
    Sql(String),
}

impl StatementError {
    pub(crate) fn of(error: &rusqlite::Error, limit: Duration) -> Self {
        if matches!(error, rusqlite::Error::MultipleStatement) {
            return Self::Several;
        }
        let said = if let rusqlite::Error::SqlInputError { msg, .. } = error {
            msg.clone()
        } else {
            error.to_string()
        };
        let code = error.sqlite_error_code();
        // Deals and conflicts are views to a statement, and a view is refused before the rest.
        let view = said.starts_with("cannot modify ");
        if code == Some(ErrorCode::OperationInterrupted) {
            Self::TimeLimit(limit)
        } else if code == Some(ErrorCode::AuthorizationForStatementDenied) || view {
            Self::Writes
        } else {
            Self::Sql(said)
        }
    }
}
