//! STUB of coop, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::coop::Coop as Command;
use chl_events::{Commit, coop::CoopEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct CoopFund {}

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Lot {}

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Sale {}

rejections! {
    /// Rejections of coop.
    CoopRejection {
        /// Stub.
        Stub { field: String } = "coop.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &CoopEvent, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
