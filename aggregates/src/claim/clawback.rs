//! ClawbackClaim, RecoverClawback and WriteOffClawback: what was paid is demanded back, and what
//! is demanded comes back in cash, is set off, or is given up.

use super::case::{self, at_most, check_amount};
use super::pay_claim::{pay_parts, unpay_parts};
use super::state::{self, Claim, ClaimPart, take_from};
use super::{ClaimRejection, ClaimState};
use crate::context::sealed;
use crate::mdf;
use crate::posting::{Move, Posting};
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, money};
use chl_commands::claim::{ClawbackClaim, RecoverClawback, WriteOffClawback};
use chl_events::claim::{ClaimClawedBack, ClawbackRecovered, ClawbackWrittenOff, RecoveryMethod};
use chl_events::{ClaimId, Commit, Money};

/// ClawbackClaim. MDF goes back to the partner's allocation until the request's tail is over,
/// and from then on to the budget.
pub(super) fn claw_back(
    command: &ClawbackClaim,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ClawbackClaim { claim: id, partner, programme, fund, amount, note } = command;
    check_amount(*amount)?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let paid = claim.sum(ClaimPart::kept);
    if paid.is_zero() {
        return Err(claim.wrong_state(id));
    }
    let case = case::open(facts, &claim, context)?;
    let amount = at_most(*amount, paid, |paid, given| ClaimRejection::OverPaid { paid, given })?;

    let (parts, _) = take_from(&claim.by_lot(ClaimPart::kept), amount);
    let mut lines = Posting::of(*fund, partner);
    for part in &parts {
        let account = case.account(facts, &claim, part)?;
        lines = lines.add_to(Move::Owe(account), part.lot.as_ref(), part.amount);
    }
    let mut restored = false;
    if let Some((request, _)) = &claim.request {
        let request = mdf::request(facts, programme, partner, request)?;
        let tail = request.approval.as_ref().map(|approval| approval.tail_until);
        restored = tail.is_some_and(|until| context.time < until);
        lines = lines.add(if restored { Move::Restore } else { Move::Forfeit }, amount);
    }
    let event = ClaimClawedBack {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        amount,
        parts,
        restored,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(case.today, event, lines.lines())])
}

pub(super) fn clawed_back(
    event: &ClaimClawedBack,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    case::owes(rows, &before, money::add, event.amount)?;
    if event.restored {
        mdf::change_fund(rows, &event.programme, &event.partner, |fund| {
            money::add(&mut fund.available, event.amount);
        })?;
    }
    state::change(rows, &event.claim, commit, |claim| {
        state::move_parts(claim, &event.parts, |part, amount| {
            money::add(&mut part.clawed_back, amount);
        });
    })
}

/// What is left to recover of a claim: what it owes, as far as payments of other claims have not
/// set it off already.
fn open_debt(facts: Facts<'_>, id: &ClaimId, claim: &Claim) -> Result<Money, Refusal> {
    let debt = money::min(claim.outstanding(), case::owed(facts, claim)?);
    if debt.is_zero() {
        return Err(claim.wrong_state(id));
    }
    Ok(debt)
}

fn over_owed(owed: Money, given: Money) -> ClaimRejection {
    ClaimRejection::OverOwed { owed, given }
}

/// RecoverClawback. Netting sets off what is still payable of this claim; paying another claim by
/// netting sets off that one.
pub(super) fn recover(
    command: &RecoverClawback,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let RecoverClawback { claim: id, partner, programme, fund, amount, method, note } = command;
    check_amount(*amount)?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let debt = open_debt(facts, id, &claim)?;
    let method = method.unwrap_or(RecoveryMethod::Cash);
    if method == RecoveryMethod::Netting && claim.state != ClaimState::Approved {
        return Err(claim.wrong_state(id));
    }
    let case = case::open(facts, &claim, context)?;
    let payable = claim.sum(|part| part.payable);
    let netting = method == RecoveryMethod::Netting;
    let all = if netting { money::min(debt, payable) } else { debt };
    let amount = at_most(Some(amount.unwrap_or(all)), debt, over_owed)?;
    let mut lines = Posting::of(*fund, partner);
    let mut parts = Vec::new();
    if netting {
        if amount.minor() > payable.minor() {
            return Err(ClaimRejection::OverPayable { payable, given: amount }.into());
        }
        (parts, _) = take_from(&claim.by_lot(|part| part.payable), amount);
        lines = lines.add_parts(Move::Net, &parts);
    } else {
        lines = lines.add(Move::Recover, amount);
    }
    let event = ClawbackRecovered {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        amount,
        method,
        parts,
        note: sealed(note.as_ref()),
    };
    Ok(vec![Fact::posting(case.today, event, lines.lines())])
}

pub(super) fn recovered(
    event: &ClawbackRecovered,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    case::owes(rows, &before, money::take, event.amount)?;
    state::change(rows, &event.claim, commit, |claim| {
        money::add(&mut claim.settled, event.amount);
        if !event.parts.is_empty() {
            pay_parts(claim, &event.parts);
        }
    })
}

/// Whether a recovery can be taken back: what it set off was not demanded back meanwhile.
pub(crate) fn can_undo_recovery(
    facts: Facts<'_>,
    event: &ClawbackRecovered,
) -> Result<bool, Unavailable> {
    let claim = facts.get::<Claim>(&event.claim)?;
    Ok(claim.is_some_and(|claim| claim.keeps(&event.parts)))
}

/// Undoes a recovery that was an error.
pub(crate) fn recovery_undone(
    event: &ClawbackRecovered,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    case::owes(rows, &before, money::add, event.amount)?;
    state::change(rows, &event.claim, commit, |claim| {
        money::take(&mut claim.settled, event.amount);
        if !event.parts.is_empty() {
            unpay_parts(claim, &event.parts);
        }
    })
}

