//! PayClaim and FailPayment: what is payable is paid, or comes back. Never by who approved it.

use super::case::{self, Case, check_amount, chosen};
use super::state::{self, Claim, Payment, take_from};
use super::{ClaimRejection, ClaimState, proof};
use crate::context::sealed;
use crate::posting::{Move, Posting};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, money};
use chl_commands::claim::{FailPayment, PayClaim};
use chl_events::claim::{ClaimPaid, Part, PaymentFailed, PaymentMethod};
use chl_events::{ClaimId, Commit, Money};

pub(super) fn pay(
    command: &PayClaim,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let PayClaim { claim: id, partner, programme, fund, .. } = command;
    check_amount(command.amount)?;
    if let Some(withheld) = command.withheld {
        money::positive(withheld, "withheld")?;
    }
    proof::check_text("reference", command.reference.as_deref())?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    if claim.approved_by.as_ref() == Some(context.author()) {
        return Err(ClaimRejection::OwnApproval { claim: id.clone() }.into());
    }
    if claim.state != ClaimState::Approved {
        return Err(claim.wrong_state(id));
    }
    let case = case::open(facts, &claim, context)?;
    let method = command.method.unwrap_or(PaymentMethod::Cash);
    let paid_on = command.paid_on.unwrap_or(case.today);
    context.require_past(case.version.zone(), "data.paid_on", paid_on)?;
    check_terms(command, &claim, &case, method)?;
    let amount = payable(command, facts, &claim, method)?;
    let withheld = command.withheld.unwrap_or_else(|| claim.currency().zero());
    money::expect_currency(claim.currency(), withheld)?;
    if withheld.minor() > amount.minor() {
        return Err(ClaimRejection::OverPayment { payment: amount, withheld }.into());
    }

    let (parts, _) = take_from(&claim.by_lot(|part| part.payable), amount);
    let payment = Payment { parts, withheld, method };
    let lines = lines(Posting::of(*fund, partner), &payment, Way::Out)?;
    let event = ClaimPaid {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        amount,
        parts: payment.parts,
        method,
        withheld,
        paid_on,
        reference: command.reference.clone(),
    };
    Ok(vec![Fact::posting(paid_on, event, lines.lines())])
}

fn check_terms(
    command: &PayClaim,
    claim: &Claim,
    case: &Case,
    method: PaymentMethod,
) -> Result<(), ClaimRejection> {
    let asked = case.version.terms.mdf.as_ref().is_some_and(|terms| terms.roi_report);
    if claim.request.is_some() && asked && !claim.outcome {
        return Err(ClaimRejection::OutcomeMissing { claim: command.claim.clone() });
    }
    match command.withheld {
        Some(withheld) if method != PaymentMethod::Cash => {
            Err(ClaimRejection::WithheldNotCash { withheld })
        }
        Some(_) | None => Ok(()),
    }
}

/// What is paid: by default all that is payable and, for netting, no more than is owed.
fn payable(
    command: &PayClaim,
    facts: Facts<'_>,
    claim: &Claim,
    method: PaymentMethod,
) -> Result<Money, Refusal> {
    let payable = claim.sum(|part| part.payable);
    if method != PaymentMethod::Netting {
        let amount = chosen(command.amount, payable)?;
        return check_payable(payable, amount);
    }
    let owed = case::owed(facts, claim)?;
    let amount = chosen(command.amount, money::min(payable, owed))?;
    if amount.minor() > owed.minor() || amount.is_zero() {
        return Err(ClaimRejection::OverOwed { owed, given: amount }.into());
    }
    check_payable(payable, amount)
}

fn check_payable(payable: Money, amount: Money) -> Result<Money, Refusal> {
    if amount.minor() > payable.minor() {
        return Err(ClaimRejection::OverPayable { payable, given: amount }.into());
    }
    Ok(amount)
}

/// Which way a payment's money goes.
#[derive(Clone, Copy)]
enum Way {
    Out,
    Back,
}

/// The lines of a payment or of its exact mirror; tax withheld is spread over the lots.
fn lines(mut lines: Posting, payment: &Payment, way: Way) -> Result<Posting, AnyRejection> {
    let main = match (payment.method, way) {
        (PaymentMethod::Cash, Way::Out) => Move::PayCash,
        (PaymentMethod::Cash, Way::Back) => Move::UnpayCash,
        (PaymentMethod::CreditMemo, Way::Out) => Move::PayCreditMemo,
        (PaymentMethod::CreditMemo, Way::Back) => Move::UnpayCreditMemo,
        (PaymentMethod::Netting, Way::Out) => Move::Net,
        (PaymentMethod::Netting, Way::Back) => Move::Unnet,
    };
    let tax = match way {
        Way::Out => Move::Withhold,
        Way::Back => Move::Unwithhold,
    };
    let weights: Vec<_> = payment.parts.iter().map(|part| part.amount.minor()).collect();
    let taxes = money::split(payment.withheld, &weights)
        .ok_or(AnyRejection::TooLarge { field: "data.withheld" })?;
    for (part, withheld) in payment.parts.iter().zip(taxes) {
        let lot = part.lot.as_ref();
        lines =
            lines.add_to(main, lot, money::less(part.amount, withheld)).add_to(tax, lot, withheld);
    }
    Ok(lines)
}

