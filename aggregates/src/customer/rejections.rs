//! Rejections of customers.

use crate::rejection::rejections;
use chl_events::{ConflictId, CustomerId};

rejections! {
    /// Rejections of customers, in order of precedence.
    CustomerRejection {
        /// The customer has been registered already.
        Known { customer: CustomerId }
            = "customer.known", AlreadyDone, "customer {customer} has been registered already";
        /// The two customers are reported already, and nobody has decided yet.
        DuplicateReported { conflict: ConflictId }
            = "customer.duplicate_reported", AlreadyDone, "conflict {conflict} is about the two";
        /// It was decided already that the two customers are two. Merge them if they are one
        /// after all.
        KeptApart { conflict: ConflictId }
            = "customer.kept_apart", AlreadyDone, "the two were kept apart in conflict {conflict}";
        /// More deals guard slots, or would be contested, than one merge takes. Merge the other
        /// way round, or wait until some of them are closed.
        TooManyDeals { deals: usize, most: usize }
            = "customer.too_many_deals", Terms, "{deals} deals meet; a merge takes at most {most}";
    }
}
