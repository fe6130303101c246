//! Why a decision made no facts: a rejection of some area, or a state that could not be loaded.
//!
//! The one list of the areas' rejections. It stands above them, so that none of them knows it, and
//! below the decisions, which answer with it.

use crate::Unavailable;
use crate::rejection::{AnyRejection, CodeDoc};
use serde::Serialize;

macro_rules! areas {
    ($($(#[$doc:meta])* $variant:ident($type:ty)),+ $(,)?) => {
        /// A rejection of any area; serialises as its details.
        #[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize)]
        #[serde(untagged)]
        pub enum Rejection {
            $($(#[$doc])* #[error(transparent)] $variant($type)),+
        }

        $(impl From<$type> for Rejection {
            fn from(rejection: $type) -> Self {
                Self::$variant(rejection)
            }
        })+

        impl Rejection {
            /// Every code of every area.
            pub fn codes() -> impl Iterator<Item = &'static CodeDoc> {
                [$(<$type>::CODES),+].into_iter().flatten()
            }

            /// What the reference says of it.
            pub fn doc(&self) -> &'static CodeDoc {
                match self { $(Self::$variant(rejection) => rejection.doc()),+ }
            }
        }
    };
}

areas! {
    /// Of any area.
    Any(AnyRejection),
    /// Of the ledger itself.
    Ledger(crate::ledger::LedgerRejection),
    /// Of partners.
    Partner(crate::partner::PartnerRejection),
    /// Of programmes.
    Programme(crate::programme::ProgrammeRejection),
    /// Of customers.
    Customer(crate::customer::CustomerRejection),
    /// Of deals.
    Deal(crate::deal::DealRejection),
    /// Of conflicts.
    Conflict(crate::conflict::ConflictRejection),
    /// Of co-op.
    Coop(crate::coop::CoopRejection),
    /// Of MDF budgets.
    Budget(crate::budget::BudgetRejection),
    /// Of MDF.
    Mdf(crate::mdf::MdfRejection),
    /// Of claims.
    Claim(crate::claim::ClaimRejection),
}

/// Why a decision made no facts.
#[derive(Debug)]
pub enum Refusal {
    /// The business answer: no, and why.
    Rejected(Rejection),
    /// A state could not be loaded.
    Unavailable(Unavailable),
}

impl<R: Into<Rejection>> From<R> for Refusal {
    fn from(rejection: R) -> Self {
        Self::Rejected(rejection.into())
    }
}

impl From<Unavailable> for Refusal {
    fn from(cause: Unavailable) -> Self {
        Self::Unavailable(cause)
    }
}
