//! Balances: what each fund holds, by lot and in total.
//!
//! The columns follow from the accounts the posting lines name and from the event's type:
//! *stocks* (available, held, payable, reserved) from the accounts alone; a *flow* (accrued, paid,
//! expired and so on) is by how much the event changes the sum of the stocks, so that available +
//! held + payable + reserved = accrued − reversed − expired − converted − paid + restored holds
//! row by row.

use crate::{FoldError, Keeps, Minor, fact::Fact, row::row};
use chl_events::{
    Account, Currency, Event, Fund, PartnerId, PostingLine, ProgrammeId, Side, budget::BudgetEvent,
    claim::ClaimEvent, coop::CoopEvent, ledger::LedgerEvent, mdf::MdfEvent, rebate::RebateEvent,
};
use compact_str::CompactString;

/// The word in the place of a lot for the fund as a whole.
pub const TOTAL: &str = "total";

row! {
    /// A fund of a partner in a programme: one of its lots, or the `total`.
    BalanceRow in "balances"
    keys {
        /// The partner.
        partner: PartnerId,
        /// The programme.
        programme: ProgrammeId,
        /// The fund.
        fund: Fund,
        /// The lot, or `total`.
        lot: CompactString,
        /// The currency of all amounts.
        currency: Currency,
    }
    fields {
        /// Accrued; for MDF allocated.
        accrued: Minor,
        /// Reserved by approved requests and not yet claimed.
        reserved: Minor,
        /// Free: net of holds and reservations.
        available: Minor,
        /// Held by open claims.
        held: Minor,
        /// Approved and not yet paid.
        payable: Minor,
        /// Paid, tax withheld and netting included, failures taken off.
        paid: Minor,
        /// Expired unused.
        expired: Minor,
        /// Taken back by returns, as far as the lot held it; for MDF allocation returned.
        reversed: Minor,
        /// Became rebate.
        converted: Minor,
        /// MDF clawed back and put back to the partner's allocation.
        restored: Minor,
        /// Demanded back.
        clawed_back: Minor,
        /// Of that, recovered.
        recovered: Minor,
        /// Of that, given up.
        written_off: Minor,
    }
    indices [["programme", "fund"]]
}

impl BalanceRow {
    fn empty(key: &(PartnerId, ProgrammeId, Fund, CompactString, Currency)) -> Self {
        let (partner, programme, fund, lot, currency) = key.clone();
        Self {
            partner,
            programme,
            fund,
            lot,
            currency,
            accrued: Minor(0),
            reserved: Minor(0),
            available: Minor(0),
            held: Minor(0),
            payable: Minor(0),
            paid: Minor(0),
            expired: Minor(0),
            reversed: Minor(0),
            converted: Minor(0),
            restored: Minor(0),
            clawed_back: Minor(0),
            recovered: Minor(0),
            written_off: Minor(0),
        }
    }

    /// By how much the two sides of the identity of balances differ; 0 when it holds.
    pub fn identity_gap(&self) -> i128 {
        let stocks = self.available.0 + self.held.0 + self.payable.0 + self.reserved.0;
        let inflow = self.accrued.0 + self.restored.0;
        let outflow = self.reversed.0 + self.expired.0 + self.converted.0 + self.paid.0;
        stocks - (inflow - outflow)
    }
}

/// Which flow an event's change of a fund's stocks belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// Money moves within the fund only.
    Within,
    Accrued,
    Reversed,
    Expired,
    /// Out of co-op, into rebate.
    Converted,
    Paid,
    Restored,
}

/// Which column a change of the clawback receivable belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owed {
    ClawedBack,
    Recovered,
    WrittenOff,
}

