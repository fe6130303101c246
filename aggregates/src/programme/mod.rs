//! STUB of programme, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::programme::Programme as Command;
use chl_events::{programme::ProgrammeEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Programme {}

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Version {}

rejections! {
    /// Rejections of programme.
    ProgrammeRejection {
        /// Stub.
        Stub { field: String } = "programme.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &ProgrammeEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
