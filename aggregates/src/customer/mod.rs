//! STUB of customer, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::customer::Customer as Command;
use chl_events::{customer::CustomerEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Customer {}

rejections! {
    /// Rejections of customer.
    CustomerRejection {
        /// Stub.
        Stub { field: String } = "customer.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &CustomerEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