/// What the type of an event says of its postings.
fn meaning(event: &Event) -> Option<(Flow, Owed)> {
    match event {
        Event::Ledger(event) => match event {
            LedgerEvent::LedgerOpened(_)
            | LedgerEvent::LogRepaired(_)
            | LedgerEvent::EntryReversed(_)
            | LedgerEvent::PeriodClosed(_)
            | LedgerEvent::ClosingBalancesRecorded(_)
            | LedgerEvent::PeriodReopened(_)
            | LedgerEvent::PersonForgotten(_) => None,
        },
        Event::Partner(_)
        | Event::Programme(_)
        | Event::Customer(_)
        | Event::Deal(_)
        | Event::Conflict(_) => None,
        Event::Budget(event) => match event {
            BudgetEvent::MdfBudgetCreated(_) | BudgetEvent::MdfBudgetClosed(_) => None,
            BudgetEvent::MdfAllocated(_) => Some((Flow::Accrued, Owed::ClawedBack)),
            BudgetEvent::MdfAllocationReturned(_) => Some((Flow::Reversed, Owed::ClawedBack)),
        },
        Event::Mdf(event) => Some((mdf_flow(event), Owed::ClawedBack)),
        Event::Coop(event) => Some((coop_flow(event), Owed::ClawedBack)),
        Event::Claim(event) => Some(claim_meaning(event)),
        Event::Rebate(event) => match event {
            RebateEvent::RebateCredited(_) => Some((Flow::Accrued, Owed::ClawedBack)),
        },
    }
}

fn mdf_flow(event: &MdfEvent) -> Flow {
    match event {
        MdfEvent::MdfAllocationCredited(_) => Flow::Accrued,
        MdfEvent::MdfAllocationReduced(_) => Flow::Reversed,
        MdfEvent::MdfRequested(_)
        | MdfEvent::MdfRequestApproved(_)
        | MdfEvent::MdfRequestRejected(_)
        | MdfEvent::MdfRequestCancelled(_)
        | MdfEvent::MdfRequestLapsed(_) => Flow::Within,
    }
}

fn coop_flow(event: &CoopEvent) -> Flow {
    match event {
        CoopEvent::CoopLotOpened(_) => Flow::Within,
        CoopEvent::CoopAccrued(_) => Flow::Accrued,
        CoopEvent::CoopAccrualReversed(_) => Flow::Reversed,
        CoopEvent::CoopPeriodClosed(_) => Flow::Converted,
        CoopEvent::CoopLotExpired(_) => Flow::Expired,
    }
}

fn claim_meaning(event: &ClaimEvent) -> (Flow, Owed) {
    match event {
        ClaimEvent::CoopClaimed(_)
        | ClaimEvent::MdfClaimed(_)
        | ClaimEvent::ProofAdded(_)
        | ClaimEvent::ClaimDisputed(_) => (Flow::Within, Owed::ClawedBack),
        // What is released to an expired lot expires at once, in the same event.
        ClaimEvent::ClaimWithdrawn(_)
        | ClaimEvent::ClaimApproved(_)
        | ClaimEvent::ClaimRejected(_) => (Flow::Expired, Owed::ClawedBack),
        ClaimEvent::ClaimPaid(_)
        | ClaimEvent::PaymentFailed(_)
        | ClaimEvent::ClawbackRecovered(_) => (Flow::Paid, Owed::Recovered),
        ClaimEvent::ClaimClawedBack(_) => (Flow::Restored, Owed::ClawedBack),
        ClaimEvent::ClawbackWrittenOff(_) => (Flow::Within, Owed::WrittenOff),
    }
}

/// Folds an event's posting lines.
pub(crate) fn fold<S: Keeps<BalanceRow>>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    if fact.recorded.lines.is_empty() {
        return Ok(());
    }
    let Some(meaning) = meaning(fact.event()) else { return Ok(()) };
    for line in &fact.recorded.lines {
        fold_line(fact, meaning, line, store)?;
    }
    Ok(())
}