pub(super) fn paid(
    event: &ClaimPaid,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    if event.method == PaymentMethod::Netting {
        case::owes(rows, &before, money::take, event.amount)?;
    }
    state::change(rows, &event.claim, commit, |claim| {
        pay_parts(claim, &event.parts);
        let (parts, withheld, method) = (event.parts.clone(), event.withheld, event.method);
        claim.payments.push(Payment { parts, withheld, method });
    })
}

/// Moves payable money of a claim to paid.
pub(super) fn pay_parts(claim: &mut Claim, parts: &[Part]) {
    state::move_parts(claim, parts, |part, amount| {
        money::take(&mut part.payable, amount);
        money::add(&mut part.paid, amount);
    });
    if claim.sum(|part| part.payable).is_zero() {
        claim.state = ClaimState::Paid;
    }
}

/// Moves paid money of a claim back to payable.
pub(super) fn unpay_parts(claim: &mut Claim, parts: &[Part]) {
    state::move_parts(claim, parts, |part, amount| {
        money::take(&mut part.paid, amount);
        money::add(&mut part.payable, amount);
    });
    claim.state = ClaimState::Approved;
}

/// FailPayment: the last payment, or a part of it, came back.
pub(super) fn fail(
    command: &FailPayment,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let FailPayment { claim: id, partner, programme, fund, amount, note } = command;
    check_amount(*amount)?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let last = last_payment(id, &claim)?;
    let case = case::open(facts, &claim, context)?;
    let paid = case::sum(&claim, &last.parts);
    let amount = chosen(*amount, paid)?;
    let (back, _) = take_from(&last.parts, amount);
    let most = money::min(paid, claim.sum(state::ClaimPart::kept));
    if amount.minor() > most.minor() || !claim.keeps(&back) {
        return Err(ClaimRejection::OverPaid { paid: most, given: amount }.into());
    }

    let payment =
        part_of(last, back, paid).ok_or(AnyRejection::TooLarge { field: "data.amount" })?;
    let lines = lines(Posting::of(*fund, partner), &payment, Way::Back)?;
    let event = PaymentFailed {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        amount,
        parts: payment.parts,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(case.today, event, lines.lines())])
}

fn last_payment<'a>(id: &ClaimId, claim: &'a Claim) -> Result<&'a Payment, Refusal> {
    claim.payments.last().ok_or_else(|| claim.wrong_state(id))
}

/// The part of a payment that came back, with its share of the tax.
fn part_of(payment: &Payment, back: Vec<Part>, paid: Money) -> Option<Payment> {
    let amount = state::sum(paid.currency(), &back);
    let rest = money::less(paid, amount);
    let shares = money::split(payment.withheld, &[amount.minor(), rest.minor()])?;
    let withheld = shares.first().copied()?;
    Some(Payment { parts: back, withheld, method: payment.method })
}

