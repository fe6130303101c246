//! The journal: entries in the order of their dates, with the balances that follow from them.

use super::{
    beancount::Beancount,
    chart::{Chart, Place},
    entry::Entry,
    hledger::Hledger,
    table::Table,
};
use crate::ExportError;
use chl_events::{
    Account, Currency, Date, Instant, Side,
    ledger::{ClosingBalance, ClosingBalancesRecorded},
};
use chl_projections::Cell;
use chl_runtime::{Reader, ReaderError, View};
use std::collections::{BTreeMap, BTreeSet};

/// Whose books are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// hledger's journal; every posting asserts its account's balance, and so does the end.
    Hledger,
    /// Beancount's ledger; balances are asserted at the end of each month and at the end.
    Beancount,
    /// Comma-separated values (RFC 4180), a posting line a row, with its account's balance behind it.
    Csv,
}

/// The days that are wanted; what was before is one opening entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    /// The first day (`posted_on`); without it all from the beginning.
    pub from: Option<Date>,
    /// The last day; without it all to the end.
    pub to: Option<Date>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Transactions, an opening one included.
    pub transactions: u64,
    /// Their posting lines.
    pub lines: u64,
    /// As many commits are folded into them.
    pub position: u64,
    /// When the last of them was recorded.
    pub recorded_at: Option<Instant>,
}

/// Sums of accounts by currency, in minor units, debits less credits.
pub(crate) type Balances = BTreeMap<(usize, Currency), i128>;

/// How a tool wants its books; everything is written behind what a text holds.
pub(crate) trait Form {
    /// Begins the books with the accounts they use.
    fn begin(&mut self, head: &Head<'_>, to: &mut String);
    /// The sums of what was before the first day.
    fn opening(&mut self, on: Date, balances: &Balances, to: &mut String);
    /// An entry, and the balance of each line's account behind it.
    fn entry(&mut self, entry: &Entry, balances: &[i128], to: &mut String);
    /// What some accounts hold when a day has ended.
    fn end_of(&mut self, day: Date, balances: &Balances, last: bool, to: &mut String);
    /// What was recorded of a period's end, over all sub-accounts.
    fn closing(&mut self, closing: &ClosingBalancesRecorded, to: &mut String);
}

/// What stands at the beginning of the books.
pub(crate) struct Head<'a> {
    /// The ledger, in hexadecimal digits.
    pub(crate) ledger: &'a str,
    /// As many commits are folded into the books.
    pub(crate) position: u64,
    /// The first day of the books.
    pub(crate) first_day: Date,
    /// Kinds of accounts of which something is said over all their sub-accounts.
    pub(crate) roots: BTreeSet<Account>,
    /// The accounts, by their numbers in the chart.
    pub(crate) accounts: Vec<(usize, &'a Place)>,
    /// The currencies of all amounts.
    pub(crate) currencies: BTreeSet<Currency>,
}

/// Writes the books of a period, a piece of text at a time; `closings` are what was recorded of
/// the ends of closed periods.
pub fn write_books<E: From<ExportError>>(
    reader: &Reader,
    tool: Tool,
    period: Period,
    closings: &[ClosingBalancesRecorded],
    to: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<Written, E> {
    let mut chart = Chart::default();
    let mut entries = Vec::new();
    let take = |_, cells: &[Cell<'_>]| {
        let read = Entry::read(cells, &mut chart, &mut entries);
        read.ok_or(ExportError::Read(ReaderError::Damaged("postings")))
    };
    let checkpoint = reader.dump(&[View::Postings], take, None)?;
    entries.sort_by_key(|entry| (entry.posted_on, entry.position, entry.event_no));
    entries.truncate(
        entries.partition_point(|entry| period.to.is_none_or(|to| entry.posted_on <= to)),
    );
    let mut closings: Vec<&ClosingBalancesRecorded> = closings.iter().collect();
    closings.sort_by_key(|closing| closing.through);
    let form: Box<dyn Form> = match tool {
        Tool::Hledger => Box::new(Hledger::default()),
        Tool::Beancount => Box::new(Beancount::default()),
        Tool::Csv => Box::new(Table::default()),
    };
    let written = Written {
        transactions: 0,
        lines: 0,
        position: checkpoint.position,
        recorded_at: checkpoint.recorded_at,
    };
    let ledger = checkpoint.ledger.to_string();
    let (balances, moved) = (Balances::new(), BTreeSet::new());
    let mut journal = Journal { form, balances, moved, written, text: String::new(), to };
    let before = |entry: &Entry| period.from.is_some_and(|from| entry.posted_on < from);
    let (earlier, entries) = entries.split_at(entries.partition_point(before));
    for entry in earlier {
        journal.count(entry);
    }
    journal.balances.retain(|_, minor| *minor != 0);
    journal.moved.clear();
    let first_day = period.from.or_else(|| entries.first().map(|entry| entry.posted_on));
    if let Some(first_day) = first_day {
        let last_day = period.to.or_else(|| entries.last().map(|entry| entry.posted_on));
        let days = (first_day, last_day.unwrap_or(first_day));
        closings.retain(|closing| (days.0..=days.1).contains(&closing.through));
        journal.begin(&ledger, &chart, entries, &closings, first_day)?;
        journal.write(entries, &closings, days)?;
    }
    Ok(journal.written)
}

struct Journal<'a, E> {
    form: Box<dyn Form>,
    balances: Balances,
    /// What has moved since balances were told last.
    moved: BTreeSet<(usize, Currency)>,
    written: Written,
    text: String,
    to: &'a mut dyn FnMut(&str) -> Result<(), E>,
}

impl<E> Journal<'_, E> {
    /// Tells the accounts, and what they hold before the first entry.
    fn begin(
        &mut self,
        ledger: &str,
        chart: &Chart,
        entries: &[Entry],
        closings: &[&ClosingBalancesRecorded],
        first_day: Date,
    ) -> Result<(), E> {
        let lines = entries.iter().flat_map(|entry| &entry.lines);
        let of_lines = lines.map(|line| (line.account, line.currency));
        let used: BTreeSet<_> = of_lines.chain(self.balances.keys().copied()).collect();
        let accounts: BTreeSet<usize> = used.iter().map(|(account, _)| *account).collect();
        let places = chart.places().iter().enumerate();
        let accounts: Vec<_> = places.filter(|(number, _)| accounts.contains(number)).collect();
        let closed = closings.iter().flat_map(|closing| &closing.balances);
        let head = Head {
            ledger,
            position: self.written.position,
            first_day,
            roots: closed.map(|balance| balance.account).collect(),
            accounts,
            currencies: used.iter().map(|(_, currency)| *currency).collect(),
        };
        self.form.begin(&head, &mut self.text);
        if !self.balances.is_empty() {
            self.written.transactions += 1;
            self.written.lines += self.balances.len() as u64;
            self.form.opening(first_day, &self.balances, &mut self.text);
        }
        self.pass_on()
    }

