//! States as rows: one row an item, loaded when a decision asks for it, kept by whoever runs the
//! writer.
//!
//! A state is a cache over the log, never truth. Rows are keyed by kind and the item's own key, so
//! that a stream with a long history costs only what a command touches.

use crate::row_key::{Key, RowKey};
use crate::{budget, claim, coop, customer, deal, ledger, mdf, partner, programme, rebate};
use chl_events::{Commit, Stream};
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

/// The version of the rows' bytes; another one makes states be built anew from the log.
pub const STATES_VERSION: u32 = 3;

/// An [`Arc`] counts its owners beside the item.
const COUNTS_BYTES: usize = 2 * size_of::<usize>();

/// Says that a state could not be loaded; the command may be sent again.
#[derive(Debug, thiserror::Error)]
#[error("a state could not be loaded: {0}")]
pub struct Unavailable(pub Box<dyn std::error::Error + Send + Sync>);

/// Where rows and commits come from.
pub trait Rows {
    /// The row of a key, as the commits before this decision left it.
    fn row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable>;

    /// The commit at a position.
    fn commit(&self, position: u64) -> Result<Option<Arc<Commit>>, Unavailable>;
}

/// Where rows go.
pub trait RowsMut: Rows {
    /// Sets a row, or takes it away.
    fn set(&mut self, key: RowKey, row: Option<Row>);
}

/// An item that is kept as a row.
pub(crate) trait Item: Clone {
    const KIND: u8;
    fn of(row: Row) -> Option<Arc<Self>>;
    fn row(self: Arc<Self>) -> Row;
}

macro_rules! rows {
    ($($(#[$doc:meta])* $kind:literal => $variant:ident($type:ty)),+ $(,)?) => {
        /// A row of any kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Row {
            $($(#[$doc])* $variant(Arc<$type>)),+
        }

        $(
            impl Item for $type {
                const KIND: u8 = $kind;
                fn of(row: Row) -> Option<Arc<Self>> {
                    if let Row::$variant(item) = row { Some(item) } else { None }
                }
                fn row(self: Arc<Self>) -> Row {
                    Row::$variant(self)
                }
            }

            impl From<$type> for Row {
                fn from(item: $type) -> Self {
                    Self::$variant(Arc::new(item))
                }
            }
        )+

        /// As its item.
        impl Serialize for Row {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(item) => item.serialize(to)),+ }
            }
        }

        impl Row {
            /// Every kind of row: its number and its name.
            pub const KINDS: &'static [(u8, &'static str)] =
                &[$(($kind, stringify!($variant))),+];

            /// How many bytes it takes in memory, without the lists that a few kinds have.
            pub fn footprint(&self) -> usize {
                match self { $(Self::$variant(_) => COUNTS_BYTES + size_of::<$type>()),+ }
            }

            /// The row's bytes.
            pub fn encode(&self) -> Result<Vec<u8>, postcard::Error> {
                match self { $(Self::$variant(item) => chl_events::to_bytes(item)),+ }
            }

            /// Reads a row of a kind back; none for a kind this release does not have.
            pub fn decode(kind: u8, bytes: &[u8]) -> Option<Result<Self, postcard::Error>> {
                match kind {
                    $($kind => Some(postcard::from_bytes::<$type>(bytes).map(Self::from)),)+
                    _ => None,
                }
            }
        }
    };
}

