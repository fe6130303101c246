//! States of customers.

use super::CustomerRejection;
use crate::rejection::AnyRejection;
use crate::{Facts, Refusal, Unavailable};
use chl_events::{Code, ConflictId, CustomerId, Instant};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A customer. Its slots, deals and conflicts are rows of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// The company it belongs to.
    pub parent: Option<CustomerId>,
    /// The product lines of its slots: what a merge has to look through.
    pub product_lines: Vec<Code>,
    /// The customers that were merged into it, and into those.
    pub absorbed: Vec<CustomerId>,
    /// The customer that it was merged into.
    pub merged_into: Option<CustomerId>,
}

/// What was decided of two customers that look alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// How far it has come.
    pub state: PairState,
    /// The latest effective instant recorded of it.
    pub latest: Instant,
}

/// How far two customers that look alike have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PairState {
    /// Reported, not decided.
    Reported,
    /// They are two.
    KeptApart,
    /// They are one.
    Merged,
}

/// The customer, or the rejection that nobody registered it or that it was merged (class 3).
pub(crate) fn known(facts: Facts<'_>, id: &CustomerId) -> Result<Arc<Customer>, Refusal> {
    let unknown = || AnyRejection::UnknownCustomer { customer: id.clone() };
    let customer = facts.get::<Customer>(id)?.ok_or_else(unknown)?;
    require_own_name(facts, id, &customer)?;
    Ok(customer)
}

/// Checks that a customer, if there is one of that name, goes by it still (class 3).
pub(crate) fn require_unmerged(facts: Facts<'_>, id: &CustomerId) -> Result<(), Refusal> {
    match facts.get::<Customer>(id)? {
        Some(customer) => require_own_name(facts, id, &customer),
        None => Ok(()),
    }
}

fn require_own_name(facts: Facts<'_>, id: &CustomerId, customer: &Customer) -> Result<(), Refusal> {
    if customer.merged_into.is_none() {
        return Ok(());
    }
    let survivor = survivor(facts, id)?;
    Err(AnyRejection::CustomerMerged { customer: id.clone(), survivor }.into())
}

/// The customer that a recorded one is by now: itself, or who survived its merges.
///
/// Each merge goes from one that ends to one that has not ended, so that there is no circle.
pub(crate) fn survivor(facts: Facts<'_>, id: &CustomerId) -> Result<CustomerId, Unavailable> {
    let mut survivor = id.clone();
    while let Some(next) = merged_into(facts, &survivor)? {
        survivor = next;
    }
    Ok(survivor)
}

fn merged_into(facts: Facts<'_>, id: &CustomerId) -> Result<Option<CustomerId>, Unavailable> {
    Ok(facts.get::<Customer>(id)?.and_then(|customer| customer.merged_into.clone()))
}

/// Whether a customer that was recorded is by now the one that is named.
pub(crate) fn is_now(
    facts: Facts<'_>,
    recorded: &CustomerId,
    named: &CustomerId,
) -> Result<bool, Unavailable> {
    Ok(recorded == named || survivor(facts, recorded)? == *named)
}

/// Checks that a command names two customers (class 1), and that both are known (class 3).
pub(super) fn two(
    facts: Facts<'_>,
    (one, other): (&CustomerId, &CustomerId),
    field: &str,
) -> Result<(), Refusal> {
    if one == other {
        return Err(AnyRejection::data(field, "must be another customer").into());
    }
    known(facts, one)?;
    known(facts, other)?;
    Ok(())
}

/// Checks that two customers were not kept apart already (class 4).
pub(super) fn require_undecided(
    conflict: &ConflictId,
    pair: Option<&Pair>,
) -> Result<(), CustomerRejection> {
    match pair.map(|pair| pair.state) {
        Some(PairState::KeptApart) => {
            Err(CustomerRejection::KeptApart { conflict: conflict.clone() })
        }
        Some(PairState::Reported | PairState::Merged) | None => Ok(()),
    }
}
