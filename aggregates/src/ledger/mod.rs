//! STUB of ledger, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::ledger::Ledger as Command;
use chl_events::{Commit, RecordedEvent, ledger::LedgerEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Reversal {}

rejections! {
    /// Rejections of ledger.
    LedgerRejection {
        /// Stub.
        Stub { field: String } = "ledger.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &LedgerEvent, recorded: &RecordedEvent, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}

pub(crate) fn stream_of(command: &Command, facts: Facts<'_>) -> Result<chl_events::Stream, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}
