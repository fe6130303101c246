//! CreateMdfBudget and CloseMdfBudget: a budget comes from its source and goes back to it.

use super::{Budget, BudgetRejection, state};
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, money, programme};
use chl_commands::budget::{CloseMdfBudget, CreateMdfBudget};
use chl_events::budget::{MdfBudgetClosed, MdfBudgetCreated};

pub(super) fn create(
    command: &CreateMdfBudget,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let CreateMdfBudget { budget, programme: id, amount, period } = command;
    money::positive(*amount, "amount")?;
    let programme = programme::known(facts, id)?;
    if facts.get::<Budget>(budget)?.is_some() {
        return Err(BudgetRejection::BudgetTaken { budget: budget.clone() }.into());
    }
    // A budget is planned before its programme begins; the newest version has the zone.
    let version = programme::version(facts, id, programme.newest)?;
    context.require_time()?;
    money::expect_currency(programme.currency, *amount)?;
    let event = MdfBudgetCreated {
        budget: budget.clone(),
        programme: id.clone(),
        amount: *amount,
        period: *period,
    };
    let lines = Posting::of_budget().add(Move::Budget, *amount).lines();
    Ok(vec![Fact::posting(version.zone().day(context.time), event, lines)])
}

pub(super) fn close(
    command: &CloseMdfBudget,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let id = &command.budget;
    let budget = state::known(facts, id)?;
    if budget.closed {
        return Err(BudgetRejection::BudgetClosed { budget: id.clone() }.into());
    }
    let today = super::today(facts, &budget.programme, context)?;
    context.require_time()?;
    let event = MdfBudgetClosed {
        budget: id.clone(),
        programme: budget.programme.clone(),
        returned: budget.unallocated,
    };
    let lines = Posting::of_budget().add(Move::Unbudget, budget.unallocated).lines();
    Ok(vec![Fact::posting(today, event, lines)])
}
