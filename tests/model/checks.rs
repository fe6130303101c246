//! What must be true of every history, read off its commits alone.

use chl_events::{
    Account, Book, ClaimId, Commit, Currency, Date, Event, Fund, LotId, PartnerId, PostingLine,
    Side,
    claim::{ClaimEvent, Part},
    ledger::LedgerEvent,
};
use std::collections::BTreeMap;

type Place = (Fund, Option<PartnerId>, Currency, Option<LotId>, Account);

/// Follows the money of a history.
#[derive(Debug, Default)]
pub(crate) struct Books {
    balances: BTreeMap<Place, i128>,
    holds: BTreeMap<ClaimId, Vec<Part>>,
    /// The first day the books are open, once some were closed.
    open_from: Option<Date>,
}

impl Books {
    /// Takes in a commit, and panics where it breaks a rule.
    pub(crate) fn take(&mut self, commit: &Commit) {
        for recorded in &commit.events {
            let told = || format!("{:?} at {}", recorded.event, commit.position);
            balanced(&recorded.lines, told);
            if !recorded.lines.is_empty() {
                let posted_on =
                    recorded.effective_on.max(self.open_from.unwrap_or(recorded.effective_on));
                assert_eq!(recorded.posted_on, posted_on, "{}", told());
            }
            for line in &recorded.lines {
                self.post(line, told);
            }
            if let Event::Claim(event) = &recorded.event {
                self.hold(event, told);
            }
            if let Event::Ledger(LedgerEvent::PeriodClosed(event)) = &recorded.event {
                self.open_from = event.through.plus_days(1);
            }
            if let Event::Ledger(LedgerEvent::PeriodReopened(event)) = &recorded.event {
                self.open_from = Some(event.from);
            }
        }
    }

    fn post(&mut self, line: &PostingLine, told: impl Fn() -> String) {
        let credit_side = match line.account {
            Account::Accrued | Account::Held | Account::Payable => true,
            Account::Receivable
            | Account::BudgetUnallocated
            | Account::BudgetPartner
            | Account::BudgetReserved
            | Account::BudgetSpent => false,
            // What only has to balance may have either sign.
            Account::ContraRevenue
            | Account::Expense
            | Account::Cash
            | Account::CreditMemo
            | Account::Withholding
            | Account::Unclaimed
            | Account::Rounding
            | Account::BudgetSource => return,
        };
        let currency = line.amount.currency();
        // What a partner owes is owed as a whole, not by lot.
        let lot = line.lot.clone().filter(|_| credit_side);
        let place = (line.fund, line.partner.clone(), currency, lot, line.account);
        let adds = (line.side == Side::Credit) == credit_side;
        let balance = self.balances.entry(place.clone()).or_default();
        *balance += if adds { line.amount.minor() } else { -line.amount.minor() };
        assert!(*balance >= 0, "{place:?} stands at {balance} after {}", told());
    }

    /// A hold begins once and ends once: what is approved, released and expired is what was held.
    fn hold(&mut self, event: &ClaimEvent, told: impl Fn() -> String) {
        match event {
            ClaimEvent::CoopClaimed(e) => self.begin(&e.claim, e.parts.clone(), told),
            ClaimEvent::MdfClaimed(e) => {
                self.begin(&e.claim, vec![Part { lot: None, amount: e.granted }], told);
            }
            ClaimEvent::ClaimDisputed(e) => self.begin(&e.claim, e.parts.clone(), told),
            ClaimEvent::ClaimApproved(e) => {
                // What expires at once was released first.
                self.end(&e.claim, &[&e.parts, &e.released], &e.expired, told);
            }
            ClaimEvent::ClaimRejected(e) => self.end(&e.claim, &[&e.released], &e.expired, told),
            ClaimEvent::ClaimWithdrawn(e) => self.end(&e.claim, &[&e.released], &e.expired, told),
            ClaimEvent::ProofAdded(_)
            | ClaimEvent::ClaimPaid(_)
            | ClaimEvent::PaymentFailed(_)
            | ClaimEvent::ClaimClawedBack(_)
            | ClaimEvent::ClawbackRecovered(_)
            | ClaimEvent::ClawbackWrittenOff(_) => {}
        }
    }

    fn begin(&mut self, claim: &ClaimId, parts: Vec<Part>, told: impl Fn() -> String) {
        let held = self.holds.insert(claim.clone(), parts);
        assert!(held.is_none(), "held twice: {}", told());
    }

    fn end(
        &mut self,
        claim: &ClaimId,
        ends: &[&Vec<Part>],
        expired: &[Part],
        told: impl Fn() -> String,
    ) {
        let Some(held) = self.holds.remove(claim) else {
            panic!("nothing was held: {}", told());
        };
        let ended = sums(ends.iter().flat_map(|parts| parts.iter()));
        assert_eq!(sums(&held), ended, "{}", told());
        let released = sums(ends.last().into_iter().flat_map(|parts| parts.iter()));
        for (lot, amount) in sums(expired) {
            let released = released.get(&lot).copied().unwrap_or(0);
            assert!(amount <= released, "more expired than was released: {}", told());
        }
    }
}

fn sums<'a>(parts: impl IntoIterator<Item = &'a Part>) -> BTreeMap<Option<LotId>, i128> {
    let mut sums = BTreeMap::new();
    for part in parts {
        *sums.entry(part.lot.clone()).or_default() += part.amount.minor();
    }
    sums.retain(|_, amount| *amount != 0);
    sums
}

fn balanced(lines: &[PostingLine], told: impl Fn() -> String) {
    let mut sums: BTreeMap<(Book, Currency), i128> = BTreeMap::new();
    for line in lines {
        assert!(line.amount.is_positive(), "a line of {} in {}", line.amount, told());
        let minor = line.amount.minor();
        let signed = if line.side == Side::Debit { minor } else { -minor };
        *sums.entry((line.book, line.amount.currency())).or_default() += signed;
    }
    for (place, sum) in sums {
        assert_eq!(sum, 0, "{place:?} in {}", told());
    }
}
