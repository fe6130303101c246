//! ReverseEntry: an error is reversed by its exact mirror, on the stream of the error.
//!
//! Only where the state can be as if the entry had never been: accruals and returns that nothing
//! was built on, recoveries and write-offs of clawbacks, a budget nobody touched. Everything else
//! has a command of its own that undoes it, and the rejection names it.

use super::{LedgerRejection, Reversal};
use crate::posting::mirror;
use crate::rejection::AnyRejection;
use crate::{
    Context, Fact, Facts, Refusal, RowsMut, Unavailable, budget, claim, coop, programme, rows,
};
use chl_commands::ledger::ReverseEntry;
use chl_events::budget::BudgetEvent;
use chl_events::claim::ClaimEvent;
use chl_events::coop::CoopEvent;
use chl_events::ledger::EntryReversed;
use chl_events::mdf::MdfEvent;
use chl_events::{Commit, Date, Event, RecordedEvent, Sealable, Stream};
use std::sync::Arc;

pub(super) fn decide(
    command: &ReverseEntry,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let position = command.position;
    let reason = command
        .reason
        .sealed()
        .cloned()
        .ok_or_else(|| AnyRejection::data("reason", "is kept sealed only"))?;
    let entry = entry(facts, position)?;
    if let Some(reversal) = facts.get::<Reversal>(position)? {
        return Err(LedgerRejection::EntryReversed { position, by: reversal.by }.into());
    }
    let mut money = entry.events.iter().filter(|event| !event.lines.is_empty());
    let Some(first) = money.next() else {
        return Err(LedgerRejection::NoMoney { position }.into());
    };
    for recorded in std::iter::once(first).chain(money.clone()) {
        let alone = money.clone().next().is_none();
        if let Some(instead) = obstacle(facts, &recorded.event, alone)? {
            let event = recorded.event.kind().name;
            return Err(LedgerRejection::NotReversible { position, event, instead }.into());
        }
    }
    let today = today(facts, &entry, context)?;
    context.require_time()?;
    let event = EntryReversed { position, stream: entry.stream.clone(), reason };
    Ok(vec![Fact::posting(today, event, mirror(&first.lines))])
}

/// The commit at a position, or the rejection that there is none (class 3).
pub(super) fn entry(facts: Facts<'_>, position: u64) -> Result<Arc<Commit>, Refusal> {
    let unknown = || LedgerRejection::UnknownEntry { position };
    Ok(facts.0.commit(position)?.ok_or_else(unknown)?)
}

/// The day of the command in the zone of the entry's programme; UTC where it has none.
fn today(facts: Facts<'_>, entry: &Commit, context: &Context<'_>) -> Result<Date, Refusal> {
    let programme = match &entry.stream {
        Stream::Coop(programme, _) | Stream::Mdf(programme, _) | Stream::Rebate(programme, _) => {
            programme.clone()
        }
        Stream::Budget(id) => budget::known(facts, id)?.programme.clone(),
        Stream::Ledger | Stream::Partner(_) | Stream::Programme(_) | Stream::Customer(_) => {
            return Ok(context.time.date_utc());
        }
    };
    let newest = programme::known(facts, &programme)?.newest;
    Ok(programme::version(facts, &programme, newest)?.zone().day(context.time))
}

