//! The readers' side: answers from SQLite, in any process, beside the one that writes.

use crate::{
    Query, ReaderError, StaleError, View, ViewDigest,
    checkpoint::Checkpoint,
    digest::digests,
    effective,
    frozen::Frozen,
    layout::{Cells, Layout, key_names},
    meta::{self, Stand},
    show::{Shown, json_cells, shown},
};
use chl_events::{Date, Instant, LedgerId};
use chl_projections::{
    BalanceRow, Cell, CertificationRow, ClaimRow, ConflictRow, CustomerRow, DayRow, DealRow,
    FigureRow, LotRow, MeasureRow, PartnerRow, Posting, ProgrammeRow, RequestRow, Row, Table,
    TierRow,
};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use serde_json::Value;
use std::path::Path;

/// The name of a file whose postings are read in place of one's own.
pub(crate) const LENDER: &str = "lender";

/// Rows in answer to a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The position the rows stand for: as many commits are folded into them.
    pub position: u64,
    /// When the last of them was recorded.
    pub recorded_at: Option<Instant>,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a value per column.
    pub rows: Vec<Vec<Value>>,
    /// The read models the rows come from that stand still, and may stand for less than the
    /// position.
    pub frozen: Vec<Frozen>,
}

/// The read models, open to be read.
#[derive(Debug)]
pub struct Reader {
    pub(crate) db: Connection,
}

