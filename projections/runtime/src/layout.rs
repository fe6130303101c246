//! How cells lie in SQLite: columns, statements, binding and reading.
//!
//! An amount of the row's currency is two columns, its decimal text and `…_minor`, an exact whole
//! number; an amount with a currency of its own is three, with `…_currency`. A whole number beyond
//! 64 bits is kept as text.

use chl_events::{Currency, Money};
use chl_projections::{Cell, Column, Kind, Table};
use rusqlite::{Row, functions::Context, types::ValueRef};
use std::borrow::Cow;

/// The statements of one table.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) table: &'static Table,
    pub(crate) insert: String,
    /// Selects what makes a row, in the order [`read_cell`] takes it, without a condition.
    pub(crate) select: String,
    pub(crate) select_by_key: String,
}

impl Layout {
    pub(crate) fn new(table: &'static Table) -> Self {
        let count = columns(table).count();
        let marks = vec!["?"; count].join(",");
        let insert = format!("INSERT OR REPLACE INTO {} VALUES ({marks})", table.name);
        let select = format!("SELECT {} FROM {}", read_names(table), table.name);
        let keys = table.columns.iter().take(table.keys);
        let keys: Vec<String> = keys.map(|column| format!("{}=?", column.name)).collect();
        let select_by_key = format!("{select} WHERE {}", keys.join(" AND "));
        Self { table, insert, select, select_by_key }
    }

    pub(crate) fn create(&self) -> String {
        let columns: Vec<String> =
            columns(self.table).map(|(name, kind)| format!("{name} {kind}")).collect();
        format!(
            "CREATE TABLE {} ({}, PRIMARY KEY ({})) WITHOUT ROWID",
            self.table.name,
            columns.join(", "),
            key_names(self.table)
        )
    }

    pub(crate) fn indices(&self) -> impl Iterator<Item = String> {
        let table = self.table.name;
        self.table.indices.iter().map(move |columns| {
            let of = columns.join("_");
            format!("CREATE INDEX IF NOT EXISTS {table}_by_{of} ON {table} ({})", columns.join(","))
        })
    }
}

/// The names of the primary key, separated by commas: also the canonical order.
pub(crate) fn key_names(table: &Table) -> String {
    let keys: Vec<&str> = table.columns.iter().take(table.keys).map(|c| c.name).collect();
    keys.join(",")
}

/// The columns as SQLite has them, with their types.
fn columns(table: &Table) -> impl Iterator<Item = (String, &'static str)> {
    table.columns.iter().flat_map(|column| {
        let name = column.name;
        match column.kind {
            Kind::Int | Kind::Flag => vec![(name.into(), "INTEGER")],
            Kind::Text
            | Kind::Word(_)
            | Kind::Currency
            | Kind::List
            | Kind::Decimal
            | Kind::Date
            | Kind::Instant
            | Kind::Link => vec![(name.into(), "TEXT")],
            Kind::Bytes => vec![(name.into(), "BLOB")],
            Kind::Minor => vec![(name.into(), "TEXT"), (format!("{name}_minor"), "INTEGER")],
            Kind::Money => vec![
                (name.into(), "TEXT"),
                (format!("{name}_minor"), "INTEGER"),
                (format!("{name}_currency"), "TEXT"),
            ],
        }
    })
}

/// How many columns of SQLite a column takes.
pub(crate) fn width(kind: Kind) -> usize {
    match kind {
        Kind::Minor => 2,
        Kind::Money => 3,
        Kind::Int
        | Kind::Flag
        | Kind::Text
        | Kind::Word(_)
        | Kind::Currency
        | Kind::List
        | Kind::Decimal
        | Kind::Date
        | Kind::Instant
        | Kind::Bytes
        | Kind::Link => 1,
    }
}

/// The names of what makes a row, separated by commas, in the order [`Cells`] takes it.
fn read_names(table: &Table) -> String {
    read_columns(table).collect::<Vec<_>>().join(",")
}

/// The same, one by one.
pub(crate) fn read_columns(table: &Table) -> impl Iterator<Item = String> {
    table.columns.iter().flat_map(read_of)
}

fn read_of(column: &Column) -> Vec<String> {
    let name = column.name;
    match column.kind {
        Kind::Minor => vec![format!("{name}_minor")],
        Kind::Money => vec![format!("{name}_minor"), format!("{name}_currency")],
        Kind::Int
        | Kind::Flag
        | Kind::Text
        | Kind::Word(_)
        | Kind::Currency
        | Kind::List
        | Kind::Decimal
        | Kind::Date
        | Kind::Instant
        | Kind::Bytes
        | Kind::Link => vec![name.into()],
    }
}

/// Where the values of a row come from.
pub(crate) trait Values {
    /// The value of a number; none behind the last.
    fn value(&self, at: usize) -> Option<ValueRef<'_>>;
}

/// What a statement has selected.
impl Values for Row<'_> {
    fn value(&self, at: usize) -> Option<ValueRef<'_>> {
        self.get_ref(at).ok()
    }
}

/// What a function was called with, from an argument on.
pub(crate) struct Arguments<'a>(pub(crate) &'a Context<'a>, pub(crate) usize);

impl Values for Arguments<'_> {
    fn value(&self, at: usize) -> Option<ValueRef<'_>> {
        let at = self.1 + at;
        (at < self.0.len()).then(|| self.0.get_raw(at))
    }
}

/// Reads a row's cells, column by column, from the values that [`read_names`] names.
pub(crate) struct Cells<'r, V> {
    row: &'r V,
    columns: std::slice::Iter<'static, Column>,
    next: usize,
}

impl<'r, V: Values> Cells<'r, V> {
    pub(crate) fn new(row: &'r V, table: &'static Table) -> Self {
        Self { row, columns: table.columns.iter(), next: 0 }
    }

    /// The next column's cell; none behind the last, and for a value that is none of its kind.
    pub(crate) fn next(&mut self) -> Option<Cell<'static>> {
        let column = self.columns.next()?;
        let value = self.value()?;
        if column.kind == Kind::Money {
            let currency = self.value()?;
            let (Some(minor), ValueRef::Text(code)) = (minor(value), currency) else {
                return (value == ValueRef::Null).then_some(Cell::Null);
            };
            let currency = Currency::new(std::str::from_utf8(code).ok()?).ok()?;
            return Some(Cell::Money(Money::from_minor(minor, currency)));
        }
        read_cell(column.kind, value)
    }

    fn value(&mut self) -> Option<ValueRef<'r>> {
        let value = self.row.value(self.next)?;
        self.next += 1;
        Some(value)
    }
}

fn read_cell(kind: Kind, value: ValueRef<'_>) -> Option<Cell<'static>> {
    if value == ValueRef::Null {
        return Some(Cell::Null);
    }
    let text = || value.as_str().ok();
    Some(match kind {
        Kind::Int | Kind::Flag => Cell::Int(value.as_i64().ok()?),
        Kind::Text | Kind::Word(_) | Kind::Currency | Kind::List | Kind::Decimal | Kind::Link => {
            Cell::Text(Cow::Owned(text()?.to_owned()))
        }
        Kind::Date => Cell::Date(text()?.parse().ok()?),
        Kind::Instant => Cell::Instant(text()?.parse().ok()?),
        Kind::Minor => Cell::Minor(minor(value)?),
        Kind::Money => return None,
        Kind::Bytes => Cell::Bytes(Cow::Owned(value.as_blob().ok()?.to_vec())),
    })
}

fn minor(value: ValueRef<'_>) -> Option<i128> {
    match value {
        ValueRef::Integer(whole) => Some(i128::from(whole)),
        ValueRef::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}
