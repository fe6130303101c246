//! Rows: typed structs whose columns and primary key are known.

use crate::{Cell, Table};
use std::hash::Hash;

/// A row of a read model, found by its key.
pub trait Row: Clone + PartialEq + std::fmt::Debug + Send + 'static {
    /// The primary key, as a tuple of its columns.
    type Key: Clone + Eq + Ord + Hash + Send;
    /// The shape of the read model.
    const TABLE: &'static Table;

    /// The row's primary key.
    fn key(&self) -> Self::Key;

    /// Hands out the cells of a key, in the order of the columns.
    fn key_cells(key: &Self::Key, to: &mut dyn FnMut(Cell<'_>));

    /// Hands out the row's cells, in the order of the columns.
    fn cells(&self, to: &mut dyn FnMut(Cell<'_>));

    /// Takes a row back from its cells; none when one of them does not fit.
    fn read(cells: &mut dyn FnMut() -> Option<Cell<'static>>) -> Option<Self>;

    /// The row's exact text: its cells, separated by tabs.
    fn canonical(&self) -> String {
        let mut line = String::new();
        self.cells(&mut |cell| {
            if !line.is_empty() {
                line.push('\t');
            }
            cell.write_canonical(&mut line);
        });
        line
    }
}

/// Declares a row: its struct, its columns in order, its primary key and its indices.
macro_rules! row {
    (
        $(#[$doc:meta])*
        $name:ident in $table:literal
        keys { $($(#[$kdoc:meta])* $key:ident: $kty:ty),+ $(,)? }
        fields { $($(#[$fdoc:meta])* $field:ident: $fty:ty),* $(,)? }
        indices [$($index:expr),* $(,)?]
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $($(#[$kdoc])* pub $key: $kty,)+
            $($(#[$fdoc])* pub $field: $fty,)*
        }

        impl $crate::Row for $name {
            type Key = ($($kty,)+);

            const TABLE: &'static $crate::Table = &$crate::Table {
                name: $table,
                columns: &[
                    $($crate::Column {
                        name: stringify!($key),
                        kind: <$kty as $crate::Field>::KIND,
                    },)+
                    $($crate::Column {
                        name: stringify!($field),
                        kind: <$fty as $crate::Field>::KIND,
                    },)*
                ],
                keys: [$(stringify!($key)),+].len(),
                indices: &[$(&$index),*],
            };

            fn key(&self) -> Self::Key {
                ($(self.$key.clone(),)+)
            }

            fn key_cells(key: &Self::Key, to: &mut dyn FnMut($crate::Cell<'_>)) {
                let ($($key,)+) = key;
                $(to($crate::Field::cell($key));)+
            }

            fn cells(&self, to: &mut dyn FnMut($crate::Cell<'_>)) {
                $(to($crate::Field::cell(&self.$key));)+
                $(to($crate::Field::cell(&self.$field));)*
            }

            fn read(cells: &mut dyn FnMut() -> Option<$crate::Cell<'static>>) -> Option<Self> {
                Some(Self {
                    $($key: $crate::Field::read(cells()?)?,)+
                    $($field: $crate::Field::read(cells()?)?,)*
                })
            }
        }
    };
}
pub(crate) use row;

/// Declares the states of a read model: words, as in its column `state`.
macro_rules! states {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$vdoc:meta])* $variant:ident => $word:literal),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name {
            $($(#[$vdoc])* $variant),+
        }

        impl $name {
            /// Every state.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The same, as in the column `state`.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::Field for $name {
            const KIND: $crate::Kind = $crate::Kind::Word(Self::WORDS);
            fn cell(&self) -> $crate::Cell<'_> {
                $crate::Cell::Text(std::borrow::Cow::Borrowed(self.as_str()))
            }
            fn read(cell: $crate::Cell<'_>) -> Option<Self> {
                let $crate::Cell::Text(text) = cell else { return None };
                Self::ALL.iter().copied().find(|state| state.as_str() == text)
            }
        }
    };
}
pub(crate) use states;
