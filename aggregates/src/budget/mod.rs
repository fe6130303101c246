//! STUB of budget, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::budget::Budget as Command;
use chl_events::{budget::BudgetEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Budget {}

rejections! {
    /// Rejections of budget.
    BudgetRejection {
        /// Stub.
        Stub { field: String } = "budget.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &BudgetEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
