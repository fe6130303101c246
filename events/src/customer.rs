//! Facts of customers: who they are, and which of them turned out to be one company.

use crate::{
    Code, ConflictId, CustomerId, DealId, DisplayName, Sealed, event::area, posting::vocabulary,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// In what two customers are alike.
    Likeness {
        /// The same name but for legal form, accents, case and punctuation.
        SameName = 1 => "same_name",
        /// The same words in another order.
        SameWords = 2 => "same_words",
        /// Names that differ in a few letters or words.
        SimilarName = 3 => "similar_name",
        /// One name abbreviates the other.
        AbbreviatedName = 4 => "abbreviated_name",
        /// The same internet domain.
        SameDomain = 5 => "same_domain",
        /// Both belong to the same parent.
        SameParent = 6 => "same_parent",
        /// One is the parent of the other.
        ParentAndChild = 7 => "parent_and_child",
        /// The same country.
        SameCountry = 8 => "same_country",
    }
}

vocabulary! {
    /// On what ground two customers that look alike are kept apart.
    ApartCriterion {
        /// Two companies that have nothing to do with each other.
        SeparateCompanies = 1 => "separate_companies",
        /// Two companies of one group, each of which buys for itself.
        SeparateBuyers = 2 => "separate_buyers",
        /// Two places of one company, each of which buys for itself.
        SeparateSites = 3 => "separate_sites",
    }
}

/// A likeness of two customers, and how strong it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alike {
    /// In what they are alike.
    pub likeness: Likeness,
    /// How much: from 0, not at all, to 100, the same.
    #[schemars(range(max = 100))]
    pub score: u8,
}

area! {
    /// Facts of customers.
    CustomerEvent {
        /// An end customer was registered.
        40, 1 => CustomerRegistered {
            /// The customer.
            customer: CustomerId,
            /// Its name.
            name: DisplayName,
            /// Its internet domain.
            domain: Option<String>,
            /// ISO 3166 country.
            country: Option<Code>,
            /// The company it belongs to.
            parent: Option<CustomerId>,
        }
        /// Two customers were reported to look like one company: a conflict of the kind
        /// `possible_duplicate` is open.
        41, 1 => PossibleDuplicateReported {
            /// The conflict.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// The one it may be.
            other: CustomerId,
            /// How much they look alike: 0 to 100.
            score: u8,
            /// In what.
            evidence: Vec<Alike>,
            /// The version of the other customer's stream.
            other_version: u64,
        }
        /// Two customers were found to be two: the conflict about them, if one was open, is
        /// decided.
        42, 1 => CustomersKeptApart {
            /// The conflict, by its derived name.
            conflict: ConflictId,
            /// The customer.
            customer: CustomerId,
            /// The one it is not.
            other: CustomerId,
            /// On what ground.
            criterion: Option<ApartCriterion>,
            /// In the decider's words.
            note: Option<Sealed>,
        }
        /// Two customers were found to be one: from now on the deals, slots and conflicts of the
        /// absorbed one are the survivor's. What of them met there stands beside it in the commit.
        43, 1 => CustomersMerged {
            /// The conflict, by its derived name; decided with this, if one was open.
            conflict: ConflictId,
            /// The customer that stays.
            survivor: CustomerId,
            /// The customer that was the same company.
            absorbed: CustomerId,
            /// The version of the absorbed customer's stream.
            absorbed_version: u64,
            /// The deals that guarded slots of the absorbed customer, in the order of their
            /// registration.
            guarding: Vec<DealId>,
            /// In the decider's words.
            note: Option<Sealed>,
        }
        /// The absorbed customer's stream has ended. Possible duplicates it was part of have
        /// ended with it.
        44, 1 => CustomerAbsorbed {
            /// The customer that is no more.
            customer: CustomerId,
            /// The customer that it is.
            survivor: CustomerId,
        }
    }
}
