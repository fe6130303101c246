//! Commands on customers.

use crate::catalog::area;
use chl_events::{Code, CustomerId, DisplayName, Stream};

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
    }
}
