//! Possible duplicates: conflicts about whether two customers are one.

use crate::{
    ConflictRow, ConflictState, CustomerRow, FoldError, Keeps, Link, List, customers, fact::Fact,
};
use chl_events::{
    ConflictId, CustomerId, Event,
    conflict::{ConflictKind, LapseCause},
    customer::{Alike, CustomerEvent, CustomersKeptApart, PossibleDuplicateReported},
};

/// The decision that two customers are two, as in the column `resolution`.
const KEPT_APART: &str = "kept_apart";
/// The decision that they are one.
const MERGED: &str = "merged";

/// Folds the facts of customers into the conflicts about them.
pub(crate) fn fold<S: Keeps<CustomerRow> + Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    store: &mut S,
) -> Result<(), FoldError> {
    let Event::Customer(event) = fact.event() else { return Ok(()) };
    match event {
        CustomerEvent::PossibleDuplicateReported(e) => reported(fact, e, store),
        CustomerEvent::CustomersKeptApart(e) => kept_apart(fact, e, store),
        CustomerEvent::CustomersMerged(e) => {
            decided(fact, store, &e.conflict, MERGED)?;
            forget(store, &e.conflict, [&e.survivor, &e.absorbed])
        }
        CustomerEvent::CustomerAbsorbed(e) => absorbed(fact, &e.customer, store),
        CustomerEvent::CustomerRegistered(_) => Ok(()),
    }
}

fn opened<S: Keeps<CustomerRow> + Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    conflict: &ConflictId,
    (customer, other): (&CustomerId, &CustomerId),
) -> Result<ConflictRow, FoldError> {
    let last = &mut customers::of(store, customer)?.last_conflict;
    let previous = std::mem::replace(last, Link(Some(conflict.clone())));
    let kind = ConflictKind::PossibleDuplicate;
    let row = ConflictRow::begun(fact, conflict, customer, kind, previous);
    Ok(ConflictRow { other_customer: Some(other.clone()), ..row })
}

fn reported<S: Keeps<CustomerRow> + Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    e: &PossibleDuplicateReported,
    store: &mut S,
) -> Result<(), FoldError> {
    let row = opened(fact, store, &e.conflict, (&e.customer, &e.other))?;
    let words = |alike: &Alike| format!("{}:{}", alike.likeness, alike.score);
    let alike = List::of(e.evidence.iter().map(words));
    store.put(ConflictRow { score: Some(e.score), alike, ..row })?;
    for customer in [&e.customer, &e.other] {
        customers::of(store, customer)?.looks_like.push(e.conflict.as_str());
    }
    Ok(())
}

/// Two that nobody reported may be kept apart, too: the decision is on record.
fn kept_apart<S: Keeps<CustomerRow> + Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    e: &CustomersKeptApart,
    store: &mut S,
) -> Result<(), FoldError> {
    let key = (e.conflict.clone(),);
    let known: Option<&ConflictRow> = store.peek(&key)?;
    if known.is_none() {
        let row = opened(fact, store, &e.conflict, (&e.customer, &e.other))?;
        store.put(row)?;
    }
    decided(fact, store, &e.conflict, KEPT_APART)?;
    let row: Option<&mut ConflictRow> = store.edit(&key)?;
    if let Some(row) = row {
        row.criterion = e.criterion.map(|criterion| criterion.as_str().into());
    }
    forget(store, &e.conflict, [&e.customer, &e.other])
}

fn decided<S: Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    conflict: &ConflictId,
    decision: &str,
) -> Result<(), FoldError> {
    if let Some(row) = store.edit(&(conflict.clone(),))? {
        row.state = ConflictState::Resolved;
        row.resolution = Some(decision.into());
        row.criterion = None;
        row.resolved_by = Some(fact.actor());
        row.ended_at = Some(fact.time());
    }
    Ok(())
}

/// Takes an ended conflict off the lists of its two customers.
fn forget<S: Keeps<CustomerRow>>(
    store: &mut S,
    conflict: &ConflictId,
    customers: [&CustomerId; 2],
) -> Result<(), FoldError> {
    for customer in customers {
        customers::of(store, customer)?.looks_like.remove(conflict.as_str());
    }
    Ok(())
}

/// Whether the one that ends is another customer is no question any more.
fn absorbed<S: Keeps<CustomerRow> + Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    customer: &CustomerId,
    store: &mut S,
) -> Result<(), FoldError> {
    let open = customers::of(store, customer)?.looks_like.clone();
    for name in open.iter() {
        let Ok(conflict) = name.parse::<ConflictId>() else { continue };
        let row: Option<&mut ConflictRow> = store.edit(&(conflict.clone(),))?;
        let Some(row) = row else { continue };
        row.lapse(fact, LapseCause::CustomerMerged);
        let (one, other) = (row.customer.clone(), row.other_customer.clone());
        let other = other.unwrap_or_else(|| customer.clone());
        forget(store, &conflict, [&one, &other])?;
    }
    Ok(())
}
