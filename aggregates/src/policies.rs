//! Policies: what a commit makes the ledger do on other streams, by commands of its own.
//!
//! A policy is pure: a commit in, commands out. Of a pair of events that tell one fact on two
//! streams exactly one posts money; which one stands at the event.

use crate::{Facts, Rejection, Unavailable};
use chl_commands::Command;
use chl_commands::budget::{Budget, RestoreMdfBudget};
use chl_commands::conflict::OpenConflict;
use chl_commands::customer::AbsorbCustomer;
use chl_commands::mdf::{CreditMdfAllocation, Mdf};
use chl_commands::rebate::CreditRebate;
use chl_events::budget::BudgetEvent;
use chl_events::coop::CoopEvent;
use chl_events::customer::CustomerEvent;
use chl_events::deal::DealEvent;
use chl_events::mdf::MdfEvent;
use chl_events::{Code, Commit, Event};

/// Opens the conflict that a contested registration named.
const CONFLICTS: &str = "conflicts";
/// Ends the stream of a customer that was merged into another.
const CUSTOMERS: &str = "customers";
/// Keeps a partner's MDF and its budgets in step.
const ALLOCATIONS: &str = "allocations";
/// Credits what co-op became to the rebate fund.
const REBATES: &str = "rebates";

/// A policy's command.
#[derive(Debug, Clone, PartialEq)]
pub struct Reaction {
    /// The policy's name; its source is `/policy/NAME`.
    pub policy: &'static str,
    /// What it asks for.
    pub command: Command,
}

/// What a commit makes the policies do, in policy order.
///
/// The facts are there for policies that look around; none of today's needs to.
pub fn react(commit: &Commit, _facts: Facts<'_>) -> Result<Vec<Reaction>, Unavailable> {
    Ok(commit.events.iter().filter_map(|recorded| reaction(&recorded.event)).collect())
}

fn reaction(event: &Event) -> Option<Reaction> {
    match event {
        Event::Deal(event) => open_conflict(event),
        Event::Budget(event) => credit_allocation(event),
        Event::Mdf(event) => restore_budget(event),
        Event::Coop(event) => credit_rebate(event),
        Event::Customer(event) => absorb_customer(event),
        Event::Ledger(_)
        | Event::Partner(_)
        | Event::Programme(_)
        | Event::Conflict(_)
        | Event::Claim(_)
        | Event::Rebate(_) => None,
    }
}

fn open_conflict(event: &DealEvent) -> Option<Reaction> {
    let DealEvent::DealRegistered(event) = event else { return None };
    let command = OpenConflict {
        conflict: event.contested.clone()?,
        customer: event.customer.clone(),
        challenger: event.deal.clone(),
    };
    Some(Reaction { policy: CONFLICTS, command: command.into() })
}

fn absorb_customer(event: &CustomerEvent) -> Option<Reaction> {
    let CustomerEvent::CustomersMerged(event) = event else { return None };
    let (customer, survivor) = (event.absorbed.clone(), event.survivor.clone());
    let command = AbsorbCustomer { customer, survivor };
    Some(Reaction { policy: CUSTOMERS, command: command.into() })
}

fn credit_allocation(event: &BudgetEvent) -> Option<Reaction> {
    let BudgetEvent::MdfAllocated(event) = event else { return None };
    let command = CreditMdfAllocation {
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        budget: event.budget.clone(),
        amount: event.amount,
    };
    Some(Reaction { policy: ALLOCATIONS, command: command.into() })
}

fn restore_budget(event: &MdfEvent) -> Option<Reaction> {
    let MdfEvent::MdfAllocationReduced(event) = event else { return None };
    let command = RestoreMdfBudget {
        budget: event.budget.clone(),
        partner: event.partner.clone(),
        amount: event.amount,
        refused: None,
    };
    Some(Reaction { policy: ALLOCATIONS, command: command.into() })
}

fn credit_rebate(event: &CoopEvent) -> Option<Reaction> {
    let CoopEvent::CoopPeriodClosed(event) = event else { return None };
    let command = CreditRebate {
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        lot: event.lot.clone(),
        amount: event.converted,
    };
    let credited = event.converted.is_positive();
    credited.then(|| Reaction { policy: REBATES, command: command.into() })
}

/// What follows on the cause's stream when a policy's command is refused.
///
/// A credit that a partner's fund refuses goes back to its budget; no other policy command can be
/// refused for a reason that a stream must know of.
pub fn react_to_refusal(command: &Command, rejection: &Rejection) -> Option<Reaction> {
    let Command::Mdf(Mdf::CreditMdfAllocation(credit)) = command else { return None };
    let command = RestoreMdfBudget {
        budget: credit.budget.clone(),
        partner: credit.partner.clone(),
        amount: credit.amount,
        refused: Some(word(rejection.doc().code)),
    };
    Some(Reaction {
        policy: ALLOCATIONS,
        command: Command::Budget(Budget::RestoreMdfBudget(command)),
    })
}

/// A rejection code as a word of a vocabulary, whose characters have no dot: `partner-not_active`.
fn word(code: &str) -> Code {
    Code::new(code.replace('.', "-")).expect("codes are words with dots between them")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AnyRejection;
    use crate::story::{id, usd};

    fn credit() -> Command {
        CreditMdfAllocation {
            partner: id("p1"),
            programme: id("prog"),
            budget: id("b1"),
            amount: usd("100.00"),
        }
        .into()
    }

    #[test]
    fn a_refused_credit_goes_back_to_its_budget() {
        let refused = AnyRejection::PartnerNotActive { partner: id("p1"), state: "terminated" };
        let back = react_to_refusal(&credit(), &refused.into()).map(|reaction| reaction.command);
        let expected = RestoreMdfBudget {
            budget: id("b1"),
            partner: id("p1"),
            amount: usd("100.00"),
            refused: Some(id("partner-not_active")),
        };
        assert_eq!(back, Some(expected.into()));
    }

    #[test]
    fn every_code_is_a_word() {
        for doc in Rejection::codes() {
            assert!(word(doc.code).as_str().len() <= chl_events::MAX_ID_BYTES);
        }
    }

    #[test]
    fn other_refusals_change_nothing() {
        let open = OpenConflict { conflict: id("cf-1"), customer: id("c"), challenger: id("d") };
        let unknown = AnyRejection::UnknownCustomer { customer: id("c") };
        assert_eq!(react_to_refusal(&open.into(), &unknown.into()), None);
    }
}
