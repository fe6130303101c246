//! Rows as people and programs see them: JSON values in the order of the columns, with what
//! depends on the moment of asking behind them.

use crate::layout::{Cells, Layout};
use chl_events::{Currency, Instant, Money};
use chl_projections::{
    BalanceRow, Cell, CertificationRow, ClaimRow, Column, ConflictRow, CustomerRow, DayRow,
    DealRow, Field, FigureRow, Kind, LotRow, MeasureRow, PartnerRow, ProgrammeRow, RequestRow, Row,
    TierRow,
};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

/// The column of the state at the moment of asking.
pub(crate) const EFFECTIVE_STATE: &str = "effective_state";

/// A row with what is computed when it is shown.
pub(crate) trait Shown: Row {
    /// The names of the computed columns.
    const COMPUTED: &'static [&'static str] = &[];

    /// Computes them; what lies in other tables only where there is a connection to ask.
    fn computed(&self, _now: Instant, _db: Option<&Connection>) -> rusqlite::Result<Vec<Value>> {
        Ok(Vec::new())
    }
}

impl Shown for CustomerRow {}
impl Shown for FigureRow {}
impl Shown for RequestRow {}
impl Shown for LotRow {}
impl Shown for PartnerRow {}
impl Shown for TierRow {}
impl Shown for CertificationRow {}
impl Shown for MeasureRow {}
impl Shown for DayRow {}

impl Shown for DealRow {
    const COMPUTED: &'static [&'static str] = &[EFFECTIVE_STATE, "days_left", "age_days"];

    fn computed(&self, now: Instant, _: Option<&Connection>) -> rusqlite::Result<Vec<Value>> {
        let state = self.state_at(now).as_str();
        Ok(vec![json!(state), json!(self.days_left(now)), json!(self.age_days(now))])
    }
}

impl Shown for ConflictRow {
    const COMPUTED: &'static [&'static str] = &[EFFECTIVE_STATE, "age_days", "overdue"];

    fn computed(&self, now: Instant, _: Option<&Connection>) -> rusqlite::Result<Vec<Value>> {
        let state = self.state_at(now).as_str();
        Ok(vec![json!(state), json!(self.age_days(now)), json!(self.is_overdue(now))])
    }
}

impl Shown for ClaimRow {
    const COMPUTED: &'static [&'static str] = &["age_days"];

    fn computed(&self, now: Instant, _: Option<&Connection>) -> rusqlite::Result<Vec<Value>> {
        Ok(vec![json!(self.age_days(now))])
    }
}

impl Shown for BalanceRow {
    const COMPUTED: &'static [&'static str] = &["lot_state"];

    fn computed(&self, now: Instant, db: Option<&Connection>) -> rusqlite::Result<Vec<Value>> {
        let lot = db.map(|db| find_lot(self, db)).transpose()?.flatten();
        Ok(vec![json!(lot.map(|lot| lot.state_at(now, self).as_str()))])
    }
}

fn find_lot(of: &BalanceRow, db: &Connection) -> rusqlite::Result<Option<LotRow>> {
    if of.fund != chl_events::Fund::Coop || of.lot == chl_projections::TOTAL {
        return Ok(None);
    }
    let mut statement = db.prepare_cached(&Layout::new(LotRow::TABLE).select_by_key)?;
    let key = [of.partner.as_str(), of.programme.as_str(), of.lot.as_str()];
    let row = statement.query_row(key, |row| {
        let mut cells = Cells::new(row, LotRow::TABLE);
        Ok(LotRow::read(&mut || cells.next()))
    });
    Ok(row.optional()?.flatten())
}

impl Shown for ProgrammeRow {
    const COMPUTED: &'static [&'static str] = &["terms"];

    fn computed(&self, _: Instant, _: Option<&Connection>) -> rusqlite::Result<Vec<Value>> {
        let terms = self.terms().ok().flatten();
        Ok(vec![terms.and_then(|terms| serde_json::to_value(terms).ok()).unwrap_or_default()])
    }
}

/// The columns that are shown.
pub(crate) fn shown(columns: &'static [Column]) -> impl Iterator<Item = &'static Column> {
    columns.iter().filter(|column| column.kind.is_shown())
}

/// A row's cells as JSON.
pub(crate) fn json_cells(columns: &'static [Column], cells: &[Cell<'_>]) -> Vec<Value> {
    let pairs = || columns.iter().zip(cells);
    let currency = pairs().find(|(column, _)| column.name == "currency");
    let currency = currency.and_then(|(_, cell)| Currency::read(cell.clone()));
    let shown = pairs().filter(|(column, _)| column.kind.is_shown());
    shown.map(|(column, cell)| json_cell(column.kind, cell, currency)).collect()
}

fn json_cell(kind: Kind, cell: &Cell<'_>, currency: Option<Currency>) -> Value {
    match (kind, cell) {
        (Kind::Flag, Cell::Int(value)) => json!(*value != 0),
        (Kind::List, Cell::Text(text)) => text.split(' ').filter(|item| !item.is_empty()).collect(),
        (_, Cell::Null) => Value::Null,
        (_, Cell::Int(value)) => json!(value),
        (_, Cell::Text(text)) => json!(text),
        (_, Cell::Date(date)) => json!(date.to_string()),
        (_, Cell::Instant(instant)) => json!(instant.to_string()),
        (_, Cell::Minor(minor)) => {
            json!(currency.map(|of| Money::from_minor(*minor, of).amount()))
        }
        (_, Cell::Money(money)) => {
            json!({ "amount": money.amount(), "currency": money.currency().code() })
        }
        (_, Cell::Bytes(_)) => Value::Null,
    }
}
