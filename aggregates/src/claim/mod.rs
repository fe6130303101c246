//! STUB of claim, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::claim::Claim as Command;
use chl_events::{Commit, claim::ClaimEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Claim {}

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Invoice {}

rejections! {
    /// Rejections of claim.
    ClaimRejection {
        /// Stub.
        Stub { field: String } = "claim.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &ClaimEvent, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
