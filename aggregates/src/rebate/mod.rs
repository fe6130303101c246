//! STUB of rebate, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::rebate::Rebate as Command;
use chl_events::{rebate::RebateEvent};

/// Stub.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct RebateFund {}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &RebateEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