rows! {
    /// A stream's version.
    1 => Stream(StreamVersion),
    /// A reversed entry, by the position it reverses.
    3 => Reversal(ledger::Reversal),
    /// How far the books are closed, by the ledger's own stream.
    4 => ClosedBooks(ledger::ClosedBooks),
    /// What was destroyed when somebody was forgotten, by its number from 0.
    5 => Forgetting(ledger::Forgetting),
    /// How often somebody was forgotten, by the ledger's own stream.
    6 => Forgettings(ledger::Forgettings),
    /// A partner.
    10 => Partner(partner::Partner),
    /// A partner's part in a programme, by `partner/programme`.
    11 => Enrolment(partner::Enrolment),
    /// A partner's link to a distributor, by `partner/distributor`.
    12 => DistributorLink(partner::DistributorLink),
    /// A person's credential, by `partner/person/credential`.
    13 => Certification(partner::Certification),
    /// A partner's measure over a period, by `partner/measure/period`.
    14 => Measure(partner::Measure),
    /// A published scorecard, by `partner/programme/period`.
    15 => Scorecard(partner::Scorecard),
    /// A programme's chain of versions.
    30 => Programme(programme::Programme),
    /// One published version, by `programme/version`.
    31 => Version(programme::Version),
    /// A customer.
    40 => Customer(customer::Customer),
    /// What was decided of two customers that look alike, by the name of their conflict.
    41 => Pair(customer::Pair),
    /// A deal.
    50 => Deal(deal::Deal),
    /// The open deals at a slot, by `customer/product_line`.
    51 => Slot(deal::Slot),
    /// A conflict.
    70 => Conflict(crate::conflict::Conflict),
    /// An MDF budget.
    80 => Budget(budget::Budget),
    /// A partner's MDF in a programme, by `programme/partner`.
    90 => MdfFund(mdf::MdfFund),
    /// What a budget allocated to a partner, by `programme/partner/budget`.
    91 => Allocation(mdf::Allocation),
    /// An MDF request.
    92 => Request(mdf::Request),
    /// A partner's co-op in a programme, by `programme/partner`.
    100 => CoopFund(coop::CoopFund),
    /// A lot, by `programme/partner/lot`.
    101 => Lot(coop::Lot),
    /// A sale that accrued, by `programme/partner/sale`.
    102 => Sale(coop::Sale),
    /// A claim.
    110 => Claim(claim::Claim),
    /// An invoice on a live claim, by issuer and number or by digest.
    112 => Invoice(claim::Invoice),
    /// A partner's rebate in a programme, by `programme/partner`.
    130 => RebateFund(rebate::RebateFund),
}

/// How many commits a stream has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamVersion {
    /// The version.
    pub version: u64,
}

/// The read side of a decision.
#[derive(Clone, Copy)]
pub struct Facts<'a>(pub &'a dyn Rows);

impl Facts<'_> {
    /// The item of a key.
    pub(crate) fn get<T: Item>(&self, id: impl Key) -> Result<Option<Arc<T>>, Unavailable> {
        get(self.0, id)
    }

    /// A stream's version; 0 for one without a commit.
    pub fn version(&self, stream: &Stream) -> Result<u64, Unavailable> {
        Ok(self.get::<StreamVersion>(stream)?.map_or(0, |row| row.version))
    }
}

fn key<T: Item>(id: impl Key) -> RowKey {
    RowKey::of(T::KIND, id)
}

/// The item of a key.
pub(crate) fn get<T: Item>(rows: &dyn Rows, id: impl Key) -> Result<Option<Arc<T>>, Unavailable> {
    let key = key::<T>(id);
    match rows.row(&key)? {
        None => Ok(None),
        Some(row) => T::of(row).map(Some).ok_or_else(|| {
            Unavailable(format!("the row {key:?} is of another kind than its key").into())
        }),
    }
}

/// Sets an item.
pub(crate) fn put<T: Item>(rows: &mut dyn RowsMut, id: impl Key, item: T) {
    rows.set(key::<T>(id), Some(Arc::new(item).row()));
}

/// Takes an item away.
pub(crate) fn remove<T: Item>(rows: &mut dyn RowsMut, id: impl Key) {
    rows.set(key::<T>(id), None);
}

/// Changes an item that a fact speaks of; a fact of an item nobody opened is an error.
pub(crate) fn update<T: Item>(
    rows: &mut dyn RowsMut,
    id: impl Key,
    change: impl FnOnce(&mut T),
) -> Result<(), Unavailable> {
    let key = key::<T>(id);
    let missing = || Unavailable(format!("an event changes {key:?}, which no event opened").into());
    let mut item = rows.row(&key)?.and_then(T::of).ok_or_else(missing)?;
    change(Arc::make_mut(&mut item));
    rows.set(key, Some(item.row()));
    Ok(())
}
