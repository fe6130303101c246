//! State of an MDF budget.

use super::BudgetRejection;
use crate::money::{add, take};
use crate::{Facts, Refusal, RowsMut, Unavailable, rows};
use chl_events::budget::MdfBudgetCreated;
use chl_events::{BudgetId, Money, ProgrammeId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An MDF budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The programme.
    pub programme: ProgrammeId,
    /// How much it was created with.
    pub amount: Money,
    /// What is not allocated to partners.
    pub unallocated: Money,
    /// Whether it is closed.
    pub closed: bool,
}

/// The budget, or the rejection that nobody created it (class 3).
pub(crate) fn known(facts: Facts<'_>, id: &BudgetId) -> Result<Arc<Budget>, Refusal> {
    let unknown = || BudgetRejection::UnknownBudget { budget: id.clone() };
    Ok(facts.get::<Budget>(id)?.ok_or_else(unknown)?)
}

pub(super) fn created(event: &MdfBudgetCreated, rows: &mut dyn RowsMut) {
    let budget = Budget {
        programme: event.programme.clone(),
        amount: event.amount,
        unallocated: event.amount,
        closed: false,
    };
    rows::put(rows, &event.budget, budget);
}

pub(super) fn closed(
    rows: &mut dyn RowsMut,
    budget: &BudgetId,
    returned: Money,
) -> Result<(), Unavailable> {
    rows::update::<Budget>(rows, budget, |budget| {
        budget.closed = true;
        take(&mut budget.unallocated, returned);
    })
}

pub(super) fn allocated(
    rows: &mut dyn RowsMut,
    budget: &BudgetId,
    amount: Money,
) -> Result<(), Unavailable> {
    rows::update::<Budget>(rows, budget, |budget| take(&mut budget.unallocated, amount))
}

pub(super) fn returned(
    rows: &mut dyn RowsMut,
    budget: &BudgetId,
    amount: Money,
) -> Result<(), Unavailable> {
    rows::update::<Budget>(rows, budget, |budget| add(&mut budget.unallocated, amount))
}

/// Undoes a budget that was created in error: its name is free again.
pub(crate) fn creation_undone(event: &MdfBudgetCreated, rows: &mut dyn RowsMut) {
    rows::remove::<Budget>(rows, &event.budget);
}

/// Whether nobody has touched a budget since it was created.
pub(crate) fn can_undo_creation(
    facts: Facts<'_>,
    event: &MdfBudgetCreated,
) -> Result<bool, Unavailable> {
    let budget = facts.get::<Budget>(&event.budget)?;
    Ok(budget.is_some_and(|budget| !budget.closed && budget.unallocated == event.amount))
}
