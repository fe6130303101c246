//! Days: what a partner sold, earned and was paid in a programme on one day, for scorecards.
//!
//! Kept by the day, so that every period can be summed from whole days.

use crate::{FoldError, Keeps, Minor, fact::Fact, row::row};
use chl_events::{
    Currency, Date, Event, Fund, Money, PartnerId, ProgrammeId, budget::BudgetEvent,
    claim::ClaimEvent, coop::CoopEvent, mdf::MdfEvent,
};

row! {
    /// A day of a partner in a programme.
    DayRow in "days"
    keys {
        /// The partner.
        partner: PartnerId,
        /// The programme.
        programme: ProgrammeId,
        /// The day.
        day: Date,
        /// The currency of all amounts.
        currency: Currency,
    }
    fields {
        /// Net sales, by the day they were sold; each sale stands once in a fund.
        sold: Minor,
        /// Net sales returned, by the day of the return.
        returned: Minor,
        /// Co-op accrued on sales.
        accrued: Minor,
        /// Accruals taken back on returns, from the lot or as owed.
        reversed: Minor,
        /// Co-op expired unused.
        expired: Minor,
        /// MDF allocated, returns taken off.
        allocated: Minor,
        /// MDF paid, failures taken off, by the day of payment.
        mdf_paid: Minor,
    }
    indices [["programme", "day"]]
}

impl DayRow {
    fn empty(key: &(PartnerId, ProgrammeId, Date, Currency)) -> Self {
        let (partner, programme, day, currency) = key.clone();
        Self {
            partner,
            programme,
            day,
            currency,
            sold: Minor(0),
            returned: Minor(0),
            accrued: Minor(0),
            reversed: Minor(0),
            expired: Minor(0),
            allocated: Minor(0),
            mdf_paid: Minor(0),
        }
    }
}

/// Folds what scorecards sum by day.
pub(crate) fn fold<S: Keeps<DayRow>>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    match fact.event() {
        Event::Coop(event) => fold_coop(fact, event, store),
        Event::Budget(event) => match event {
            BudgetEvent::MdfAllocated(e) => {
                allocated(fact, (&e.partner, &e.programme), e.amount, 1, store)
            }
            BudgetEvent::MdfAllocationReturned(e) if e.refused.is_some() => {
                allocated(fact, (&e.partner, &e.programme), e.amount, -1, store)
            }
            BudgetEvent::MdfAllocationReturned(_)
            | BudgetEvent::MdfBudgetCreated(_)
            | BudgetEvent::MdfBudgetClosed(_) => Ok(()),
        },
        Event::Mdf(event) => match event {
            MdfEvent::MdfAllocationReduced(e) => {
                allocated(fact, (&e.partner, &e.programme), e.amount, -1, store)
            }
            MdfEvent::MdfAllocationCredited(_)
            | MdfEvent::MdfRequested(_)
            | MdfEvent::MdfRequestApproved(_)
            | MdfEvent::MdfRequestRejected(_)
            | MdfEvent::MdfRequestCancelled(_)
            | MdfEvent::MdfRequestLapsed(_) => Ok(()),
        },
        Event::Claim(event) => fold_claim(fact, event, store),
        Event::Ledger(_)
        | Event::Partner(_)
        | Event::Programme(_)
        | Event::Customer(_)
        | Event::Deal(_)
        | Event::Conflict(_)
        | Event::Rebate(_) => Ok(()),
    }
}