    fn write(
        &mut self,
        entries: &[Entry],
        closings: &[&ClosingBalancesRecorded],
        (mut day, last_day): (Date, Date),
    ) -> Result<(), E> {
        let mut closings = closings.iter().peekable();
        for entry in entries {
            while let Some(closing) = closings.next_if(|one| one.through < entry.posted_on) {
                self.form.closing(closing, &mut self.text);
            }
            if month(entry.posted_on) != month(day) {
                self.end_of(day, false);
            }
            day = entry.posted_on;
            let balances = self.count(entry);
            self.written.transactions += 1;
            self.written.lines += entry.lines.len() as u64;
            self.form.entry(entry, &balances, &mut self.text);
            self.pass_on()?;
        }
        for closing in closings {
            self.form.closing(closing, &mut self.text);
        }
        self.end_of(last_day, true);
        self.pass_on()
    }

    /// Adds an entry up, and returns the balances behind each of its lines.
    fn count(&mut self, entry: &Entry) -> Vec<i128> {
        let balance = |line: &super::entry::Line| {
            let key = (line.account, line.currency);
            self.moved.insert(key);
            let balance = self.balances.entry(key).or_default();
            *balance += line.minor;
            *balance
        };
        entry.lines.iter().map(balance).collect()
    }

    /// Tells what has moved; at the end of the books what all accounts hold.
    fn end_of(&mut self, day: Date, last: bool) {
        let moved = std::mem::take(&mut self.moved);
        if last {
            self.form.end_of(day, &self.balances, true, &mut self.text);
            return;
        }
        let kept = self.balances.iter().filter(|(key, _)| moved.contains(key));
        let kept: Balances = kept.map(|(key, minor)| (*key, *minor)).collect();
        self.form.end_of(day, &kept, false, &mut self.text);
    }

    /// Hands over what was written; whoever takes it ends the last line.
    fn pass_on(&mut self) -> Result<(), E> {
        if let Some(lines) = self.text.strip_suffix('\n') {
            (self.to)(lines)?;
        }
        self.text.clear();
        Ok(())
    }
}

/// A closing balance as books have it: debits positive, credits negative.
pub(crate) fn signed(balance: &ClosingBalance) -> i128 {
    let minor = balance.amount.minor();
    if balance.side == Side::Debit { minor } else { -minor }
}

fn month(day: Date) -> (i16, i8) {
    let civil = day.civil();
    (civil.year(), civil.month())
}
