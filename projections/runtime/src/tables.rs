//! The read models over one connection: what folds change, and the transaction it goes into.

use crate::{
    ahead::earlier,
    cache::{Cached, ROWS_AT_ONCE, failed},
    frozen::{NotFollowed, WriteFailed},
    layout::Layout,
    lines::{Lines, PostingLines},
};
use chl_events::Commit;
use chl_log::ReadLog;
use chl_projections::{
    BalanceRow, CertificationRow, ClaimRow, ConflictRow, CustomerRow, DayRow, DealRow, FigureRow,
    Keeps, KeepsPostings, LotRow, MeasureRow, PartnerRow, Posting, ProgrammeRow, RequestRow, Row,
    Store, StoreError, Table, TierRow,
};
use rusqlite::Connection;
use std::sync::Arc;

macro_rules! tables {
    ($($field:ident: $row:ty),+ $(,)?) => {
        /// The rows in memory over a connection, and the log an entry is looked up in.
        pub(crate) struct Tables {
            pub(crate) db: Connection,
            log: Arc<dyn ReadLog>,
            postings: Layout,
            /// Posting lines that are not inserted yet.
            lines: PostingLines,
            /// Whether a transaction is open.
            open: bool,
            /// How many postings it holds.
            posted: usize,
            /// The read models that are not followed any more.
            frozen: Vec<&'static str>,
            $($field: Cached<$row>),+
        }

        impl Tables {
            /// Takes a connection over; `empty` says that its tables have no rows.
            pub(crate) fn new(db: Connection, log: Arc<dyn ReadLog>, empty: bool) -> Self {
                Self {
                    db,
                    log,
                    postings: Layout::new(Posting::TABLE),
                    lines: PostingLines::default(),
                    open: false,
                    posted: 0,
                    frozen: Vec::new(),
                    $($field: Cached::new(empty)),+
                }
            }

            /// How many rows the open transaction has changed or will change.
            pub(crate) fn pending(&self) -> usize {
                self.posted $(+ self.$field.changed())+
            }

            /// Writes all changed rows into the open transaction.
            pub(crate) fn write(&mut self) -> Result<(), WriteFailed> {
                if self.keeps(Posting::TABLE) {
                    self.insert_postings().map_err(WriteFailed::of(Posting::TABLE))?;
                }
                $(if self.keeps(<$row>::TABLE) {
                    self.$field.flush(&self.db).map_err(WriteFailed::of(<$row>::TABLE))?;
                })+
                Ok(())
            }

            /// Gives up what the open transaction holds, and every row in memory; `empty` says that
            /// the tables have no rows then.
            pub(crate) fn forget(&mut self, empty: bool) -> rusqlite::Result<()> {
                // What a table's own trigger has rolled back is gone already.
                if !self.db.is_autocommit() {
                    self.db.execute_batch("ROLLBACK")?;
                }
                (self.open, self.posted) = (false, 0);
                self.lines = PostingLines::default();
                $(self.$field = Cached::new(empty);)+
                Ok(())
            }
        }

        $(
            impl Keeps<$row> for Tables {
                fn peek(
                    &mut self,
                    key: &<$row as Row>::Key,
                ) -> Result<Option<&$row>, StoreError> {
                    self.followed(<$row>::TABLE)?;
                    self.$field.peek(key, &self.db)
                }

                fn edit(
                    &mut self,
                    key: &<$row as Row>::Key,
                ) -> Result<Option<&mut $row>, StoreError> {
                    self.followed(<$row>::TABLE)?;
                    self.$field.edit(key, &self.db)
                }

                fn edit_or(
                    &mut self,
                    key: &<$row as Row>::Key,
                    new: fn(&<$row as Row>::Key) -> $row,
                ) -> Result<&mut $row, StoreError> {
                    self.followed(<$row>::TABLE)?;
                    self.$field.edit_or(key, &self.db, new)
                }

                fn put(&mut self, row: $row) -> Result<(), StoreError> {
                    self.followed(<$row>::TABLE)?;
                    self.$field.put(row);
                    Ok(())
                }
            }
        )+
    };
}

tables! {
    balances: BalanceRow,
    lots: LotRow,
    deals: DealRow,
    conflicts: ConflictRow,
    customers: CustomerRow,
    claims: ClaimRow,
    requests: RequestRow,
    partners: PartnerRow,
    tiers: TierRow,
    certifications: CertificationRow,
    measures: MeasureRow,
    programmes: ProgrammeRow,
    days: DayRow,
    figures: FigureRow,
}

impl Tables {
    /// Opens a transaction where none is open.
    pub(crate) fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.open {
            self.db.execute_batch("BEGIN IMMEDIATE")?;
            self.open = true;
        }
        Ok(())
    }

    fn insert_postings(&mut self) -> rusqlite::Result<()> {
        let mut statement = self.db.prepare_cached(&self.postings.insert)?;
        self.lines.0.insert(&mut statement)
    }

    /// Takes posting lines that are ready.
    pub(crate) fn insert_ready(&mut self, mut lines: Lines) -> Result<(), WriteFailed> {
        if !self.keeps(Posting::TABLE) {
            return Ok(());
        }
        self.posted += lines.len();
        let statement = self.db.prepare_cached(&self.postings.insert);
        let inserted = statement.and_then(|mut statement| lines.insert(&mut statement));
        inserted.map_err(WriteFailed::of(Posting::TABLE))
    }

    /// Leaves the rows of a read model as they are from now on.
    pub(crate) fn freeze(&mut self, view: &'static str) {
        self.frozen.push(view);
    }

    fn followed(&self, table: &'static Table) -> Result<(), StoreError> {
        if self.keeps(table) {
            return Ok(());
        }
        Err(StoreError(NotFollowed(table.name).into()))
    }

    /// Commits the open transaction.
    pub(crate) fn commit(&mut self) -> rusqlite::Result<()> {
        if self.open {
            self.db.execute_batch("COMMIT")?;
            self.open = false;
            self.posted = 0;
        }
        Ok(())
    }
}

impl KeepsPostings for Tables {
    fn post(&mut self, posting: &Posting<'_>) -> Result<(), StoreError> {
        if !self.keeps(Posting::TABLE) {
            return Ok(());
        }
        self.lines.post(posting)?;
        self.posted += 1;
        if self.lines.0.len() >= ROWS_AT_ONCE {
            self.insert_postings().map_err(failed)?;
        }
        Ok(())
    }
}

impl Store for Tables {
    fn earlier(&mut self, position: u64) -> Result<Commit, StoreError> {
        earlier(self.log.as_ref(), position)
    }

    fn keeps(&self, table: &Table) -> bool {
        !self.frozen.contains(&table.name)
    }
}
