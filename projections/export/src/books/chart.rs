//! The chart of accounts: which accounts the books have, and their names in each tool.

use chl_events::Account;
use compact_str::CompactString;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Stands in a name where a posting has no fund, programme, partner or lot, so that no account is
/// above another.
const NONE: &str = "none";

/// What one account of the books stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) account: Account,
    pub(crate) fund: Option<CompactString>,
    pub(crate) programme: Option<CompactString>,
    pub(crate) partner: Option<CompactString>,
    pub(crate) lot: Option<CompactString>,
}

impl Place {
    /// Its levels below the kind of account.
    pub(crate) fn levels(&self) -> [&str; 4] {
        [&self.fund, &self.programme, &self.partner, &self.lot]
            .map(|level| level.as_deref().unwrap_or(NONE))
    }
}

/// Where a kind of account stands in the books of other tools.
pub(crate) struct Root {
    /// hledger's name.
    pub(crate) hledger: &'static str,
    /// hledger's type of account.
    pub(crate) kind: char,
    /// Beancount's name.
    pub(crate) beancount: &'static str,
}

/// The root of a kind of account. Contra-revenue reduces revenue; the memo book, which balances by
/// itself, is equity, so that it stays out of the vendor's statements.
pub(crate) fn root(account: Account) -> Root {
    let root = |hledger, kind, beancount| Root { hledger, kind, beancount };
    match account {
        Account::ContraRevenue => root("revenues:contra", 'R', "Income:Contra"),
        Account::Expense => root("expenses:programmes", 'X', "Expenses:Programmes"),
        Account::Accrued => root("liabilities:accrued", 'L', "Liabilities:Accrued"),
        Account::Held => root("liabilities:held", 'L', "Liabilities:Held"),
        Account::Payable => root("liabilities:payable", 'L', "Liabilities:Payable"),
        Account::Cash => root("assets:cash", 'C', "Assets:Cash"),
        Account::CreditMemo => root("assets:credit-memos", 'A', "Assets:CreditMemos"),
        Account::Withholding => root("liabilities:withholding", 'L', "Liabilities:Withholding"),
        Account::Receivable => root("assets:clawbacks", 'A', "Assets:Clawbacks"),
        Account::Unclaimed => root("liabilities:unclaimed", 'L', "Liabilities:Unclaimed"),
        Account::Rounding => root("expenses:rounding", 'X', "Expenses:Rounding"),
        Account::BudgetSource => root("equity:memo:source", 'E', "Equity:Memo:Source"),
        Account::BudgetUnallocated => {
            root("equity:memo:unallocated", 'E', "Equity:Memo:Unallocated")
        }
        Account::BudgetPartner => root("equity:memo:partner", 'E', "Equity:Memo:Partner"),
        Account::BudgetReserved => root("equity:memo:reserved", 'E', "Equity:Memo:Reserved"),
        Account::BudgetSpent => root("equity:memo:spent", 'E', "Equity:Memo:Spent"),
    }
}

/// The accounts of the books, numbered as they are first met.
#[derive(Debug, Default)]
pub(crate) struct Chart {
    places: Vec<Place>,
    numbers: HashMap<Place, usize>,
}

impl Chart {
    /// The number of an account.
    pub(crate) fn number(&mut self, place: Place) -> usize {
        if let Some(number) = self.numbers.get(&place) {
            return *number;
        }
        let number = self.places.len();
        self.places.push(place.clone());
        self.numbers.insert(place, number);
        number
    }

    /// The accounts, in the order of their numbers.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }
}

/// Names of a narrower alphabet that stay different: of two that would become the same, the later
/// one gets a number behind it.
#[derive(Debug, Default)]
pub(crate) struct Slugs {
    of: BTreeMap<String, String>,
    taken: BTreeSet<String>,
}

impl Slugs {
    /// The name that stands for another one, made by `narrow` and told apart from earlier ones.
    pub(crate) fn of(&mut self, name: &str, narrow: impl Fn(&str) -> String) -> String {
        if let Some(slug) = self.of.get(name) {
            return slug.clone();
        }
        let wanted = narrow(name);
        let numbered = (2..).map(|number: u64| format!("{wanted}-{number}"));
        let mut free = std::iter::once(wanted.clone()).chain(numbered);
        let slug = free.find(|slug| !self.taken.contains(slug)).unwrap_or(wanted);
        self.taken.insert(slug.clone());
        self.of.insert(name.to_owned(), slug.clone());
        slug
    }
}
