//! CreditMdfAllocation and ReturnMdfAllocation: what comes from a budget and goes back to it.
//!
//! The budget's event posts an allocation, the fund's event posts what is given back: of a pair
//! exactly one posts. A fund takes an allocation only of an active, enrolled partner; what it
//! refuses, a policy takes back into the budget.

use super::{MdfRejection, state};
use crate::budget::{self, Budget};
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, Unavailable, money, partner, programme};
use chl_commands::mdf::{CreditMdfAllocation, Mdf as Command, ReturnMdfAllocation};
use chl_events::mdf::{MdfAllocationCredited, MdfAllocationReduced};
use chl_events::{Fund, Stream};

pub(super) fn credit(
    command: &CreditMdfAllocation,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let CreditMdfAllocation { partner, programme, budget, amount } = command;
    money::positive(*amount, "amount")?;
    programme::known(facts, programme)?;
    partner::require_active(facts, partner)?;
    partner::require_enrolled(facts, partner, programme)?;
    let version = programme::terms_in_force(facts, programme, context.time)?;
    let available = state::fund(facts, programme, partner)?.map(|fund| fund.available);
    let available = available.unwrap_or_else(|| version.currency.zero());
    money::sum(available, *amount, "data.amount")?;
    let event = MdfAllocationCredited {
        partner: partner.clone(),
        programme: programme.clone(),
        budget: budget.clone(),
        amount: *amount,
    };
    Ok(vec![Fact::new(version.zone().day(context.time), event)])
}

pub(super) fn give_back(
    command: &ReturnMdfAllocation,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ReturnMdfAllocation { budget: id, partner, amount } = command;
    money::positive(*amount, "amount")?;
    partner::known(facts, partner)?;
    let budget = budget::known(facts, id)?;
    let programme = &budget.programme;
    let version = programme::terms_in_force(facts, programme, context.time)?;
    context.require_time()?;
    let currency = budget.unallocated.currency();
    money::expect_currency(currency, *amount)?;
    let given = state::allocation(facts, programme, partner, id)?;
    let allocated = given.map_or_else(|| currency.zero(), |given| given.amount);
    if amount.minor() > allocated.minor() {
        return Err(MdfRejection::OverAllocation { allocated, given: *amount }.into());
    }
    let fund = state::fund(facts, programme, partner)?;
    let available = fund.map_or_else(|| currency.zero(), |fund| fund.available);
    if amount.minor() > available.minor() {
        return Err(MdfRejection::FundExhausted { available, needed: *amount }.into());
    }
    let event = MdfAllocationReduced {
        partner: partner.clone(),
        programme: programme.clone(),
        budget: id.clone(),
        amount: *amount,
    };
    let lines = Posting::of(Fund::Mdf, partner).add(Move::Deallocate, *amount).lines();
    Ok(vec![Fact::posting(version.zone().day(context.time), event, lines)])
}

/// The stream of `ReturnMdfAllocation`: the partner's fund in the programme of the budget.
pub(crate) fn stream_of(command: &Command, facts: Facts<'_>) -> Result<Stream, Refusal> {
    match command {
        Command::ReturnMdfAllocation(command) => {
            let Budget { programme, .. } = &*budget::known(facts, &command.budget)?;
            Ok(Stream::Mdf(programme.clone(), command.partner.clone()))
        }
        Command::CreditMdfAllocation(_)
        | Command::RequestMdf(_)
        | Command::ApproveMdfRequest(_)
        | Command::RejectMdfRequest(_)
        | Command::CancelMdfRequest(_)
        | Command::LapseMdfRequest(_) => {
            Err(Unavailable("a command that names its own stream".into()).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{allocate, approve_request, budget, half, mdf_fund, p, request};
    use crate::story::{id, usd};
    use chl_commands::budget::CloseMdfBudget;
    use chl_commands::mdf::ReturnMdfAllocation;
    use chl_commands::partner::SuspendPartner;

    fn back(budget: &str, amount: &str) -> ReturnMdfAllocation {
        ReturnMdfAllocation { budget: id(budget), partner: p(), amount: usd(amount) }
    }

    #[test]
    fn what_is_given_back_can_be_allocated_again() {
        let mut story = mdf_fund(half());
        let names = story.when(back("b", "1000")).names();
        assert_eq!(names, ["MdfAllocationReduced", "MdfAllocationReturned"]);
        assert_eq!(story.allocated(), usd("3000"));
        story.when(allocate("b", "7000.01")).refused("budget.exhausted");
        assert_eq!(story.and(allocate("b", "7000")).allocated(), usd("10000"));
    }

    #[test]
    fn only_what_a_budget_gave_and_what_is_free_goes_back() {
        let story = mdf_fund(half()).and(budget("other", "100")).and(allocate("other", "100"));
        let mut story = story.and(request("r", "8000")).by_manager("cm", 1);
        story.when(back("other", "100.01")).refused("mdf.over_allocation");
        story.when(back("none", "1")).refused("budget.unknown");
        story.when(back("b", "0")).refused("command.malformed");
        let mut story = story.and(approve_request("r"));
        story.when(back("b", "100.01")).refused("mdf.fund_exhausted");
    }

    #[test]
    fn a_fund_that_refuses_sends_the_allocation_back() {
        let mut story = mdf_fund(half()).and(SuspendPartner { partner: p(), note: None });
        let names = story.when(allocate("b", "1000")).names();
        assert_eq!(names, ["MdfAllocated", "MdfAllocationReturned"]);
        assert_eq!(story.allocated(), usd("4000"));
    }

    #[test]
    fn into_a_closed_budget_nothing_comes_back_to_stay() {
        let close = || CloseMdfBudget { budget: id("b") };
        let mut story = mdf_fund(half()).and(close());
        story.when(close()).refused("budget.closed");
        story.when(allocate("b", "1")).refused("budget.closed");
        story.when(budget("b", "1")).refused("budget.taken");
        let names = story.when(back("b", "1000")).names();
        assert_eq!(names, ["MdfAllocationReduced", "MdfAllocationReturned", "MdfBudgetClosed"]);
    }
}
