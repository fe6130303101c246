//! Rows as SQLite takes them: cells become values once, many rows in one piece of memory, and are
//! inserted by a statement that is prepared once for all of them.

use crate::layout::width;
use chl_events::{Currency, Date, Instant, Money};
use chl_projections::{Cell, Column, KeepsPostings, Kind, Posting, StoreError, Table};
use rusqlite::{
    Statement,
    types::{ToSqlOutput, ValueRef},
};
use std::fmt::{Display, Write};

/// A value; texts and bytes by where they stand.
#[derive(Debug, Clone, Copy)]
enum Value {
    Null,
    Whole(i64),
    Text { from: usize, to: usize },
    Bytes { from: usize, to: usize },
}

/// Rows of one table, or keys of them.
#[derive(Debug)]
pub(crate) struct Lines {
    table: &'static Table,
    values: Vec<Value>,
    /// Behind how many values each row ends.
    ends: Vec<usize>,
    text: String,
    bytes: Vec<u8>,
    /// Neighbours have the same days and moments, which are written once.
    day: Option<(Date, Value)>,
    moment: Option<(Instant, Value)>,
}

impl Lines {
    pub(crate) fn new(table: &'static Table) -> Self {
        Self {
            table,
            values: Vec::new(),
            ends: Vec::new(),
            text: String::new(),
            bytes: Vec::new(),
            day: None,
            moment: None,
        }
    }

    /// How many rows it holds.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Takes a row, or a key, by its cells in the order of the columns.
    pub(crate) fn push(&mut self, cells: impl FnOnce(&mut dyn FnMut(Cell<'_>))) {
        let mut columns = self.table.columns.iter();
        let begin = self.values.len();
        let mut currency = None;
        cells(&mut |cell| {
            let Some(column) = columns.next() else { return };
            if let (Cell::Text(code), "currency") = (&cell, column.name) {
                currency = Currency::new(code).ok();
            }
            self.cell(column, &cell);
        });
        if let Some(currency) = currency {
            self.amounts(begin, currency);
        }
        self.ends.push(self.values.len());
    }

    fn cell(&mut self, Column { kind, .. }: &Column, cell: &Cell<'_>) {
        let value = match cell {
            Cell::Null => Value::Null,
            Cell::Int(value) => Value::Whole(*value),
            Cell::Text(text) => self.text(text),
            Cell::Bytes(bytes) => self.bytes(bytes),
            Cell::Date(date) => self.day(*date),
            Cell::Instant(instant) => self.moment(*instant),
            Cell::Minor(minor) => self.whole(*minor),
            Cell::Money(money) => self.whole(money.minor()),
        };
        match (kind, cell) {
            // The text of an amount waits for the row's currency, which may come later.
            (Kind::Minor, _) => self.values.extend([Value::Null, value]),
            (Kind::Money, Cell::Money(money)) => {
                let text = self.amount(*money);
                let code = self.text(money.currency().code());
                self.values.extend([text, value, code]);
            }
            (Kind::Money, _) => self.values.extend([Value::Null; 3]),
            _ => self.values.push(value),
        }
    }

    /// Writes the texts of amounts of a row that begins at a value, in the row's currency.
    fn amounts(&mut self, begin: usize, currency: Currency) {
        let mut at = begin;
        for column in self.table.columns {
            if column.kind == Kind::Minor
                && let Some(minor) = self.minor(at + 1)
            {
                let text = self.amount(Money::from_minor(minor, currency));
                if let Some(value) = self.values.get_mut(at) {
                    *value = text;
                }
            }
            at += width(column.kind);
        }
    }

    fn minor(&self, at: usize) -> Option<i128> {
        match *self.values.get(at)? {
            Value::Whole(whole) => Some(whole.into()),
            Value::Text { from, to } => self.text.get(from..to)?.parse().ok(),
            Value::Null | Value::Bytes { .. } => None,
        }
    }

    fn text(&mut self, text: &str) -> Value {
        let from = self.text.len();
        self.text.push_str(text);
        Value::Text { from, to: self.text.len() }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Value {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Value::Bytes { from, to: self.bytes.len() }
    }

    fn written(&mut self, value: &dyn Display) -> Value {
        let from = self.text.len();
        write!(self.text, "{value}").expect("a string takes what is written to it");
        Value::Text { from, to: self.text.len() }
    }

    fn amount(&mut self, money: Money) -> Value {
        let from = self.text.len();
        money.write_amount(&mut self.text);
        Value::Text { from, to: self.text.len() }
    }

    fn day(&mut self, day: Date) -> Value {
        match self.day {
            Some((last, value)) if last == day => value,
            _ => {
                let value = self.written(&day);
                self.day = Some((day, value));
                value
            }
        }
    }

    fn moment(&mut self, moment: Instant) -> Value {
        match self.moment {
            Some((last, value)) if last == moment => value,
            _ => {
                let value = self.written(&moment);
                self.moment = Some((moment, value));
                value
            }
        }
    }

    /// A whole number; beyond 64 bits as text.
    fn whole(&mut self, minor: i128) -> Value {
        match i64::try_from(minor) {
            Ok(whole) => Value::Whole(whole),
            Err(_) => self.written(&minor),
        }
    }

    /// Forgets the rows behind so many.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.values.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Inserts all rows and forgets them.
    pub(crate) fn insert(&mut self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let mut begin = 0;
        for end in &self.ends {
            self.bind(begin..*end, statement)?;
            statement.raw_execute()?;
            begin = *end;
        }
        self.clear();
        Ok(())
    }

    /// Binds the only row, or key, and forgets it.
    pub(crate) fn bind_one(&mut self, statement: &mut Statement<'_>) -> rusqlite::Result<()> {
        let bound = self.bind(0..self.values.len(), statement);
        self.clear();
        bound
    }

    fn bind(
        &self,
        row: std::ops::Range<usize>,
        statement: &mut Statement<'_>,
    ) -> rusqlite::Result<()> {
        let values = self.values.get(row).unwrap_or_default();
        for (place, value) in (1..).zip(values) {
            let value = match value {
                Value::Null => ValueRef::Null,
                Value::Whole(whole) => ValueRef::Integer(*whole),
                Value::Text { from, to } => {
                    let text = self.text.get(*from..*to).unwrap_or_default();
                    ValueRef::Text(text.as_bytes())
                }
                Value::Bytes { from, to } => {
                    ValueRef::Blob(self.bytes.get(*from..*to).unwrap_or_default())
                }
            };
            statement.raw_bind_parameter(place, ToSqlOutput::Borrowed(value))?;
        }
        Ok(())
    }

    fn clear(&mut self) {
        self.values.clear();
        self.ends.clear();
        self.text.clear();
        self.bytes.clear();
        (self.day, self.moment) = (None, None);
    }
}

/// Posting lines, made ready while they are handed out.
#[derive(Debug)]
pub(crate) struct PostingLines(pub(crate) Lines);

impl Default for PostingLines {
    fn default() -> Self {
        Self(Lines::new(Posting::TABLE))
    }
}

impl KeepsPostings for PostingLines {
    fn post(&mut self, posting: &Posting<'_>) -> Result<(), StoreError> {
        self.0.push(|to| posting.cells(to));
        Ok(())
    }
}
