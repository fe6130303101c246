//! Facts of customers.

use crate::{Code, CustomerId, DisplayName, event::area};

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
    }
}