fn fold_line<S: Keeps<BalanceRow>>(
    fact: &Fact<'_>,
    meaning: (Flow, Owed),
    line: &PostingLine,
    store: &mut S,
) -> Result<(), FoldError> {
    let Some(change) = Change::of(line) else { return Ok(()) };
    let (Some(partner), Some(programme)) = (&line.partner, fact.programme()) else {
        return Ok(());
    };
    let total = CompactString::const_new(TOTAL);
    let lots = line.lot.as_ref().map(|lot| CompactString::new(lot.as_str()));
    for lot in lots.into_iter().chain([total]) {
        let currency = line.amount.currency();
        let key = (partner.clone(), programme.clone(), line.fund, lot, currency);
        let row = store.edit_or(&key, BalanceRow::empty)?;
        change.apply(fact, meaning, row)?;
    }
    Ok(())
}

/// What one posting line changes: an account's balance, in the direction of its normal side.
struct Change {
    account: Stock,
    minor: i128,
}

/// The accounts of a fund that balances show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stock {
    Accrued,
    Held,
    Payable,
    Receivable,
    Allocated,
    Reserved,
}

impl Change {
    fn of(line: &PostingLine) -> Option<Self> {
        let (account, normal) = match line.account {
            Account::Accrued => (Stock::Accrued, Side::Credit),
            Account::Held => (Stock::Held, Side::Credit),
            Account::Payable => (Stock::Payable, Side::Credit),
            Account::Receivable => (Stock::Receivable, Side::Debit),
            Account::BudgetPartner => (Stock::Allocated, Side::Debit),
            Account::BudgetReserved => (Stock::Reserved, Side::Debit),
            Account::ContraRevenue
            | Account::Expense
            | Account::Cash
            | Account::CreditMemo
            | Account::Withholding
            | Account::Unclaimed
            | Account::Rounding
            | Account::BudgetSource
            | Account::BudgetUnallocated
            | Account::BudgetSpent => return None,
        };
        let minor = line.amount.minor();
        let minor = if line.side == normal { minor } else { -minor };
        Some(Self { account, minor })
    }

    fn apply(
        &self,
        fact: &Fact<'_>,
        (flow, owed): (Flow, Owed),
        row: &mut BalanceRow,
    ) -> Result<(), FoldError> {
        let minor = self.minor;
        let moved = match self.account {
            Stock::Accrued | Stock::Allocated => {
                fact.add(&mut row.available, minor)?;
                minor
            }
            Stock::Reserved => {
                fact.add(&mut row.reserved, minor)?;
                minor
            }
            Stock::Payable => {
                fact.add(&mut row.payable, minor)?;
                minor
            }
            Stock::Held => {
                fact.add(&mut row.held, minor)?;
                // The hold of an MDF claim lies within what its request reserved.
                if row.fund == Fund::Mdf {
                    fact.add(&mut row.reserved, -minor)?;
                    0
                } else {
                    minor
                }
            }
            Stock::Receivable => {
                let (column, minor) = match owed {
                    Owed::ClawedBack => (&mut row.clawed_back, minor),
                    Owed::Recovered => (&mut row.recovered, -minor),
                    Owed::WrittenOff => (&mut row.written_off, -minor),
                };
                fact.add(column, minor)?;
                0
            }
        };
        flowed(fact, flow, moved, row)
    }
}

fn flowed(fact: &Fact<'_>, flow: Flow, moved: i128, row: &mut BalanceRow) -> Result<(), FoldError> {
    let (column, minor) = match (flow, row.fund) {
        // Lines that move money within the fund cancel; the two sides meet in `accrued`.
        (Flow::Accrued | Flow::Within, _) | (Flow::Converted, Fund::Rebate) => {
            (&mut row.accrued, moved)
        }
        (Flow::Reversed, _) => (&mut row.reversed, -moved),
        (Flow::Expired, _) => (&mut row.expired, -moved),
        (Flow::Converted, Fund::Coop | Fund::Mdf) => (&mut row.converted, -moved),
        (Flow::Paid, _) => (&mut row.paid, -moved),
        (Flow::Restored, _) => (&mut row.restored, moved),
    };
    fact.add(column, minor)
}
