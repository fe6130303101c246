//! What something is at the moment of asking, in SQL: by the functions that folds in memory have.
//!
//! Protection that has run out protects no more, and a conflict over it has lapsed, even before
//! the clock has recorded either. So the stored `state` is what is recorded, and `effective_state`
//! what holds; every way of asking sees both, and ages and days left besides.

use crate::{
    View,
    layout::{Arguments, Cells, read_columns},
    show::{EFFECTIVE_STATE, Shown},
};
use chl_events::Instant;
use chl_projections::{
    BalanceRow, Cell, ClaimRow, ConflictRow, ConflictState, DealRow, DealState, Field, LotRow, Row,
    Table,
};
use rusqlite::{
    Connection,
    functions::{Context, FunctionFlags},
    types::Value as Stored,
};
use serde_json::Value;

impl View {
    /// Whether its rows have an `effective_state`: what they are at the moment of asking, beside
    /// what is recorded of them.
    pub fn has_effective_state(self) -> bool {
        state_at(self, Instant::from_micros(0)).is_some()
    }

    /// Whether something of its rows is computed when somebody asks, and depends on the moment.
    pub(crate) fn depends_on_moment(self) -> bool {
        !computed_columns(self).is_empty()
    }
}

/// The state of a view's rows at a moment, as an SQL expression; none where it is the stored one.
pub(crate) fn state_at(view: View, now: Instant) -> Option<String> {
    let now = now.micros();
    match view {
        View::Deals => Some(format!("deal_state(state,protected_until,contested_until,{now})")),
        View::Conflicts => Some(format!("conflict_state(state,lapses_at,{now})")),
        View::Balances
        | View::Postings
        | View::Customers
        | View::Figures
        | View::Claims
        | View::Requests
        | View::Lots
        | View::Partners
        | View::Tiers
        | View::Certifications
        | View::Measures
        | View::Programmes
        | View::Days => None,
    }
}

/// What is computed of a view's rows when somebody asks and depends on the moment.
fn computed_columns(view: View) -> &'static [&'static str] {
    match view {
        View::Deals => DealRow::COMPUTED,
        View::Conflicts => ConflictRow::COMPUTED,
        View::Claims => ClaimRow::COMPUTED,
        View::Balances => BalanceRow::COMPUTED,
        View::Postings
        | View::Customers
        | View::Figures
        | View::Requests
        | View::Lots
        | View::Partners
        | View::Tiers
        | View::Certifications
        | View::Measures
        | View::Programmes
        | View::Days => &[],
    }
}

/// A stored instant as a number that compares: its text does not where it has parts of a second.
pub(crate) fn micros(column: &str) -> String {
    format!("micros({column})")
}

/// Makes the functions known on a connection.
pub(crate) fn define(db: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function("deal_state", 4, flags, |of| {
        let (protected, contested) = (instant(of, 1)?, instant(of, 2)?);
        let now = Instant::from_micros(of.get(3)?);
        let state = word::<DealState>(of)?;
        Ok(state.map(|state| state.at(protected, contested, now).as_str()))
    })?;
    db.create_scalar_function("conflict_state", 3, flags, |of| {
        let (lapses, now) = (instant(of, 1)?, Instant::from_micros(of.get(2)?));
        Ok(word::<ConflictState>(of)?.map(|state| state.at(lapses, now).as_str()))
    })?;
    // lot_state(moment, what makes the balance…, what makes its lot…)
    db.create_scalar_function("lot_state", -1, flags, |of| {
        let now = Instant::from_micros(of.get(0)?);
        let arguments = Arguments(of, 1);
        let mut cells = Cells::new(&arguments, BalanceRow::TABLE);
        let balance = BalanceRow::read(&mut || cells.next());
        let arguments = Arguments(of, 1 + read_columns(BalanceRow::TABLE).count());
        let mut cells = Cells::new(&arguments, LotRow::TABLE);
        let lot = LotRow::read(&mut || cells.next());
        Ok(balance.zip(lot).map(|(balance, lot)| lot.state_at(now, &balance).as_str()))
    })?;
    // computed(view, number of the column, moment, what makes the row…)
    db.create_scalar_function("computed", -1, flags, |of| {
        let view: String = of.get(0)?;
        match View::named(&view) {
            Some(View::Deals) => computed::<DealRow>(of),
            Some(View::Conflicts) => computed::<ConflictRow>(of),
            Some(View::Claims) => computed::<ClaimRow>(of),
            _ => Ok(Stored::Null),
        }
    })?;
    db.create_scalar_function("micros", 1, flags, |of| Ok(instant(of, 0)?.map(Instant::micros)))
}

