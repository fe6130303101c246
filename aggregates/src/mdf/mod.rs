//! STUB of mdf, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::mdf::Mdf as Command;
use chl_events::{Commit, mdf::MdfEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct MdfFund {}

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Request {}

rejections! {
    /// Rejections of mdf.
    MdfRejection {
        /// Stub.
        Stub { field: String } = "mdf.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &MdfEvent, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}

/// The stream of `ReturnMdfAllocation`: the fund in the programme of the budget's row
/// (rejection budget.unknown when there is none).
pub(crate) fn stream_of(command: &Command, facts: Facts<'_>) -> Result<chl_events::Stream, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}
