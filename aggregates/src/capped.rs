//! Capping: an amount that a person set, lowered to what a rejection says is there.
//!
//! For histories that are decided again under other terms: a payment of 3,600.00 of which 1,400.00
//! is payable now pays that much.

use crate::{Rejection, budget::BudgetRejection, claim::ClaimRejection, mdf::MdfRejection};
use chl_commands::{
    Command,
    budget::{AllocateMdf, Budget},
    claim::{
        ApproveClaim, Claim, ClawbackClaim, FailPayment, PayClaim, RecoverClawback,
        WriteOffClawback,
    },
    mdf::{ApproveMdfRequest, Mdf, ReturnMdfAllocation},
};
use chl_events::Money;

/// The command with its amount as large as the rejection leaves it; none where the rejection is
/// about something else, or leaves nothing.
pub fn capped(command: &Command, rejection: &Rejection) -> Option<Command> {
    let mut command = command.clone();
    let (amount, most) = match most_withheld(rejection) {
        Some(most) => (withheld(&mut command)?, most),
        None => (amount(&mut command)?, most(rejection)?),
    };
    let lower = most.currency() == amount.currency() && most.minor() < amount.minor();
    if !lower || !most.is_positive() {
        return None;
    }
    *amount = most;
    Some(command)
}

/// What is there, by a rejection that says that more was asked for.
fn most(rejection: &Rejection) -> Option<Money> {
    if let Rejection::Claim(
        ClaimRejection::OverHeld { held: most, .. }
        | ClaimRejection::OverPayable { payable: most, .. }
        | ClaimRejection::OverPaid { paid: most, .. }
        | ClaimRejection::OverOwed { owed: most, .. },
    )
    | Rejection::Mdf(
        MdfRejection::AboveShare { most, .. }
        | MdfRejection::FundExhausted { available: most, .. }
        | MdfRejection::OverAllocation { allocated: most, .. },
    )
    | Rejection::Budget(BudgetRejection::OverBudget { unallocated: most, .. }) = rejection
    {
        return Some(*most);
    }
    None
}

/// The amount that a person set.
fn amount(command: &mut Command) -> Option<&mut Money> {
    if let Command::Claim(
        Claim::ApproveClaim(ApproveClaim { amount, .. })
        | Claim::PayClaim(PayClaim { amount, .. })
        | Claim::FailPayment(FailPayment { amount, .. })
        | Claim::ClawbackClaim(ClawbackClaim { amount, .. })
        | Claim::RecoverClawback(RecoverClawback { amount, .. })
        | Claim::WriteOffClawback(WriteOffClawback { amount, .. }),
    )
    | Command::Mdf(Mdf::ApproveMdfRequest(ApproveMdfRequest { amount, .. })) = command
    {
        return amount.as_mut();
    }
    if let Command::Mdf(Mdf::ReturnMdfAllocation(ReturnMdfAllocation { amount, .. }))
    | Command::Budget(Budget::AllocateMdf(AllocateMdf { amount, .. })) = command
    {
        return Some(amount);
    }
    None
}

/// What of a payment may be withheld, by a rejection that says that more was.
fn most_withheld(rejection: &Rejection) -> Option<Money> {
    if let Rejection::Claim(ClaimRejection::OverPayment { payment, .. }) = rejection {
        return Some(*payment);
    }
    None
}

fn withheld(command: &mut Command) -> Option<&mut Money> {
    if let Command::Claim(Claim::PayClaim(PayClaim { withheld, .. })) = command {
        return withheld.as_mut();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::capped;
    use crate::{
        AnyRejection, Rejection,
        budget::BudgetRejection,
        claim::ClaimRejection,
        fund_story::{allocate, approve, approve_request, claim, pay},
        mdf::MdfRejection,
        story::{id, usd},
    };
    use chl_commands::{Command, claim::PayClaim, mdf::ApproveMdfRequest};
    use chl_events::{Fund::Coop, Money};

    fn over_payable(payable: &str) -> Rejection {
        ClaimRejection::OverPayable { payable: usd(payable), given: usd("10") }.into()
    }

    #[test]
    fn an_amount_is_lowered_to_what_is_there() {
        let command: Command = pay(Coop, "c", Some("10")).into();
        let lower: Command = pay(Coop, "c", Some("7")).into();
        assert_eq!(capped(&command, &over_payable("7")), Some(lower));
        let held: Rejection = ClaimRejection::OverHeld { held: usd("3"), given: usd("5") }.into();
        let lower: Command = approve(Coop, "c", Some("3")).into();
        assert_eq!(capped(&approve(Coop, "c", Some("5")).into(), &held), Some(lower));
        let unallocated = usd("4");
        let budget: Rejection = BudgetRejection::OverBudget { unallocated, given: usd("5") }.into();
        let lower: Command = allocate("b", "4").into();
        assert_eq!(capped(&allocate("b", "5").into(), &budget), Some(lower));
        let share: Rejection = MdfRejection::AboveShare { most: usd("2"), given: usd("3") }.into();
        let of = |amount| ApproveMdfRequest { amount: Some(usd(amount)), ..approve_request("r") };
        assert_eq!(capped(&of("3").into(), &share), Some(of("2").into()));
    }

    #[test]
    fn tax_is_lowered_to_the_payment_it_is_withheld_of() {
        let of = |withheld: Money| PayClaim { withheld: Some(withheld), ..pay(Coop, "c", None) };
        let over = ClaimRejection::OverPayment { payment: usd("1"), withheld: usd("2") }.into();
        assert_eq!(capped(&of(usd("2")).into(), &over), Some(of(usd("1")).into()));
    }

    #[test]
    fn what_is_not_there_or_not_of_people_stays() {
        let paying: Command = pay(Coop, "c", Some("10")).into();
        assert_eq!(capped(&paying, &over_payable("0")), None);
        assert_eq!(capped(&pay(Coop, "c", None).into(), &over_payable("7")), None);
        assert_eq!(capped(&claim("c", "20").into(), &over_payable("7")), None);
        let unknown = AnyRejection::UnknownPartner { partner: id("p") }.into();
        assert_eq!(capped(&paying, &unknown), None);
    }
}
