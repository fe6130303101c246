//! The trial balance: a second, separate fold over the stored postings, which shows that debits
//! equal credits. It shares nothing with the folds but the table it reads.

use crate::{Reader, ReaderError};
use chl_events::{Currency, Date, Money};
use std::collections::BTreeMap;

/// What one account of a book has in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The book.
    pub book: String,
    /// The account.
    pub account: String,
    /// All debits.
    pub debit: Money,
    /// All credits.
    pub credit: Money,
}

/// Debits and credits, account by account, and what does not balance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrialBalance {
    /// By book, currency and account.
    pub accounts: Vec<Sum>,
    /// How many posting lines were read.
    pub lines: u64,
    /// How many events they belong to.
    pub events: u64,
    /// The position and number of each event whose debits and credits differ in a book and
    /// currency.
    pub unbalanced: Vec<(u64, u32)>,
}

impl TrialBalance {
    /// Whether debits equal credits in every event, book and currency.
    pub fn is_balanced(&self) -> bool {
        let mut books: BTreeMap<(&str, Currency), i128> = BTreeMap::new();
        for sum in &self.accounts {
            let book = books.entry((sum.book.as_str(), sum.debit.currency())).or_default();
            *book += sum.debit.minor() - sum.credit.minor();
        }
        self.unbalanced.is_empty() && books.values().all(|gap| *gap == 0)
    }
}

/// The sums while lines are read, in the order of their events.
#[derive(Default)]
struct Fold {
    accounts: BTreeMap<(String, Currency, String), (i128, i128)>,
    event: Option<(u64, u32)>,
    gaps: BTreeMap<(String, Currency), i128>,
    result: TrialBalance,
}

impl Fold {
    fn line(
        &mut self,
        event: (u64, u32),
        book: String,
        account: String,
        debit: i128,
        credit: i128,
        currency: Currency,
    ) {
        if self.event != Some(event) {
            self.close();
            self.event = Some(event);
            self.result.events += 1;
        }
        self.result.lines += 1;
        *self.gaps.entry((book.clone(), currency)).or_default() += debit - credit;
        let sums = self.accounts.entry((book, currency, account)).or_default();
        sums.0 += debit;
        sums.1 += credit;
    }

    fn close(&mut self) {
        let open = self.gaps.values().any(|gap| *gap != 0);
        self.gaps.clear();
        if let Some(event) = self.event.filter(|_| open) {
            self.result.unbalanced.push(event);
        }
    }
}

impl Reader {
    /// Sums stored postings by event, and by book, currency and account: all, or those that the
    /// books count under a day or an earlier one.
    pub fn trial_balance(&self, through: Option<Date>) -> Result<TrialBalance, ReaderError> {
        let mut statement = self.db.prepare(
            "SELECT position, event_no, book, account, currency, debit_minor, credit_minor \
             FROM postings WHERE ?1 IS NULL OR posted_on <= ?1 \
             ORDER BY position, event_no, line_no",
        )?;
        let mut rows = statement.query([through.map(|day| day.to_string())])?;
        let mut fold = Fold::default();
        while let Some(row) = rows.next()? {
            let damaged = || ReaderError::Damaged("postings");
            let position = u64::try_from(row.get::<_, i64>(0)?).map_err(|_| damaged())?;
            let code: String = row.get(4)?;
            let currency = Currency::new(&code).map_err(|_| damaged())?;
            let amount = |value: rusqlite::types::Value| match value {
                rusqlite::types::Value::Null => Ok(0),
                rusqlite::types::Value::Integer(minor) => Ok(i128::from(minor)),
                rusqlite::types::Value::Text(text) => text.parse().map_err(|_| damaged()),
                rusqlite::types::Value::Real(_) | rusqlite::types::Value::Blob(_) => Err(damaged()),
            };
            let event = (position, row.get(1)?);
            let (debit, credit) = (amount(row.get(5)?)?, amount(row.get(6)?)?);
            fold.line(event, row.get(2)?, row.get(3)?, debit, credit, currency);
        }
        fold.close();
        let sums = fold.accounts.into_iter();
        fold.result.accounts = sums
            .map(|((book, currency, account), (debit, credit))| Sum {
                book,
                account,
                debit: Money::from_minor(debit, currency),
                credit: Money::from_minor(credit, currency),
            })
            .collect();
        Ok(fold.result)
    }
}
