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
    money::sum(available, *amount, "amount")?;
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