/// WriteOffClawback.
pub(super) fn write_off(
    command: &WriteOffClawback,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let WriteOffClawback { claim: id, partner, programme, fund, amount, note } = command;
    check_amount(*amount)?;
    let claim = state::named(facts, id, partner, programme, *fund)?;
    let debt = open_debt(facts, id, &claim)?;
    let case = case::open(facts, &claim, context)?;
    let amount = at_most(*amount, debt, over_owed)?;
    let event = ClawbackWrittenOff {
        claim: id.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        fund: *fund,
        amount,
        note: sealed(note.as_ref()),
    };
    let lines = Posting::of(*fund, partner).add(Move::WriteOff, amount).lines();
    Ok(vec![Fact::posting(case.today, event, lines)])
}

pub(super) fn written_off(
    event: &ClawbackWrittenOff,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    case::owes(rows, &before, money::take, event.amount)?;
    state::change(rows, &event.claim, commit, |claim| money::add(&mut claim.settled, event.amount))
}

/// Undoes a write-off that was an error.
pub(crate) fn write_off_undone(
    event: &ClawbackWrittenOff,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let before = state::of_fact(&*rows, &event.claim)?;
    case::owes(rows, &before, money::add, event.amount)?;
    state::change(rows, &event.claim, commit, |claim| money::take(&mut claim.settled, event.amount))
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, approve, approve_request, claim, claim_mdf, claw_back, coop_terms, fund_of, half,
        mdf_fund, pay, recover, request, two_percent, write_off,
    };
    use crate::given::Given;
    use crate::story::usd;
    use chl_commands::claim::{PayClaim, RecoverClawback};
    use chl_events::Fund::{self, Coop, Mdf};
    use chl_events::claim::{PaymentMethod, RecoveryMethod};

    /// A claim of 10 of which 6 are paid.
    fn part_paid() -> Given {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "2000"));
        let story = story.and(claim("c", "20")).and(claim("d", "20")).by_manager("cm", 1);
        let story = story.and(approve(Coop, "c", None)).and(approve(Coop, "d", None));
        story.by_finance("fin").and(pay(Coop, "c", Some("6")))
    }

    fn netting(fund: Fund, claim: &str) -> RecoverClawback {
        RecoverClawback { method: Some(RecoveryMethod::Netting), ..recover(fund, claim, None) }
    }

    #[test]
    fn recovered_in_cash_set_off_and_given_up() {
        let mut story = part_paid().and(claw_back(Coop, "c", None));
        story.when(claw_back(Coop, "c", None)).refused("claim.wrong_state");
        story.when(recover(Coop, "c", Some("6.01"))).refused("claim.over_owed");
        let story = story.and(recover(Coop, "c", Some("1"))).and(write_off(Coop, "c", Some("2")));
        let mut story = story;
        story.when(write_off(Coop, "c", Some("3.01"))).refused("claim.over_owed");
        let too_much = RecoverClawback { amount: Some(usd("3.01")), ..netting(Coop, "c") };
        story.when(too_much).refused("claim.over_owed");
        let mut story = story.and(netting(Coop, "c"));
        story.when(recover(Coop, "c", None)).refused("claim.wrong_state");
        story.when(write_off(Coop, "c", None)).refused("claim.wrong_state");
        // One is payable still; what netting paid can be demanded back too.
        story.and(pay(Coop, "c", Some("1"))).and(claw_back(Coop, "c", Some("4")));
    }

    #[test]
    fn more_is_set_off_than_is_payable() {
        let story = part_paid().and(pay(Coop, "c", Some("3"))).and(claw_back(Coop, "c", None));
        let mut story = story;
        let all = RecoverClawback { amount: Some(usd("9")), ..netting(Coop, "c") };
        story.when(all).refused("claim.over_payable");
    }

    #[test]
    fn paying_another_claim_by_netting_sets_off_this_one() {
        let story = part_paid().and(claw_back(Coop, "c", None));
        let net = PayClaim { method: Some(PaymentMethod::Netting), ..pay(Coop, "d", None) };
        let mut story = story.and(net);
        story.when(recover(Coop, "c", None)).refused("claim.wrong_state");
        story.and(pay(Coop, "d", Some("4")));
    }

    #[test]
    fn mdf_goes_back_to_the_partner_until_the_tail_is_over() {
        let story = mdf_fund(half()).and(request("r", "4000")).by_manager("cm", 1);
        let story = story.and(approve_request("r")).by_operator().at("2026-03-10T09:00:00Z");
        let story = story.and(claim_mdf("c", "r", "4000")).by_manager("cm", 1);
        let story = story.and(approve(Mdf, "c", None)).by_finance("fin").and(pay(Mdf, "c", None));
        assert_eq!(story.allocated(), usd("2000"));
        let story = story.and(claw_back(Mdf, "c", Some("500")));
        assert_eq!(story.allocated(), usd("2500"));
        // Claims until 11 May, and 90 days of tail from then on.
        let story = story.at("2026-08-08T23:59:59Z").and(claw_back(Mdf, "c", Some("500")));
        assert_eq!(story.allocated(), usd("3000"));
        let story = story.at("2026-08-10T00:00:00Z").and(claw_back(Mdf, "c", Some("500")));
        assert_eq!(story.allocated(), usd("3000"));
        let mut story = story.and(recover(Mdf, "c", Some("1000"))).and(write_off(Mdf, "c", None));
        story.when(claw_back(Mdf, "c", Some("500.01"))).refused("claim.over_paid");
    }
}
