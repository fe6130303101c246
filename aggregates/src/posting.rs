//! Posting lines in balanced pairs, by the table of double entry.
//!
//! A [`Move`] is a row of that table: it knows both of its accounts, so that no decision can post
//! one side alone or cross the books with the memo book.

use chl_events::{
    Account, Book, Fund, LotId, Money, PartnerId, PostingLine, Side, claim::Part,
    terms::IncentiveAccount,
};

/// A row of the table of double entry: what is debited, what is credited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Earned on a sale: CR or EX to AL.
    Accrue(IncentiveAccount),
    /// A sale returned, as far as the lot holds it: AL to CR or EX.
    Unaccrue(IncentiveAccount),
    /// What is demanded back: RC to CR or EX.
    Owe(IncentiveAccount),
    /// A lot expired: AL to CR or EX, as it was accrued.
    Expire(IncentiveAccount),
    /// A claim on co-op submitted: AL to HL.
    HoldAccrued,
    /// The rest of a hold on co-op: HL to AL.
    ReleaseAccrued,
    /// A claim on MDF submitted: CR or EX to HL.
    HoldIncentive(IncentiveAccount),
    /// The rest of a hold on MDF: HL to CR or EX.
    ReleaseIncentive(IncentiveAccount),
    /// A claim approved: HL to PL.
    Approve,
    /// Paid in cash: PL to CASH.
    PayCash,
    /// Tax withheld of a payment: PL to WH.
    Withhold,
    /// Paid by credit memo: PL to AR.
    PayCreditMemo,
    /// Set off against what the partner owes: PL to RC.
    Net,
    /// Cash came back: CASH to PL.
    UnpayCash,
    /// Tax withheld of a payment that came back: WH to PL.
    Unwithhold,
    /// A credit memo was undone: AR to PL.
    UnpayCreditMemo,
    /// A set-off was undone: RC to PL.
    Unnet,
    /// The partner paid back what it owed: CASH to RC.
    Recover,
    /// What the partner owed was given up: EX to RC.
    WriteOff,
    /// Memo: a budget created: .unallocated to .source.
    Budget,
    /// Memo: a budget closed: .source to .unallocated.
    Unbudget,
    /// Memo: allocated to a partner: .partner to .unallocated.
    Allocate,
    /// Memo: an allocation returned: .unallocated to .partner.
    Deallocate,
    /// Memo: reserved by a request: .reserved to .partner.
    Reserve,
    /// Memo: a reservation released: .partner to .reserved.
    Unreserve,
    /// Memo: spent of a reservation: .spent to .reserved.
    Spend,
    /// Memo: clawed back to the partner's allocation: .partner to .spent.
    Restore,
    /// Memo: clawed back once the request's tail is over: .unallocated to .spent.
    Forfeit,
}

fn incentive(account: IncentiveAccount) -> Account {
    match account {
        IncentiveAccount::ContraRevenue => Account::ContraRevenue,
        IncentiveAccount::Expense => Account::Expense,
    }
}

impl Move {
    fn accounts(self) -> (Book, Account, Account) {
        use Account::{
            Accrued, BudgetPartner, BudgetReserved, BudgetSource, BudgetSpent, BudgetUnallocated,
            Cash, CreditMemo, Expense, Held, Payable, Receivable, Withholding,
        };
        use Book::{Books, Memo};
        match self {
            Self::Accrue(account) => (Books, incentive(account), Accrued),
            Self::Unaccrue(account) | Self::Expire(account) => (Books, Accrued, incentive(account)),
            Self::Owe(account) => (Books, Receivable, incentive(account)),
            Self::HoldAccrued => (Books, Accrued, Held),
            Self::ReleaseAccrued => (Books, Held, Accrued),
            Self::HoldIncentive(account) => (Books, incentive(account), Held),
            Self::ReleaseIncentive(account) => (Books, Held, incentive(account)),
            Self::Approve => (Books, Held, Payable),
            Self::PayCash => (Books, Payable, Cash),
            Self::Withhold => (Books, Payable, Withholding),
            Self::PayCreditMemo => (Books, Payable, CreditMemo),
            Self::Net => (Books, Payable, Receivable),
            Self::UnpayCash => (Books, Cash, Payable),
            Self::Unwithhold => (Books, Withholding, Payable),
            Self::UnpayCreditMemo => (Books, CreditMemo, Payable),
            Self::Unnet => (Books, Receivable, Payable),
            Self::Recover => (Books, Cash, Receivable),
            Self::WriteOff => (Books, Expense, Receivable),
            Self::Budget => (Memo, BudgetUnallocated, BudgetSource),
            Self::Unbudget => (Memo, BudgetSource, BudgetUnallocated),
            Self::Allocate => (Memo, BudgetPartner, BudgetUnallocated),
            Self::Deallocate => (Memo, BudgetUnallocated, BudgetPartner),
            Self::Reserve => (Memo, BudgetReserved, BudgetPartner),
            Self::Unreserve => (Memo, BudgetPartner, BudgetReserved),
            Self::Spend => (Memo, BudgetSpent, BudgetReserved),
            Self::Restore => (Memo, BudgetPartner, BudgetSpent),
            Self::Forfeit => (Memo, BudgetUnallocated, BudgetSpent),
        }
    }
}