fn fold_coop<S: Keeps<DayRow>>(
    fact: &Fact<'_>,
    event: &CoopEvent,
    store: &mut S,
) -> Result<(), FoldError> {
    match event {
        CoopEvent::CoopLotOpened(_) | CoopEvent::CoopPeriodClosed(_) => Ok(()),
        CoopEvent::CoopAccrued(e) => {
            let of = (&e.partner, &e.programme);
            let row = day(of, e.sold_on, e.net_amount, store)?;
            fact.add(&mut row.sold, e.net_amount.minor())?;
            let row = day(of, e.sold_on, e.amount, store)?;
            fact.add(&mut row.accrued, e.amount.minor())
        }
        CoopEvent::CoopAccrualReversed(e) => {
            let of = (&e.partner, &e.programme);
            let row = day(of, e.returned_on, e.net_amount, store)?;
            fact.add(&mut row.returned, e.net_amount.minor())?;
            let row = day(of, e.returned_on, e.from_lot, store)?;
            fact.add(&mut row.reversed, e.from_lot.minor())?;
            fact.add(&mut row.reversed, e.owed.minor())
        }
        CoopEvent::CoopLotExpired(e) => {
            let row = day((&e.partner, &e.programme), fact.effective_on(), e.amount, store)?;
            fact.add(&mut row.expired, e.amount.minor())
        }
    }
}

fn fold_claim<S: Keeps<DayRow>>(
    fact: &Fact<'_>,
    event: &ClaimEvent,
    store: &mut S,
) -> Result<(), FoldError> {
    let (of, fund, on, parts) = match event {
        ClaimEvent::ClaimPaid(e) => {
            return mdf_paid(
                fact,
                (&e.partner, &e.programme),
                e.fund,
                e.paid_on,
                (e.amount, 1),
                store,
            );
        }
        ClaimEvent::PaymentFailed(e) => {
            let on = fact.effective_on();
            return mdf_paid(fact, (&e.partner, &e.programme), e.fund, on, (e.amount, -1), store);
        }
        ClaimEvent::ClaimWithdrawn(e) => {
            ((&e.partner, &e.programme), e.fund, fact.effective_on(), &e.expired)
        }
        ClaimEvent::ClaimApproved(e) => {
            ((&e.partner, &e.programme), e.fund, fact.effective_on(), &e.expired)
        }
        ClaimEvent::ClaimRejected(e) => {
            ((&e.partner, &e.programme), e.fund, fact.effective_on(), &e.expired)
        }
        ClaimEvent::CoopClaimed(_)
        | ClaimEvent::MdfClaimed(_)
        | ClaimEvent::ProofAdded(_)
        | ClaimEvent::ClaimDisputed(_)
        | ClaimEvent::ClaimClawedBack(_)
        | ClaimEvent::ClawbackRecovered(_)
        | ClaimEvent::ClawbackWrittenOff(_) => return Ok(()),
    };
    for part in parts.iter().filter(|_| fund == Fund::Coop) {
        let row = day(of, on, part.amount, store)?;
        fact.add(&mut row.expired, part.amount.minor())?;
    }
    Ok(())
}

type Of<'a> = (&'a PartnerId, &'a ProgrammeId);

fn allocated<S: Keeps<DayRow>>(
    fact: &Fact<'_>,
    of: Of<'_>,
    amount: Money,
    sign: i128,
    store: &mut S,
) -> Result<(), FoldError> {
    let row = day(of, fact.effective_on(), amount, store)?;
    fact.add(&mut row.allocated, sign * amount.minor())
}

fn mdf_paid<S: Keeps<DayRow>>(
    fact: &Fact<'_>,
    of: Of<'_>,
    fund: Fund,
    on: Date,
    (amount, sign): (Money, i128),
    store: &mut S,
) -> Result<(), FoldError> {
    if fund != Fund::Mdf {
        return Ok(());
    }
    let row = day(of, on, amount, store)?;
    fact.add(&mut row.mdf_paid, sign * amount.minor())
}

fn day<'s, S: Keeps<DayRow>>(
    (partner, programme): Of<'_>,
    day: Date,
    amount: Money,
    store: &'s mut S,
) -> Result<&'s mut DayRow, FoldError> {
    let key = (partner.clone(), programme.clone(), day, amount.currency());
    Ok(store.edit_or(&key, DayRow::empty)?)
}
