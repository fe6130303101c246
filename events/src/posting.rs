//! Posting lines: the double entry of every money event, computed once by the decision.

use crate::{LotId, Money, PartnerId};
use serde::{Deserialize, Serialize};

/// A word of a closed vocabulary: an explicit number on the wire, a word in JSON.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $tag:literal => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[schemars(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The same, as in JSON and tables.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The number on the wire; it never changes.
            pub fn tag(self) -> u8 {
                match self { $(Self::$variant => $tag),+ }
            }

            /// The word of a number.
            pub fn from_tag(tag: u8) -> Option<Self> {
                match tag { $($tag => Some(Self::$variant),)+ _ => None }
            }

            /// The word, as in JSON and tables.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::posting::UnknownWord;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|word| word.as_str()).collect();
                    $crate::posting::UnknownWord {
                        word: text.chars().take(64).collect(),
                        known: known.join(", "),
                    }
                })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                if to.is_human_readable() { to.serialize_str(self.as_str()) } else { to.serialize_u8(self.tag()) }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                use serde::de::Error;
                if from.is_human_readable() {
                    String::deserialize(from)?.parse().map_err(D::Error::custom)
                } else {
                    let tag = u8::deserialize(from)?;
                    Self::from_tag(tag).ok_or_else(|| {
                        D::Error::custom(concat!("an unknown number of ", stringify!($name)))
                    })
                }
            }
        }
    };
}
pub(crate) use vocabulary;

/// Says that a text is no word of a vocabulary, and which words there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is none of: {known}")]
pub struct UnknownWord {
    pub(crate) word: String,
    pub(crate) known: String,
}

vocabulary! {
    /// The vendor's books, and the memo book in which MDF is planned.
    Book {
        /// The vendor's books.
        Books = 1 => "books",
        /// The memo book of MDF budgets; it balances by itself.
        Memo = 2 => "memo",
    }
}

vocabulary! {
    /// The side of a posting line.
    Side {
        /// Debit.
        Debit = 1 => "debit",
        /// Credit.
        Credit = 2 => "credit",
    }
}

vocabulary! {
    /// Accounts of the vendor's books and of the memo book.
    Account {
        /// CR: consideration payable to a customer, reducing revenue (ASC 606-10-32-25).
        ContraRevenue = 1 => "CR",
        /// EX: expense.
        Expense = 2 => "EX",
        /// AL: accrued liability.
        Accrued = 3 => "AL",
        /// HL: claims on hold.
        Held = 4 => "HL",
        /// PL: payable.
        Payable = 5 => "PL",
        /// CASH.
        Cash = 6 => "CASH",
        /// AR: credit memos.
        CreditMemo = 7 => "AR",
        /// WH: withheld tax.
        Withholding = 8 => "WH",
        /// RC: clawback receivable.
        Receivable = 9 => "RC",
        /// UP: unclaimed property.
        Unclaimed = 10 => "UP",
        /// RND: rounding.
        Rounding = 11 => "RND",
        /// BUD.source: where budgets come from (memo).
        BudgetSource = 20 => "BUD.source",
        /// BUD.unallocated: a budget not yet given to partners (memo).
        BudgetUnallocated = 21 => "BUD.unallocated",
        /// BUD.partner: allocated to a partner, not reserved (memo).
        BudgetPartner = 22 => "BUD.partner",
        /// BUD.reserved: reserved by approved requests (memo).
        BudgetReserved = 23 => "BUD.reserved",
        /// BUD.spent: approved claims (memo).
        BudgetSpent = 24 => "BUD.spent",
    }
}

vocabulary! {
    /// The fund a line belongs to.
    Fund {
        /// Co-op: accrued on sales, in lots.
        Coop = 1 => "coop",
        /// MDF: market development funds.
        Mdf = 2 => "mdf",
        /// Rebate.
        Rebate = 3 => "rebate",
    }
}

/// One line of a money event. Per event, book and currency, debits equal credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostingLine {
    /// The book.
    pub book: Book,
    /// The account.
    pub account: Account,
    /// The fund whose money it is.
    pub fund: Fund,
    /// The partner whose sub-account it is; none for accounts of the vendor alone.
    pub partner: Option<PartnerId>,
    /// The lot (co-op), where the line belongs to one.
    pub lot: Option<LotId>,
    /// Debit or credit.
    pub side: Side,
    /// How much; always positive.
    pub amount: Money,
}
