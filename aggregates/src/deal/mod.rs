//! STUB of deal, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::deal::Deal as Command;
use chl_events::{Commit, deal::DealEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Deal {}

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Slot {}

rejections! {
    /// Rejections of deal.
    DealRejection {
        /// Stub.
        Stub { field: String } = "deal.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &DealEvent, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
