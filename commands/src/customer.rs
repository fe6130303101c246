//! Commands on customers.

use crate::catalog::area;
use chl_events::{
    Code, CustomerId, DisplayName, FreeText, Stream,
    customer::{Alike, ApartCriterion},
};

area! {
    /// Commands on customers.
    Customer = "customer" {
        /// Registers an end customer.
        40, 1 => RegisterCustomer by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [] {
            /// The customer.
            customer: CustomerId,
            /// Its name.
            name: DisplayName,
            /// Its internet domain.
            #[serde(default)]
            #[schemars(length(max = 253))]
            domain: Option<String>,
            /// ISO 3166 country.
            #[serde(default)]
            country: Option<Code>,
            /// The company it belongs to.
            #[serde(default)]
            parent: Option<CustomerId>,
        }
        /// Reports two customers that look like one company, with a score and the evidence.
        41, 1 => ReportPossibleDuplicate by [ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [] {
            /// The customer.
            customer: CustomerId,
            /// The one it may be.
            other: CustomerId,
            /// How much they look alike: from 0, not at all, to 100, the same.
            #[schemars(range(max = 100))]
            score: u8,
            /// In what they are alike.
            #[schemars(length(min = 1, max = 16))]
            evidence: Vec<Alike>,
        }
        /// Decides that two customers are two, whether they were reported or not.
        42, 1 => KeepCustomersApart by [ChannelManager]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The customer.
            customer: CustomerId,
            /// The one it is not.
            other: CustomerId,
            /// On what ground.
            #[serde(default)]
            criterion: Option<ApartCriterion>,
            /// Why.
            note: FreeText,
        }
        /// Decides that two customers are one, whether they were reported or not: the survivor
        /// takes over deals, slots and conflicts. Commands then name the survivor.
        43, 1 => MergeCustomers by [ChannelManager]
            on |c| Some(Stream::Customer(c.survivor.clone())); of |c| None; seals [note] {
            /// The customer that stays.
            survivor: CustomerId,
            /// The customer that is the same company.
            absorbed: CustomerId,
            /// Why.
            note: FreeText,
        }
        /// Ends the stream of a customer that was merged into another; sent by a policy.
        44, 1 => AbsorbCustomer by [Policy]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [] {
            /// The customer that is no more.
            customer: CustomerId,
            /// The customer that it is.
            survivor: CustomerId,
        }
    }
}
