//! Customers: who they are, and which of them turned out to be one company.
//!
//! Each has the last deal and the last conflict that came to it, and each of those the one before,
//! so that a merge finds all that hangs on a customer.

use crate::{FoldError, Keeps, Link, List, fact::Fact, row::row};
use chl_events::{
    Code, ConflictId, CustomerId, DealId, Event, Instant,
    customer::{CustomerAbsorbed, CustomerEvent, CustomerRegistered},
};
use compact_str::CompactString;

row! {
    /// A customer.
    CustomerRow in "customers"
    keys {
        /// The customer.
        customer: CustomerId,
    }
    fields {
        /// Its name; null where its registration is left out.
        name: Option<CompactString>,
        /// Its internet domain.
        domain: Option<CompactString>,
        /// ISO 3166 country.
        country: Option<Code>,
        /// The company it belongs to.
        parent: Option<CustomerId>,
        /// When it was registered.
        registered_at: Option<Instant>,
        /// The customer that it is, where it was merged, and that one in turn.
        merged_into: Option<CustomerId>,
        /// When it was merged.
        merged_at: Option<Instant>,
        /// The customers that were merged into it, and into those.
        absorbed: List,
        /// The open conflicts about whether it is another customer.
        looks_like: List,
        /// The deal that came to it last.
        last_deal: Link<DealId>,
        /// The conflict that came to it last.
        last_conflict: Link<ConflictId>,
    }
    indices []
}

impl CustomerRow {
    /// A customer of whom only the name is known.
    pub(crate) fn unknown((customer,): &(CustomerId,)) -> Self {
        Self {
            customer: customer.clone(),
            name: None,
            domain: None,
            country: None,
            parent: None,
            registered_at: None,
            merged_into: None,
            merged_at: None,
            absorbed: List::default(),
            looks_like: List::default(),
            last_deal: Link(None),
            last_conflict: Link(None),
        }
    }

    fn registered(&mut self, fact: &Fact<'_>, e: &CustomerRegistered) {
        self.name = Some(e.name.as_str().into());
        self.domain = e.domain.as_deref().map(CompactString::from);
        self.country = e.country.clone();
        self.parent = e.parent.clone();
        self.registered_at = Some(fact.time());
    }
}

/// Folds the facts of customers; what they mean for deals and conflicts folds elsewhere.
pub(crate) fn fold<S: Keeps<CustomerRow>>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    let Event::Customer(event) = fact.event() else { return Ok(()) };
    match event {
        CustomerEvent::CustomerRegistered(e) => {
            of(store, &e.customer)?.registered(fact, e);
            Ok(())
        }
        CustomerEvent::CustomerAbsorbed(e) => absorbed(fact, e, store),
        CustomerEvent::PossibleDuplicateReported(_)
        | CustomerEvent::CustomersKeptApart(_)
        | CustomerEvent::CustomersMerged(_) => Ok(()),
    }
}

/// A customer's row; one that an effective date has left out begins anew.
pub(crate) fn of<'s, S: Keeps<CustomerRow>>(
    store: &'s mut S,
    customer: &CustomerId,
) -> Result<&'s mut CustomerRow, FoldError> {
    Ok(store.edit_or(&(customer.clone(),), CustomerRow::unknown)?)
}

/// Whoever was merged into the one that ends is the survivor now.
fn absorbed<S: Keeps<CustomerRow>>(
    fact: &Fact<'_>,
    e: &CustomerAbsorbed,
    store: &mut S,
) -> Result<(), FoldError> {
    let row = of(store, &e.customer)?;
    row.merged_into = Some(e.survivor.clone());
    row.merged_at = Some(fact.time());
    let earlier = std::mem::take(&mut row.absorbed);
    for name in earlier.iter() {
        let Ok(customer) = name.parse::<CustomerId>() else { continue };
        of(store, &customer)?.merged_into = Some(e.survivor.clone());
    }
    let survivor = of(store, &e.survivor)?;
    survivor.absorbed.push(e.customer.as_str());
    earlier.iter().for_each(|name| survivor.absorbed.push(name));
    Ok(())
}