impl Reader {
    /// Opens the read models a path names; never changes them.
    pub fn open(path: &Path) -> Result<Self, ReaderError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(std::time::Duration::from_secs(10))?;
        effective::define(&db)?;
        db.pragma_update(None, "query_only", true)?;
        let reader = Self { db };
        reader.checkpoint()?;
        Ok(reader)
    }

    /// How far the read models have come.
    pub fn checkpoint(&self) -> Result<Checkpoint, ReaderError> {
        Ok(meta::read(&self.db)??.furthest())
    }

    /// How each read model stands.
    pub fn stands(&self) -> Result<Vec<Stand>, ReaderError> {
        Ok(meta::read(&self.db)??.stands)
    }

    /// The read models the file keeps.
    pub fn kept(&self) -> Result<Vec<View>, ReaderError> {
        Ok(meta::read(&self.db)??.kept())
    }

    /// Refuses what needs the rows of a read model that the file does not keep.
    pub(crate) fn require(&self, views: &[View]) -> Result<(), ReaderError> {
        let kept = self.kept()?;
        let Some(missing) = views.iter().find(|view| !kept.contains(view)) else { return Ok(()) };
        Err(ReaderError::NotKept { view: missing.name(), kept: View::names(&kept) })
    }

    /// Those of some read models that stand still.
    pub fn frozen(&self, of: &[View]) -> Result<Vec<Frozen>, ReaderError> {
        let stands = self.stands()?.into_iter().filter(|stand| of.contains(&stand.view));
        Ok(stands.filter_map(|stand| stand.frozen).collect())
    }

    /// The position the rows stand for: as many commits are folded into them.
    pub fn position(&self) -> Result<u64, ReaderError> {
        Ok(self.checkpoint()?.position)
    }

    /// The ledger they are of.
    pub fn ledger(&self) -> Result<LedgerId, ReaderError> {
        Ok(self.checkpoint()?.ledger)
    }

    /// The digest of each view's canonical dump.
    pub fn digests(&self) -> Result<Vec<ViewDigest>, ReaderError> {
        self.snapshot(|reader| Ok(digests(&reader.db, &reader.kept()?)?))
    }

    /// Answers a question, all of it as of one position.
    pub fn query(&self, query: &Query) -> Result<Answer, ReaderError> {
        self.snapshot(|reader| reader.answer(query))
    }

    /// Hands out every row of some views as cells, in the order of their keys, and where they are
    /// asked for the scorecards of every period, all as of the one position that is returned.
    pub fn dump<E: From<ReaderError>>(
        &self,
        views: &[View],
        mut to: impl FnMut(View, &[Cell<'_>]) -> Result<(), E>,
        cards: Option<&mut dyn FnMut(Vec<Value>) -> Result<(), E>>,
    ) -> Result<Checkpoint, E> {
        self.snapshot(|reader| {
            for view in views {
                // Nothing that is stored depends on the moment of asking.
                let all = Query::all(*view, Instant::from_micros(0));
                reader.each_cells(&all, |read| to(*view, &whole(view.table(), read)?))?;
            }
            if let Some(cards) = cards {
                reader.each_card(cards)?;
            }
            Ok(reader.checkpoint()?)
        })
    }

    /// Reads postings from another file of the same ledger, those before a position and effective by
    /// a day: lines are never changed.
    pub(crate) fn borrow_postings(
        &mut self,
        from: &Path,
        end: u64,
        effective: Option<Date>,
    ) -> Result<(), ReaderError> {
        self.db.execute(&format!("ATTACH ? AS {LENDER}"), [from.to_string_lossy()])?;
        let by_day = effective.map(|day| format!(" AND effective_on <= '{day}'"));
        self.db.pragma_update(None, "query_only", false)?;
        self.db.execute_batch(&format!(
            "CREATE TEMP VIEW postings AS SELECT * FROM {LENDER}.postings WHERE position < {end}{}",
            by_day.unwrap_or_default()
        ))?;
        self.db.pragma_update(None, "query_only", true)?;
        Ok(())
    }

    /// Runs a step in one read transaction, so that all of it sees one position.
    pub(crate) fn snapshot<T, E: From<ReaderError>>(
        &self,
        step: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let transaction = self.db.unchecked_transaction().map_err(ReaderError::from)?;
        let done = step(self);
        // Nothing is written but temporary tables, which a rollback would take away.
        transaction.commit().map_err(ReaderError::from)?;
        done
    }

    fn answer(&self, query: &Query) -> Result<Answer, ReaderError> {
        self.require(&[query.view])?;
        let stands = self.stands()?;
        let stand = stands.iter().find(|stand| stand.view == query.view);
        let checkpoint = stand.ok_or(StaleError::Unreadable)?.checkpoint;
        let mut answer = Answer {
            position: checkpoint.position,
            recorded_at: checkpoint.recorded_at,
            columns: Vec::new(),
            rows: Vec::new(),
            frozen: self.frozen(query.view.shows())?,
        };
        match query.view {
            View::Balances => self.show::<BalanceRow>(query, &mut answer)?,
            View::Postings => self.show_postings(query, &mut answer)?,
            View::Deals => self.show::<DealRow>(query, &mut answer)?,
            View::Conflicts => self.show::<ConflictRow>(query, &mut answer)?,
            View::Customers => self.show::<CustomerRow>(query, &mut answer)?,
            View::Claims => self.show::<ClaimRow>(query, &mut answer)?,
            View::Requests => self.show::<RequestRow>(query, &mut answer)?,
            View::Lots => self.show::<LotRow>(query, &mut answer)?,
            View::Partners => self.show::<PartnerRow>(query, &mut answer)?,
            View::Tiers => self.show::<TierRow>(query, &mut answer)?,
            View::Certifications => self.show::<CertificationRow>(query, &mut answer)?,
            View::Measures => self.show::<MeasureRow>(query, &mut answer)?,
            View::Programmes => self.show::<ProgrammeRow>(query, &mut answer)?,
            View::Days => self.show::<DayRow>(query, &mut answer)?,
            View::Figures => self.show::<FigureRow>(query, &mut answer)?,
        }
        Ok(answer)
    }

    fn show<R: Shown>(&self, query: &Query, answer: &mut Answer) -> Result<(), ReaderError> {
        let columns = shown(R::TABLE.columns).map(|column| column.name);
        answer.columns = columns.chain(R::COMPUTED.iter().copied()).map(Into::into).collect();
        self.each::<R>(query, &mut |row| {
            let mut cells = Vec::new();
            row.cells(&mut |cell| cells.push(owned(cell)));
            let mut values = json_cells(R::TABLE.columns, &cells);
            values.extend(row.computed(query.now, Some(&self.db))?);
            answer.rows.push(values);
            Ok(())
        })
    }

    /// Hands out typed rows that meet a query's conditions, in the order of their keys.
    pub(crate) fn each<R: Row>(
        &self,
        query: &Query,
        to: &mut dyn FnMut(R) -> Result<(), ReaderError>,
    ) -> Result<(), ReaderError> {
        self.each_cells(query, |cells| {
            let row = R::read(&mut || cells.next());
            to(row.ok_or(ReaderError::Damaged(R::TABLE.name))?)
        })
    }

    fn each_cells<E: From<ReaderError>>(
        &self,
        query: &Query,
        mut to: impl FnMut(&mut Cells<'_, rusqlite::Row<'_>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = query.view.table();
        let (condition, values) = query.condition()?;
        let mut select = Layout::new(table).select;
        if !condition.is_empty() {
            select = format!("{select} WHERE {condition}");
        }
        select = format!("{select} ORDER BY {}", key_names(table));
        if let Some(limit) = query.limit {
            select = format!("{select} LIMIT {limit}");
        }
        let mut statement = self.db.prepare_cached(&select).map_err(ReaderError::from)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(ReaderError::from)?;
        while let Some(row) = rows.next().map_err(ReaderError::from)? {
            to(&mut Cells::new(row, table))?;
        }
        Ok(())
    }

    fn show_postings(&self, query: &Query, answer: &mut Answer) -> Result<(), ReaderError> {
        let table = Posting::TABLE;
        answer.columns = table.columns.iter().map(|column| column.name.into()).collect();
        self.each_cells(query, |read| {
            answer.rows.push(json_cells(table.columns, &whole(table, read)?));
            Ok(())
        })
    }
}

/// All cells of a row.
fn whole(
    table: &Table,
    read: &mut Cells<'_, rusqlite::Row<'_>>,
) -> Result<Vec<Cell<'static>>, ReaderError> {
    let cells: Vec<_> = std::iter::from_fn(|| read.next()).collect();
    if cells.len() == table.columns.len() {
        Ok(cells)
    } else {
        Err(ReaderError::Damaged(table.name))
    }
}

fn owned(cell: Cell<'_>) -> Cell<'static> {
    match cell {
        Cell::Text(text) => Cell::Text(text.into_owned().into()),
        Cell::Bytes(bytes) => Cell::Bytes(bytes.into_owned().into()),
        Cell::Null => Cell::Null,
        Cell::Int(value) => Cell::Int(value),
        Cell::Date(date) => Cell::Date(date),
        Cell::Instant(instant) => Cell::Instant(instant),
        Cell::Minor(minor) => Cell::Minor(minor),
        Cell::Money(money) => Cell::Money(money),
    }
}
