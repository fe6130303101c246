//! Names of rows: a kind, and the item's own key, written part by part without formatting.
//!
//! Every look at a row makes its name, so that this runs many times for each command.

use chl_events::{
    BudgetId, ClaimId, Code, ConflictId, CustomerId, DealId, LotId, PartnerId, Period, PersonId,
    ProgrammeId, RequestId, SaleId, Stream,
};
use compact_str::{CompactString, ToCompactString};

/// The name of a row: its kind and the item's key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// The number of the kind.
    pub kind: u8,
    /// The item's key as text.
    pub id: CompactString,
}

/// So long a text has no memory of its own.
const SHORT: usize = size_of::<CompactString>();

impl RowKey {
    /// The name of an item of a kind.
    pub(crate) fn of(kind: u8, key: impl Key) -> Self {
        let (mut short, mut length) = ([0; SHORT], 0);
        key.parts(&mut |part| {
            let end = length + part.len();
            if let Some(room) = short.get_mut(length..end) {
                room.copy_from_slice(part.as_bytes());
            }
            length = end;
        });
        if let Some(Ok(id)) = short.get(..length).map(std::str::from_utf8) {
            return Self { kind, id: id.into() };
        }
        let mut long = String::with_capacity(length);
        key.parts(&mut |part| long.push_str(part));
        Self { kind, id: long.into() }
    }
}

/// What an item is called by: an identifier, or several with a slash between.
pub(crate) trait Key {
    /// Hands out the key's text, part by part.
    fn parts(&self, to: &mut impl FnMut(&str));
}

impl<K: Key + ?Sized> Key for &K {
    fn parts(&self, to: &mut impl FnMut(&str)) {
        (**self).parts(to);
    }
}

impl Key for str {
    fn parts(&self, to: &mut impl FnMut(&str)) {
        to(self);
    }
}

macro_rules! keys_by_text {
    ($($name:ident),+ $(,)?) => {$(
        impl Key for $name {
            fn parts(&self, to: &mut impl FnMut(&str)) {
                to(self.as_str());
            }
        }
    )+};
}

keys_by_text! {
    BudgetId, ClaimId, Code, CompactString, ConflictId, CustomerId, DealId, LotId, PartnerId,
    PersonId, ProgrammeId, RequestId, SaleId,
}

macro_rules! keys_by_display {
    ($($name:ty),+ $(,)?) => {$(
        impl Key for $name {
            fn parts(&self, to: &mut impl FnMut(&str)) {
                to(&self.to_compact_string());
            }
        }
    )+};
}

keys_by_display! { u32, u64, Period }

impl Key for Stream {
    fn parts(&self, to: &mut impl FnMut(&str)) {
        self.parts(to);
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    fn parts(&self, to: &mut impl FnMut(&str)) {
        self.0.parts(to);
        to("/");
        self.1.parts(to);
    }
}

impl<A: Key, B: Key, C: Key> Key for (A, B, C) {
    fn parts(&self, to: &mut impl FnMut(&str)) {
        ((&self.0, &self.1), &self.2).parts(to);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_streams_key_is_its_name() {
        let names = [
            "ledger",
            "partner/p-042",
            "programme/gold",
            "customer/acme",
            "coop/gold/p-042",
            "mdf/gold/a-partner-with-a-name-that-is-longer-than-most-are",
            "rebate/gold/p-042",
            "budget/b-1",
        ];
        for name in names {
            let stream: Stream = name.parse().unwrap();
            assert_eq!(RowKey::of(1, &stream).id, stream.to_string());
        }
    }

    #[test]
    fn parts_are_joined_as_they_are_shown() {
        let (partner, measure) = ("p-042".parse::<PartnerId>().unwrap(), "nps".parse::<Code>());
        let (measure, period) = (measure.unwrap(), Period::months(2026, 1, 3).unwrap());
        let key = RowKey::of(14, (&partner, &measure, period));
        assert_eq!(key.id, format!("{partner}/{measure}/{period}"));
        assert_eq!(RowKey::of(31, (&partner, u32::MAX)).id, "p-042/4294967295");
        assert_eq!(RowKey::of(3, u64::MAX).id, u64::MAX.to_string());
        assert_eq!(RowKey::of(112, "d0").id, "d0");
    }
}