/// What is to be done instead, where an event cannot be mirrored.
fn obstacle(
    facts: Facts<'_>,
    event: &Event,
    alone: bool,
) -> Result<Option<&'static str>, Unavailable> {
    let unless = |can: bool, instead| (!can || !alone).then_some(instead);
    Ok(match event {
        Event::Coop(event) => match event {
            CoopEvent::CoopAccrued(event) => {
                unless(coop::can_undo_accrual(facts, event)?, "send ReverseAccrual")
            }
            CoopEvent::CoopAccrualReversed(event) => {
                unless(coop::can_undo_return(facts, event)?, "accrue what was sold as a new sale")
            }
            CoopEvent::CoopLotOpened(_)
            | CoopEvent::CoopPeriodClosed(_)
            | CoopEvent::CoopLotExpired(_) => Some("it follows from the terms"),
        },
        Event::Claim(event) => claim_obstacle(facts, event, alone)?,
        Event::Budget(event) => match event {
            BudgetEvent::MdfBudgetCreated(event) => {
                unless(budget::can_undo_creation(facts, event)?, "send CloseMdfBudget")
            }
            BudgetEvent::MdfBudgetClosed(_) => Some("send CreateMdfBudget"),
            BudgetEvent::MdfAllocated(_) => Some("send ReturnMdfAllocation"),
            BudgetEvent::MdfAllocationReturned(_) => Some("send AllocateMdf"),
        },
        Event::Mdf(event) => match event {
            MdfEvent::MdfAllocationCredited(_) => Some("send ReturnMdfAllocation"),
            MdfEvent::MdfAllocationReduced(_) => Some("send AllocateMdf"),
            MdfEvent::MdfRequestApproved(_) => Some("send CancelMdfRequest"),
            MdfEvent::MdfRequested(_)
            | MdfEvent::MdfRequestRejected(_)
            | MdfEvent::MdfRequestCancelled(_)
            | MdfEvent::MdfRequestLapsed(_) => Some("send RequestMdf again"),
        },
        Event::Ledger(_) => Some("send the first command again"),
        Event::Partner(_)
        | Event::Programme(_)
        | Event::Customer(_)
        | Event::Deal(_)
        | Event::Conflict(_)
        | Event::Rebate(_) => Some("it moves no money"),
    })
}

fn claim_obstacle(
    facts: Facts<'_>,
    event: &ClaimEvent,
    alone: bool,
) -> Result<Option<&'static str>, Unavailable> {
    Ok(match event {
        ClaimEvent::ClawbackRecovered(event) => {
            let can = alone && claim::can_undo_recovery(facts, event)?;
            (!can).then_some("send ClawbackClaim")
        }
        ClaimEvent::ClawbackWrittenOff(_) => (!alone).then_some("send ClawbackClaim"),
        ClaimEvent::CoopClaimed(_) | ClaimEvent::MdfClaimed(_) | ClaimEvent::ClaimDisputed(_) => {
            Some("send WithdrawClaim or RejectClaim")
        }
        ClaimEvent::ClaimApproved(_) => Some("send PayClaim, then ClawbackClaim"),
        ClaimEvent::ClaimRejected(_) => Some("send DisputeClaim"),
        ClaimEvent::ClaimWithdrawn(_) => Some("claim again under another identifier"),
        ClaimEvent::ClaimPaid(_) => Some("send FailPayment or ClawbackClaim"),
        ClaimEvent::PaymentFailed(_) => Some("send PayClaim"),
        ClaimEvent::ClaimClawedBack(_) => Some("send WriteOffClawback"),
        ClaimEvent::ProofAdded(_) => Some("it moves no money"),
    })
}

pub(super) fn evolve(
    event: &EntryReversed,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let position = event.position;
    let missing = || Unavailable(format!("no commit at {position}, which a fact reverses").into());
    let entry = rows.commit(position)?.ok_or_else(missing)?;
    for RecordedEvent { event, .. } in &entry.events {
        undo(event, commit, rows)?;
    }
    rows::put(rows, position, Reversal { by: commit.position });
    Ok(())
}

