//! Merges of customers: the deals and conflicts of the absorbed are the survivor's.
//!
//! A merge is one fact, and concerns all that ever hung on a customer: it follows the chains of its
//! deals and conflicts, and hangs them behind the survivor's.

use crate::{ConflictRow, CustomerRow, DealRow, FoldError, Keeps, Link, customers, fact::Fact};
use chl_events::{
    Event,
    customer::{CustomerEvent, CustomersMerged},
};

/// Folds a merge into deals and conflicts.
pub(crate) fn fold<S>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError>
where
    S: Keeps<CustomerRow> + Keeps<DealRow> + Keeps<ConflictRow>,
{
    let Event::Customer(CustomerEvent::CustomersMerged(e)) = fact.event() else { return Ok(()) };
    deals_go_over(e, store)?;
    conflicts_go_over(e, store)
}

fn deals_go_over<S: Keeps<CustomerRow> + Keeps<DealRow>>(
    e: &CustomersMerged,
    store: &mut S,
) -> Result<(), FoldError> {
    let last = std::mem::replace(&mut customers::of(store, &e.absorbed)?.last_deal, Link(None));
    if last == Link(None) {
        return Ok(());
    }
    let before = std::mem::replace(&mut customers::of(store, &e.survivor)?.last_deal, last.clone());
    let mut next = last;
    while let Link(Some(deal)) = next {
        let row: Option<&mut DealRow> = store.edit(&(deal,))?;
        let Some(row) = row else { break };
        row.customer = e.survivor.clone();
        next = row.previous_deal.clone();
        if next == Link(None) {
            row.previous_deal = before.clone();
        }
    }
    Ok(())
}

fn conflicts_go_over<S: Keeps<CustomerRow> + Keeps<ConflictRow>>(
    e: &CustomersMerged,
    store: &mut S,
) -> Result<(), FoldError> {
    let last = std::mem::replace(&mut customers::of(store, &e.absorbed)?.last_conflict, Link(None));
    if last == Link(None) {
        return Ok(());
    }
    let before =
        std::mem::replace(&mut customers::of(store, &e.survivor)?.last_conflict, last.clone());
    let mut next = last;
    while let Link(Some(conflict)) = next {
        let row: Option<&mut ConflictRow> = store.edit(&(conflict,))?;
        let Some(row) = row else { break };
        // A possible duplicate is about the two names themselves.
        if row.other_customer.is_none() {
            row.customer = e.survivor.clone();
        }
        next = row.previous_conflict.clone();
        if next == Link(None) {
            row.previous_conflict = before.clone();
        }
    }
    Ok(())
}
