//! AllocateMdf and RestoreMdfBudget: what partners get of a budget, and what comes back.
//!
//! Whether the partner may have it, its own fund decides; what the fund refuses comes back with the
//! code of the refusal, and this event posts it. What a partner gave back, the fund's event has
//! posted already. Into a closed budget nothing comes back to stay: it goes on to the source.

use super::{BudgetRejection, state};
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, money, partner};
use chl_commands::budget::{AllocateMdf, RestoreMdfBudget};
use chl_events::Fund;
use chl_events::budget::{MdfAllocated, MdfAllocationReturned, MdfBudgetClosed};

pub(super) fn allocate(
    command: &AllocateMdf,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let AllocateMdf { budget: id, partner, amount } = command;
    money::positive(*amount, "amount")?;
    partner::known(facts, partner)?;
    let budget = state::known(facts, id)?;
    if budget.closed {
        return Err(BudgetRejection::BudgetClosed { budget: id.clone() }.into());
    }
    let today = super::today(facts, &budget.programme, context)?;
    context.require_time()?;
    let unallocated = budget.unallocated;
    money::expect_currency(unallocated.currency(), *amount)?;
    if amount.minor() > unallocated.minor() {
        return Err(BudgetRejection::OverBudget { unallocated, given: *amount }.into());
    }
    let event = MdfAllocated {
        budget: id.clone(),
        programme: budget.programme.clone(),
        partner: partner.clone(),
        amount: *amount,
    };
    let lines = Posting::of(Fund::Mdf, partner).add(Move::Allocate, *amount).lines();
    Ok(vec![Fact::posting(today, event, lines)])
}

pub(super) fn restore(
    command: &RestoreMdfBudget,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let RestoreMdfBudget { budget: id, partner, amount, refused } = command;
    let budget = state::known(facts, id)?;
    let today = super::today(facts, &budget.programme, context)?;
    money::sum(budget.unallocated, *amount, "data.amount")?;
    let event = MdfAllocationReturned {
        budget: id.clone(),
        programme: budget.programme.clone(),
        partner: partner.clone(),
        amount: *amount,
        refused: refused.clone(),
    };
    let mut lines = Posting::of(Fund::Mdf, partner);
    if refused.is_some() {
        lines = lines.add(Move::Deallocate, *amount);
    }
    let mut made = vec![Fact::posting(today, event, lines.lines())];
    if budget.closed {
        let programme = budget.programme.clone();
        let onward = MdfBudgetClosed { budget: id.clone(), programme, returned: *amount };
        let lines = Posting::of_budget().add(Move::Unbudget, *amount).lines();
        made.push(Fact::posting(today, onward, lines));
    }
    Ok(made)
}
