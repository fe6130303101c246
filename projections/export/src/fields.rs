//! Fields: the columns of an export, and a row's cells as values of them.
//!
//! An amount is a decimal of 38 digits, four of them behind the point, as many as any currency has;
//! beside it stands the same in minor units. What is shown to nobody is not exported.

use crate::ExportError;
use chl_events::{Currency, Date, Instant, Money};
use chl_projections::{Cell, Column, Field as _, Kind, Table};

/// The digits behind the point of an amount.
pub(crate) const PLACES: u8 = 4;

/// What a column of an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Whole,
    Flag,
    Text,
    List,
    Day,
    Moment,
    /// An exact decimal with [`PLACES`].
    Amount,
    /// An exact whole number of 38 digits.
    Minor,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    None,
    Whole(i64),
    Text(String),
    Day(Date),
    Moment(Instant),
    /// An amount, and what its currency shows of it.
    Amount(i128, String),
    Minor(i128),
}

/// The columns of a table's export, with their names.
pub(crate) fn fields(table: &Table) -> Vec<(String, Type)> {
    table.columns.iter().flat_map(of_column).collect()
}

fn of_column(column: &Column) -> Vec<(String, Type)> {
    let name = column.name.to_owned();
    let minor = format!("{name}_minor");
    match column.kind {
        Kind::Int => vec![(name, Type::Whole)],
        Kind::Flag => vec![(name, Type::Flag)],
        Kind::Text | Kind::Word(_) | Kind::Currency | Kind::Decimal => vec![(name, Type::Text)],
        Kind::List => vec![(name, Type::List)],
        Kind::Date => vec![(name, Type::Day)],
        Kind::Instant => vec![(name, Type::Moment)],
        Kind::Minor => vec![(name, Type::Amount), (minor, Type::Minor)],
        Kind::Money => {
            let currency = format!("{name}_currency");
            vec![(name, Type::Amount), (minor, Type::Minor), (currency, Type::Text)]
        }
        Kind::Bytes | Kind::Link => Vec::new(),
    }
}

/// The values of a row, one for each of [`fields`].
pub(crate) fn values(table: &'static Table, cells: &[Cell<'_>]) -> Result<Vec<Value>, ExportError> {
    let pairs = || table.columns.iter().zip(cells);
    let currency = pairs().find(|(column, _)| column.name == "currency");
    let currency = currency.and_then(|(_, cell)| Currency::read(cell.clone()));
    let mut values = Vec::new();
    for (column, cell) in pairs() {
        let too_large = || ExportError::TooLarge { view: table.name, column: column.name };
        match (column.kind, cell) {
            (Kind::Bytes | Kind::Link, _) => {}
            (Kind::Minor, Cell::Minor(minor)) => {
                let money = currency.map(|currency| Money::from_minor(*minor, currency));
                let amount = money.map(|money| amount(money).ok_or_else(too_large)).transpose()?;
                values.extend([amount.unwrap_or(Value::None), Value::Minor(*minor)]);
            }
            (Kind::Minor, _) => values.extend([Value::None, Value::None]),
            (Kind::Money, Cell::Money(money)) => {
                let code = Value::Text(money.currency().code().to_owned());
                let amount = amount(*money).ok_or_else(too_large)?;
                values.extend([amount, Value::Minor(money.minor()), code]);
            }
            (Kind::Money, _) => values.extend([Value::None, Value::None, Value::None]),
            (_, cell) => values.push(plain(cell)),
        }
    }
    Ok(values)
}

/// The amount with [`PLACES`]; none beyond 38 digits.
fn amount(money: Money) -> Option<Value> {
    let missing = u32::from(PLACES).checked_sub(money.currency().places())?;
    let scaled = money.minor().checked_mul(10_i128.checked_pow(missing)?)?;
    let fits = scaled.unsigned_abs() < 10_u128.checked_pow(38)?;
    fits.then(|| Value::Amount(scaled, money.amount()))
}

fn plain(cell: &Cell<'_>) -> Value {
    match cell {
        Cell::Null | Cell::Bytes(_) => Value::None,
        Cell::Int(whole) => Value::Whole(*whole),
        Cell::Text(text) => Value::Text(text.to_string()),
        Cell::Date(date) => Value::Day(*date),
        Cell::Instant(instant) => Value::Moment(*instant),
        Cell::Minor(minor) => Value::Minor(*minor),
        Cell::Money(money) => Value::Minor(money.minor()),
    }
}
