//! STUB of conflict, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::conflict::Conflict as Command;
use chl_events::{Commit, conflict::ConflictEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Conflict {}

rejections! {
    /// Rejections of conflict.
    ConflictRejection {
        /// Stub.
        Stub { field: String } = "conflict.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &ConflictEvent, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
