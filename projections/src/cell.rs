//! Cells: what a row of a read model is made of, independent of where it is kept.

use chl_events::{Currency, Date, Exact, Fund, Instant, Money, Rate};
use compact_str::CompactString;
use std::{borrow::Cow, fmt::Write};

/// One value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell<'a> {
    /// No value.
    Null,
    /// A whole number.
    Int(i64),
    /// A text, a word of a vocabulary, an identifier or a decimal.
    Text(Cow<'a, str>),
    /// A day.
    Date(Date),
    /// A moment.
    Instant(Instant),
    /// An amount in minor units of the row's `currency`.
    Minor(i128),
    /// An amount with a currency of its own.
    Money(Money),
    /// Bytes of a frozen struct.
    Bytes(Cow<'a, [u8]>),
}

impl Cell<'_> {
    /// Writes the cell's exact text: what digests are computed over.
    ///
    /// Null is `\N`; a backslash, tab or line end of a text is escaped, so that no two rows have
    /// the same line.
    pub fn write_canonical(&self, to: &mut String) {
        let written = match self {
            Self::Null => to.write_str("\\N"),
            Self::Int(value) => write!(to, "{value}"),
            Self::Text(text) => {
                escape(text, to);
                Ok(())
            }
            Self::Date(date) => write!(to, "{date}"),
            Self::Instant(instant) => write!(to, "{instant}"),
            Self::Minor(minor) => write!(to, "{minor}"),
            Self::Money(money) => write!(to, "{} {}", money.minor(), money.currency()),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(to, "{byte:02x}")),
        };
        written.expect("a string takes what is written to it");
    }
}

fn escape(text: &str, to: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => to.push_str("\\\\"),
            '\t' => to.push_str("\\t"),
            '\n' => to.push_str("\\n"),
            '\r' => to.push_str("\\r"),
            other => to.push(other),
        }
    }
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whole numbers.
    Int,
    /// Yes or no, as 1 or 0.
    Flag,
    /// Texts and identifiers.
    Text,
    /// Words of a closed list.
    Word(&'static [&'static str]),
    /// Codes of ISO 4217.
    Currency,
    /// Texts separated by single blanks; none of them holds a blank.
    List,
    /// Exact decimals, as text.
    Decimal,
    /// Days.
    Date,
    /// Moments.
    Instant,
    /// Amounts of the row's `currency`.
    Minor,
    /// Amounts with a currency of their own.
    Money,
    /// Bytes of a frozen struct.
    Bytes,
    /// The key of another row, by which folds find it; shown to nobody.
    Link,
}

impl Kind {
    /// Whether its values are for people and their tools, and not for folds alone.
    pub fn is_shown(self) -> bool {
        !matches!(self, Self::Bytes | Self::Link)
    }
}

/// A column of a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// The shape of a read model.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns; those of the primary key come first.
    pub columns: &'static [Column],
    /// How many columns the primary key has.
    pub keys: usize,
    /// What else rows are looked up by.
    pub indices: &'static [&'static [&'static str]],
}

/// A type that can be a cell of a row.
pub trait Field: Sized {
    /// The kind of its column.
    const KIND: Kind;
    /// The value as a cell.
    fn cell(&self) -> Cell<'_>;
    /// Takes a cell back; none when it holds no such value.
    fn read(cell: Cell<'_>) -> Option<Self>;
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, T::cell)
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if cell == Cell::Null { Some(None) } else { T::read(cell).map(Some) }
    }
}

/// The key of another row, if there is one, by which folds find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<T>(pub Option<T>);

impl<T: Field> Field for Link<T> {
    const KIND: Kind = Kind::Link;
    fn cell(&self) -> Cell<'_> {
        self.0.cell()
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        Option::read(cell).map(Self)
    }
}

/// An amount in minor units of the row's `currency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct Minor(pub i128);

impl Field for Minor {
    const KIND: Kind = Kind::Minor;
    fn cell(&self) -> Cell<'_> {
        Cell::Minor(self.0)
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Minor(minor) = cell { Some(Self(minor)) } else { None }
    }
}

impl Field for Money {
    const KIND: Kind = Kind::Money;
    fn cell(&self) -> Cell<'_> {
        Cell::Money(*self)
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Money(money) = cell { Some(money) } else { None }
    }
}

impl Field for Date {
    const KIND: Kind = Kind::Date;
    fn cell(&self) -> Cell<'_> {
        Cell::Date(*self)
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Date(date) = cell { Some(date) } else { None }
    }
}

