//! Rejections of customers.

use crate::rejection::rejections;
use chl_events::CustomerId;

rejections! {
    /// Rejections of customers.
    CustomerRejection {
        /// The customer has been registered already.
        Known { customer: CustomerId }
            = "customer.known", AlreadyDone, "customer {customer} has been registered already";
    }
}