pub(super) fn failed(
    event: &PaymentFailed,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    let netted = before.payments.last().is_some_and(|last| last.method == PaymentMethod::Netting);
    if netted {
        case::owes(rows, &before, money::add, event.amount)?;
    }
    state::change(rows, &event.claim, commit, |claim| {
        unpay_parts(claim, &event.parts);
        let Some(last) = claim.payments.pop() else { return };
        let paid = state::sum(event.amount.currency(), &last.parts);
        let (_, rest) = take_from(&last.parts, event.amount);
        if let (false, Some(left)) = (rest.is_empty(), part_of(&last, rest, paid)) {
            claim.payments.push(left);
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, approve, approve_request, claim, claim_mdf, claw_back, coop_terms, fail, fund_of,
        give_back, half, mdf_fund, p, pay, prog, request, two_percent,
    };
    use crate::given::Given;
    use crate::story::{id, usd};
    use chl_commands::claim::{AddProof, PayClaim};
    use chl_events::Fund::{Coop, Mdf};
    use chl_events::claim::{Outcome, PaymentMethod};
    use chl_events::terms::MdfTerms;
    use chl_events::{Account, Side};

    /// A claim of 10 approved by a manager; finance has the word.
    fn approved() -> Given {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "1000"));
        let story = story.and(claim("c", "20")).by_manager("cm", 1);
        story.and(approve(Coop, "c", None)).by_finance("fin")
    }

    /// Debits less credits of an account over the whole story, in cents.
    fn of(story: &Given, account: Account) -> i128 {
        let lines = story.lines().flatten().filter(|line| line.account == account);
        let signed = |side, minor: i128| if side == Side::Debit { minor } else { -minor };
        lines.map(|line| signed(line.side, line.amount.minor())).sum()
    }

    fn taxed(amount: &str, withheld: &str) -> PayClaim {
        PayClaim { withheld: Some(usd(withheld)), ..pay(Coop, "c", Some(amount)) }
    }

    fn by(method: PaymentMethod) -> PayClaim {
        PayClaim { method: Some(method), ..pay(Coop, "c", None) }
    }

    #[test]
    fn tax_is_withheld_and_comes_back_with_the_payment() {
        let mut story = approved().and(taxed("8", "1.20")).and(pay(Coop, "c", None));
        assert_eq!((of(&story, Account::Cash), of(&story, Account::Withholding)), (-880, -120));
        story.when(pay(Coop, "c", None)).refused("claim.wrong_state");
        story.when(fail(Coop, "c", Some("2.01"))).refused("claim.over_paid");
        let story = story.and(fail(Coop, "c", None));
        let story = story.and(fail(Coop, "c", Some("2"))).and(fail(Coop, "c", None));
        assert_eq!((of(&story, Account::Cash), of(&story, Account::Withholding)), (0, 0));
        let mut story = story;
        story.when(fail(Coop, "c", None)).refused("claim.wrong_state");
        assert_eq!(of(&story.and(pay(Coop, "c", None)), Account::Payable), 0);
    }

    #[test]
    fn a_credit_memo_is_no_cash() {
        let mut story = approved();
        let memo = by(PaymentMethod::CreditMemo);
        let with_tax = PayClaim { withheld: Some(usd("1")), ..memo.clone() };
        story.when(with_tax).refused("claim.withheld_not_cash");
        let story = story.and(memo);
        assert_eq!((of(&story, Account::Cash), of(&story, Account::CreditMemo)), (0, -1000));
        assert_eq!(of(&story.and(fail(Coop, "c", None)), Account::CreditMemo), 0);
    }

    #[test]
    fn netting_sets_off_what_the_partner_owes() {
        let mut story = approved();
        story.when(by(PaymentMethod::Netting)).refused("claim.over_owed");
        // The lot still holds 10 of the 20; the rest of the return is owed.
        let story = story.by_operator().and(give_back("s", "800")).by_finance("fin");
        assert_eq!(of(&story, Account::Receivable), 600);
        let story = story.and(by(PaymentMethod::Netting));
        assert_eq!((of(&story, Account::Receivable), of(&story, Account::Payable)), (0, -400));
        let story = story.and(fail(Coop, "c", None));
        assert_eq!((of(&story, Account::Receivable), of(&story, Account::Payable)), (600, -1000));
    }

    #[test]
    fn what_was_demanded_back_cannot_fail_too() {
        let mut story = approved().and(pay(Coop, "c", None)).and(claw_back(Coop, "c", Some("4")));
        story.when(fail(Coop, "c", None)).refused("claim.over_paid");
        story.and(fail(Coop, "c", Some("6")));
    }

    #[test]
    fn payments_that_cannot_be() {
        let mut story = approved();
        story.when(pay(Coop, "c", Some("10.01"))).refused("claim.over_payable");
        story.when(pay(Coop, "c", Some("0"))).refused("command.malformed");
        story.when(taxed("5", "5.01")).refused("claim.over_payment");
        let blank = PayClaim { reference: Some(" ".into()), ..pay(Coop, "c", None) };
        story.when(blank).refused("command.malformed");
        let soon = PayClaim { paid_on: Some(id("2026-03-02")), ..pay(Coop, "c", None) };
        story.when(soon).refused("time.in_future");
        story.by_manager("cm", 1).when(pay(Coop, "c", None)).refused("claim.own_approval");
    }

    #[test]
    fn the_outcome_is_reported_before_payment_where_the_terms_ask_for_it() {
        let mdf = MdfTerms { roi_report: true, ..half() };
        let story = mdf_fund(mdf).and(request("r", "4000")).by_manager("cm", 1);
        let story = story.and(approve_request("r")).by_operator().at("2026-03-10T09:00:00Z");
        let story = story.and(claim_mdf("c", "r", "4000")).by_manager("cm", 1);
        let mut story = story.and(approve(Mdf, "c", None)).by_finance("fin");
        story.when(pay(Mdf, "c", None)).refused("claim.outcome_missing");
        let outcome = AddProof {
            claim: id("c"),
            partner: p(),
            programme: prog(),
            fund: Mdf,
            proof: Vec::new(),
            outcome: Some(Outcome { leads: Some(30), revenue: None }),
        };
        story.and(outcome).and(pay(Mdf, "c", None));
    }
}