impl Field for Instant {
    const KIND: Kind = Kind::Instant;
    fn cell(&self) -> Cell<'_> {
        Cell::Instant(*self)
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Instant(instant) = cell { Some(instant) } else { None }
    }
}

impl Field for bool {
    const KIND: Kind = Kind::Flag;
    fn cell(&self) -> Cell<'_> {
        Cell::Int(i64::from(*self))
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Int(value) = cell { Some(value != 0) } else { None }
    }
}

impl Field for Vec<u8> {
    const KIND: Kind = Kind::Bytes;
    fn cell(&self) -> Cell<'_> {
        Cell::Bytes(Cow::Borrowed(self))
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Bytes(bytes) = cell { Some(bytes.into_owned()) } else { None }
    }
}

impl Field for Currency {
    const KIND: Kind = Kind::Currency;
    fn cell(&self) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(self.code()))
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Self::new(&text).ok() } else { None }
    }
}

impl Field for CompactString {
    const KIND: Kind = Kind::Text;
    fn cell(&self) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(self))
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(Self::new(text)) } else { None }
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl Field for $type {
            const KIND: Kind = Kind::Int;
            fn cell(&self) -> Cell<'_> {
                Cell::Int(i64::try_from(*self).unwrap_or(i64::MAX))
            }
            fn read(cell: Cell<'_>) -> Option<Self> {
                if let Cell::Int(value) = cell { value.try_into().ok() } else { None }
            }
        }
    )+};
}
whole_numbers!(u8, u32, u64, i64);

macro_rules! decimals {
    ($($type:ty),+) => {$(
        impl Field for $type {
            const KIND: Kind = Kind::Decimal;
            fn cell(&self) -> Cell<'_> {
                Cell::Text(Cow::Owned(self.to_string()))
            }
            fn read(cell: Cell<'_>) -> Option<Self> {
                if let Cell::Text(text) = cell { text.parse().ok() } else { None }
            }
        }
    )+};
}
decimals!(Exact, Rate);

macro_rules! texts {
    ($($type:ty => $kind:expr),+ $(,)?) => {$(
        impl Field for $type {
            const KIND: Kind = $kind;
            fn cell(&self) -> Cell<'_> {
                Cell::Text(Cow::Borrowed(self.as_str()))
            }
            fn read(cell: Cell<'_>) -> Option<Self> {
                if let Cell::Text(text) = cell { text.parse().ok() } else { None }
            }
        }
    )+};
}

macro_rules! words {
    ($($type:ty),+ $(,)?) => { texts!($($type => Kind::Word(<$type>::WORDS)),+); };
}

texts!(
    chl_events::PartnerId => Kind::Text,
    chl_events::ProgrammeId => Kind::Text,
    chl_events::CustomerId => Kind::Text,
    chl_events::DealId => Kind::Text,
    chl_events::ConflictId => Kind::Text,
    chl_events::BudgetId => Kind::Text,
    chl_events::RequestId => Kind::Text,
    chl_events::ClaimId => Kind::Text,
    chl_events::LotId => Kind::Text,
    chl_events::PersonId => Kind::Text,
    chl_events::ActorId => Kind::Text,
    chl_events::Code => Kind::Text,
);

words!(
    Fund,
    chl_events::claim::PaymentMethod,
    chl_events::conflict::ConflictKind,
    chl_events::conflict::LapseCause,
    chl_events::conflict::SlotMatch,
    chl_events::deal::GuardEnd,
    chl_events::terms::ConflictRule,
);

/// Several values in one cell, as texts separated by single blanks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct List(String);

impl List {
    /// Makes a list of texts, none of which holds a blank.
    pub fn of<T: ToString>(items: impl IntoIterator<Item = T>) -> Self {
        let mut list = Self::default();
        for item in items {
            list.push(&item.to_string());
        }
        list
    }

    /// Adds a text at the end.
    pub fn push(&mut self, item: &str) {
        if !self.0.is_empty() {
            self.0.push(' ');
        }
        self.0.push_str(item);
    }

    /// Takes a text out.
    pub fn remove(&mut self, item: &str) {
        let left = self.iter().filter(|one| *one != item);
        self.0 = left.collect::<Vec<_>>().join(" ");
    }

    /// The texts.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|item| !item.is_empty())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them as one text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Field for List {
    const KIND: Kind = Kind::List;
    fn cell(&self) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(&self.0))
    }
    fn read(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { Some(Self(text.into_owned())) } else { None }
    }
}