fn undo(event: &Event, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    match event {
        Event::Coop(CoopEvent::CoopAccrued(event)) => coop::accrual_undone(event, rows),
        Event::Coop(CoopEvent::CoopAccrualReversed(event)) => coop::return_undone(event, rows),
        Event::Claim(ClaimEvent::ClawbackRecovered(event)) => {
            claim::recovery_undone(event, commit, rows)
        }
        Event::Claim(ClaimEvent::ClawbackWrittenOff(event)) => {
            claim::write_off_undone(event, commit, rows)
        }
        Event::Budget(BudgetEvent::MdfBudgetCreated(event)) => {
            budget::creation_undone(event, rows);
            Ok(())
        }
        // A lot that an accrual opened stays open, and no other event is reversed.
        Event::Coop(_)
        | Event::Claim(_)
        | Event::Budget(_)
        | Event::Ledger(_)
        | Event::Partner(_)
        | Event::Programme(_)
        | Event::Customer(_)
        | Event::Deal(_)
        | Event::Conflict(_)
        | Event::Mdf(_)
        | Event::Rebate(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, allocate, approve, banded, budget, claim, claw_back, coop_terms, fund_of,
        give_back, half, mdf_fund, pay, recover, two_percent, write_off,
    };
    use crate::given::Given;
    use crate::story::usd;
    use chl_commands::claim::RecoverClawback;
    use chl_commands::ledger::ReverseEntry;
    use chl_events::FreeText;
    use chl_events::Fund::Coop;
    use chl_events::claim::RecoveryMethod;
    use chl_events::terms::{BandMode, CoopTerms};

    const LOT: &str = "20260101-20260331";

    fn at(position: u64) -> ReverseEntry {
        ReverseEntry { position, reason: FreeText::Plain("typed twice".into()) }
    }

    /// The entry recorded last.
    fn last(story: &Given) -> ReverseEntry {
        at(story.commits().last().expect("the story has begun").position)
    }

    #[test]
    fn an_accrual_is_as_if_it_had_never_been_once() {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "1000"));
        let error = last(&story);
        let mut story = story.and(error.clone());
        assert_eq!(story.available(LOT), usd("0"));
        story.when(error).refused("ledger.entry_reversed");
        let again = last(&story);
        story.when(again).refused("ledger.not_reversible");
        assert_eq!(story.and(accrue("s", "500")).available(LOT), usd("10"));
    }

    #[test]
    fn a_return_is_taken_back() {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "1000"));
        let sold = last(&story);
        let story = story.and(claim("c", "30")).and(give_back("s", "1000"));
        let mut story = story;
        story.when(sold).refused("ledger.not_reversible");
        let back = last(&story);
        assert_eq!(story.and(back).available(LOT), usd("5"));
    }

    #[test]
    fn what_other_figures_stand_on_is_not_mirrored() {
        let bands = banded(&[("0", "0.01"), ("1000", "0.10")], Some(BandMode::Marginal));
        let coop = CoopTerms { accrual: vec![bands], ..two_percent() };
        let story = fund_of(coop_terms(coop)).and(accrue("s", "1000"));
        let first = last(&story);
        let mut story = story.and(accrue("t", "500"));
        story.when(first).refused("ledger.not_reversible");
        let second = last(&story);
        assert_eq!(story.and(second).available(LOT), usd("10"));
        let mut story = fund_of(coop_terms(two_percent())).and(accrue("s", "1000"));
        let sold = last(&story);
        let mut claimed = story.clone().and(claim("c", "2"));
        claimed.when(sold).refused("ledger.not_reversible");
        let held = last(&claimed);
        claimed.when(held).refused("ledger.not_reversible");
        story.when(at(0)).refused("ledger.no_money");
        story.when(at(99)).refused("ledger.entry_unknown");
    }

    #[test]
    fn recoveries_and_write_offs() {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "1000"));
        let story = story.and(claim("c", "20")).by_manager("cm", 1).and(approve(Coop, "c", None));
        let story = story.by_finance("fin").and(pay(Coop, "c", Some("6")));
        let story = story.and(claw_back(Coop, "c", Some("5"))).and(recover(Coop, "c", Some("2")));
        let cash = last(&story);
        let story = story.and(cash).and(write_off(Coop, "c", Some("1")));
        let off = last(&story);
        let net = RecoverClawback {
            method: Some(RecoveryMethod::Netting),
            ..recover(Coop, "c", Some("4"))
        };
        let story = story.and(off).and(net.clone());
        let netted = last(&story);
        let mut clawed = story.clone().and(claw_back(Coop, "c", None));
        clawed.when(netted.clone()).refused("ledger.not_reversible");
        story.and(netted).and(net).and(recover(Coop, "c", Some("1")));
    }

    #[test]
    fn a_budget_nobody_touched() {
        let story = mdf_fund(half()).and(budget("x", "10"));
        let created = last(&story);
        let mut used = story.clone().and(allocate("x", "1"));
        used.when(created.clone()).refused("ledger.not_reversible");
        story.and(created).and(budget("x", "5"));
    }
}
