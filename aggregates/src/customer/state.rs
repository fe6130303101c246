//! States of customers.

use crate::rejection::AnyRejection;
use crate::{Facts, Refusal};
use chl_events::CustomerId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A customer. Its slots, deals and conflicts are rows of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// The company it belongs to.
    pub parent: Option<CustomerId>,
}

/// The customer, or the rejection that nobody registered it (class 3).
pub(crate) fn known(facts: Facts<'_>, id: &CustomerId) -> Result<Arc<Customer>, Refusal> {
    let unknown = || AnyRejection::UnknownCustomer { customer: id.clone() };
    Ok(facts.get::<Customer>(id)?.ok_or_else(unknown)?)
}