/// Lets foreign statements find what depends on the moment as columns, on this connection only.
pub(crate) fn tabulate(db: &Connection, now: Instant, kept: &[View]) -> rusqlite::Result<()> {
    for view in kept {
        let names = computed_columns(*view);
        if names.is_empty() {
            continue;
        }
        let name = view.name();
        let columns = names.iter().enumerate();
        let columns = columns
            .map(|(at, column)| format!("{} AS {column}", computed_column(*view, at, column, now)));
        let columns: Vec<String> = columns.collect();
        let lots = if *view == View::Balances { WITH_LOTS } else { "" };
        db.execute_batch(&format!(
            "DROP VIEW IF EXISTS temp.{name}; CREATE TEMP VIEW {name} AS \
             SELECT {name}.*, {} FROM main.{name} {lots}",
            columns.join(", ")
        ))?;
    }
    Ok(())
}

/// The lot of a balance beside it.
const WITH_LOTS: &str = "LEFT JOIN main.lots ON balances.fund = 'coop' \
    AND lots.partner = balances.partner AND lots.programme = balances.programme \
    AND lots.lot = balances.lot";

/// The expression of a computed column.
fn computed_column(view: View, at: usize, column: &str, now: Instant) -> String {
    let moment = now.micros();
    let of = |table: &'static Table| -> String {
        let columns = read_columns(table).map(|column| format!("{}.{column}", table.name));
        columns.collect::<Vec<_>>().join(",")
    };
    if view == View::Balances {
        let (balance, lot) = (of(BalanceRow::TABLE), of(LotRow::TABLE));
        return format!("lot_state({moment},{balance},{lot})");
    }
    let state = state_at(view, now).filter(|_| column == EFFECTIVE_STATE);
    let row = of(view.table());
    state.unwrap_or_else(|| format!("computed('{}',{at},{moment},{row})", view.name()))
}

/// One of the columns that are computed of a row.
fn computed<R: Shown>(of: &Context<'_>) -> rusqlite::Result<Stored> {
    let (column, now): (u32, i64) = (of.get(1)?, of.get(2)?);
    let arguments = Arguments(of, 3);
    let mut cells = Cells::new(&arguments, R::TABLE);
    let Some(row) = R::read(&mut || cells.next()) else { return Ok(Stored::Null) };
    let values = row.computed(Instant::from_micros(now), None)?;
    let value = (0..).zip(values).find_map(|(at, value)| (at == column).then_some(value));
    let value = value.unwrap_or_default();
    Ok(match value {
        Value::Bool(yes) => Stored::Integer(i64::from(yes)),
        Value::Number(number) => number.as_i64().map_or(Stored::Null, Stored::Integer),
        Value::String(text) => Stored::Text(text),
        Value::Null | Value::Array(_) | Value::Object(_) => Stored::Null,
    })
}

fn word<W: Field>(of: &Context<'_>) -> rusqlite::Result<Option<W>> {
    let text: Option<String> = of.get(0)?;
    Ok(text.and_then(|text| W::read(Cell::Text(text.into()))))
}

fn instant(of: &Context<'_>, at: usize) -> rusqlite::Result<Option<Instant>> {
    let text: Option<String> = of.get(at)?;
    Ok(text.and_then(|text| text.parse().ok()))
}
