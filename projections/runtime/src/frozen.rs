//! Read models that failed: each stands still, whole, with the event it failed at and the reason,
//! while the others go on.

use crate::View;
use chl_events::{Commit, CommitError, Instant};
use chl_log::ReadError;
use chl_projections::{FoldError, FoldFailed, Table};
use rusqlite::ErrorCode;
use serde::Serialize;
use std::fmt;

/// A read model that failed, and stands still until it is built anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Frozen {
    /// The read model.
    pub view: &'static str,
    /// The position its rows stand for: as many commits are folded into them.
    pub position: u64,
    /// Since when it lacks something: when the commit at that position was recorded.
    pub since: Option<Instant>,
    /// The position of the commit it failed at.
    pub failed_at: u64,
    /// The number of the event in it, from 0.
    pub event_no: u64,
    /// The event.
    pub event: String,
    /// Why it failed.
    pub reason: String,
}

impl fmt::Display for Frozen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { view, position, failed_at, event_no, event, reason, .. } = self;
        match position.checked_sub(1) {
            Some(last) => write!(f, "{view} is frozen as of position {last}: ")?,
            None => write!(f, "{view} is frozen and empty: ")?,
        }
        write!(f, "{event} at {failed_at}.{event_no} failed: {reason}")
    }
}

/// What failed at which event, and the read models that would be wrong without it.
#[derive(Debug)]
pub(crate) struct Failing {
    pub(crate) views: Vec<View>,
    pub(crate) failed_at: u64,
    pub(crate) event_no: u64,
    pub(crate) event: &'static str,
    pub(crate) reason: String,
}

impl Failing {
    pub(crate) fn of_fold(failed: &FoldFailed) -> Self {
        let views = failed.views.iter().filter_map(|table| View::named(table.name));
        Self {
            views: views.collect(),
            failed_at: failed.position,
            event_no: u64::try_from(failed.index).unwrap_or(u64::MAX),
            event: failed.event,
            reason: failed.source.to_string(),
        }
    }

    pub(crate) fn of_write(failed: &WriteFailed, commit: &Commit, index: usize) -> Self {
        let event = commit.events.get(index);
        Self {
            views: vec![failed.view],
            failed_at: commit.position,
            event_no: u64::try_from(index).unwrap_or(u64::MAX),
            event: event.map_or("", |recorded| recorded.event.kind().name),
            reason: failed.source.to_string(),
        }
    }

    /// What stands still with its rows as of a position.
    pub(crate) fn frozen(
        &self,
        position: u64,
        since: Option<Instant>,
    ) -> impl Iterator<Item = Frozen> + '_ {
        self.views.iter().map(move |view| Frozen {
            view: view.name(),
            position,
            since,
            failed_at: self.failed_at,
            event_no: self.event_no,
            event: self.event.to_owned(),
            reason: self.reason.clone(),
        })
    }
}

/// Says that the rows of a frozen read model were asked for.
#[derive(Debug, thiserror::Error)]
#[error("it needs the rows of {0}, which is frozen")]
pub(crate) struct NotFollowed(pub(crate) &'static str);

/// Says that changed rows could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the rows of {}: {source}", view.name())]
pub struct WriteFailed {
    /// The read model.
    pub view: View,
    /// What SQLite says.
    pub source: rusqlite::Error,
}

impl WriteFailed {
    pub(crate) fn of(table: &'static Table) -> impl FnOnce(rusqlite::Error) -> Self {
        let view = View::named(table.name).expect("every table is a read model's");
        move |source| Self { view, source }
    }

    /// Whether the read model itself is to blame, and not the place it is kept in.
    pub(crate) fn is_of_view(&self) -> bool {
        is_of_rows(&self.source)
    }
}

/// Whether the read model itself is to blame for a fold that failed, and not the disk or the log.
pub(crate) fn is_of_view(failed: &FoldFailed) -> bool {
    let FoldError::Store(error) = &failed.source else { return true };
    let cause = &error.0;
    if let Some(error) = cause.downcast_ref::<rusqlite::Error>() {
        return is_of_rows(error);
    }
    !cause.is::<ReadError>() && !cause.is::<CommitError>()
}

/// Whether SQLite refuses these rows, and not all rows: a full disk says nothing of a read model.
fn is_of_rows(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        None => true,
        Some(code) => matches!(
            code,
            ErrorCode::ConstraintViolation
                | ErrorCode::TypeMismatch
                | ErrorCode::TooBig
                | ErrorCode::SchemaChanged
                | ErrorCode::ParameterOutOfRange
                | ErrorCode::Unknown
        ),
    }
}