/// The lines of one event: only ever pairs, and none of nothing.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    fund: Fund,
    partner: Option<PartnerId>,
    lines: Vec<PostingLine>,
}

impl Posting {
    /// Begins the lines of an event on a partner's fund.
    pub(crate) fn of(fund: Fund, partner: &PartnerId) -> Self {
        Self { fund, partner: Some(partner.clone()), lines: Vec::new() }
    }

    /// Begins the lines of an event on a budget, which is the vendor's alone.
    pub(crate) fn of_budget() -> Self {
        Self { fund: Fund::Mdf, partner: None, lines: Vec::new() }
    }

    /// Adds a pair; an amount of nothing posts nothing.
    pub(crate) fn add(self, what: Move, amount: Money) -> Self {
        self.add_to(what, None, amount)
    }

    /// Adds a pair on a lot; an amount of nothing posts nothing.
    pub(crate) fn add_to(mut self, what: Move, lot: Option<&LotId>, amount: Money) -> Self {
        let (book, debit, credit) = what.accounts();
        if amount.is_positive() {
            let line = |account, side| {
                let vendors = matches!(account, Account::BudgetSource | Account::BudgetUnallocated);
                let partner = self.partner.clone().filter(|_| !vendors);
                let (fund, lot) = (self.fund, lot.cloned());
                PostingLine { book, account, fund, partner, lot, side, amount }
            };
            let pair = [line(debit, Side::Debit), line(credit, Side::Credit)];
            self.lines.extend(pair);
        }
        self
    }

    /// Adds a pair for each part of a claim's money.
    pub(crate) fn add_parts(self, what: Move, parts: &[Part]) -> Self {
        let add = |lines: Self, part: &Part| lines.add_to(what, part.lot.as_ref(), part.amount);
        parts.iter().fold(self, add)
    }

    /// Adds what of a co-op lot becomes rebate: AL of co-op to AL of rebate, both of the lot.
    pub(crate) fn convert(mut self, lot: &LotId, amount: Money) -> Self {
        if amount.is_positive() {
            let line = |fund, side| PostingLine {
                book: Book::Books,
                account: Account::Accrued,
                fund,
                partner: self.partner.clone(),
                lot: Some(lot.clone()),
                side,
                amount,
            };
            let pair = [line(self.fund, Side::Debit), line(Fund::Rebate, Side::Credit)];
            self.lines.extend(pair);
        }
        self
    }

    /// The lines.
    pub(crate) fn lines(self) -> Vec<PostingLine> {
        self.lines
    }
}

/// The exact mirror of an event's lines: every side turned.
pub(crate) fn mirror(lines: &[PostingLine]) -> Vec<PostingLine> {
    let turned = |side| match side {
        Side::Debit => Side::Credit,
        Side::Credit => Side::Debit,
    };
    lines.iter().map(|line| PostingLine { side: turned(line.side), ..line.clone() }).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use chl_events::Currency;

    fn usd(minor: i128) -> Money {
        Money::from_minor(minor, Currency::new("USD").unwrap())
    }

    #[test]
    fn a_pair_has_two_equal_sides_of_one_book() {
        let partner = PartnerId::new("p-1").unwrap();
        let lines = Posting::of(Fund::Mdf, &partner)
            .add(Move::Approve, usd(500))
            .add(Move::Spend, usd(500))
            .add(Move::Unreserve, usd(0))
            .lines();
        let accounts: Vec<_> = lines.iter().map(|line| line.account.as_str()).collect();
        assert_eq!(accounts, ["HL", "PL", "BUD.spent", "BUD.reserved"]);
        let books: Vec<_> = lines.iter().map(|line| line.book).collect();
        assert_eq!(books, [Book::Books, Book::Books, Book::Memo, Book::Memo]);
    }

    #[test]
    fn a_budget_is_the_vendors_until_it_is_allocated() {
        let partner = PartnerId::new("p-1").unwrap();
        let lines = Posting::of(Fund::Mdf, &partner).add(Move::Allocate, usd(500)).lines();
        let partners: Vec<_> = lines.iter().map(|line| line.partner.is_some()).collect();
        assert_eq!(partners, [true, false]);
    }

    #[test]
    fn a_mirror_of_a_mirror_is_the_entry() {
        let partner = PartnerId::new("p-1").unwrap();
        let lines = Posting::of(Fund::Coop, &partner).add(Move::HoldAccrued, usd(7)).lines();
        assert_ne!(mirror(&lines), lines);
        assert_eq!(mirror(&mirror(&lines)), lines);
    }
}
