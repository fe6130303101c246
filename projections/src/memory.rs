//! Rows kept in memory: for tests, for folds without a database, and to compare a database with.

use crate::{
    BalanceRow, CertificationRow, ClaimRow, ConflictRow, CustomerRow, DayRow, DealRow, FigureRow,
    Keeps, KeepsPostings, LotRow, MeasureRow, PartnerRow, Posting, ProgrammeRow, RequestRow, Row,
    Store, StoreError, TierRow,
};
use chl_events::Commit;
use std::collections::BTreeMap;

/// The rows of one read model in memory.
#[derive(Debug, Clone)]
pub struct MemoryTable<R: Row> {
    rows: BTreeMap<R::Key, R>,
}

impl<R: Row> Default for MemoryTable<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new() }
    }
}

impl<R: Row> MemoryTable<R> {
    /// The rows in the order of their keys.
    pub fn rows(&self) -> impl Iterator<Item = &R> {
        self.rows.values()
    }

    /// A row.
    pub fn get(&self, key: &R::Key) -> Option<&R> {
        self.rows.get(key)
    }
}

macro_rules! memory {
    ($($field:ident: $row:ty),+ $(,)?) => {
        /// All read models in memory.
        #[derive(Debug, Clone, Default)]
        pub struct MemoryStore {
            $(
                #[doc = concat!("The rows of `", stringify!($field), "`.")]
                pub $field: MemoryTable<$row>,
            )+
            /// The exact text of every posting line; none when they are not kept.
            pub postings: Option<Vec<String>>,
            /// The commits that a reversal may name.
            pub commits: Vec<Commit>,
        }

        $(
            impl Keeps<$row> for MemoryStore {
                fn peek(
                    &mut self,
                    key: &<$row as Row>::Key,
                ) -> Result<Option<&$row>, StoreError> {
                    Ok(self.$field.rows.get(key))
                }

                fn edit(
                    &mut self,
                    key: &<$row as Row>::Key,
                ) -> Result<Option<&mut $row>, StoreError> {
                    Ok(self.$field.rows.get_mut(key))
                }

                fn edit_or(
                    &mut self,
                    key: &<$row as Row>::Key,
                    new: fn(&<$row as Row>::Key) -> $row,
                ) -> Result<&mut $row, StoreError> {
                    Ok(self.$field.rows.entry(key.clone()).or_insert_with(|| new(key)))
                }

                fn put(&mut self, row: $row) -> Result<(), StoreError> {
                    self.$field.rows.insert(row.key(), row);
                    Ok(())
                }
            }
        )+

        impl MemoryStore {
            /// The canonical dump of every read model: name and sorted lines.
            pub fn dumps(&self) -> Vec<(&'static str, Vec<String>)> {
                let mut dumps = vec![$((
                    <$row as Row>::TABLE.name,
                    self.$field.rows().map(Row::canonical).collect(),
                )),+];
                dumps.push((Posting::TABLE.name, self.postings.clone().unwrap_or_default()));
                dumps
            }
        }
    };
}

memory! {
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

impl KeepsPostings for MemoryStore {
    fn post(&mut self, posting: &Posting<'_>) -> Result<(), StoreError> {
        if let Some(postings) = &mut self.postings {
            postings.push(posting.canonical());
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn earlier(&mut self, position: u64) -> Result<Commit, StoreError> {
        let found = self.commits.iter().find(|commit| commit.position == position);
        found.cloned().ok_or_else(|| {
            StoreError(format!("no commit at position {position} is at hand").into())
        })
    }
}
