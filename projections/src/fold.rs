//! The fold of a commit into every read model.

use crate::{
    FoldError, KeepsPostings, Store, StoreError, balances, claimed, claims, conflicts, customers,
    days, deals, duplicates, fact::Fact, lots, merges, partners, postings, programmes, requests,
};
use chl_events::{Commit, Date, Event, ledger::LedgerEvent};

/// Folds one commit into every read model.
///
/// With an effective date, events whose own business date lies behind it are left out; what a
/// later event says of one left out is passed over.
pub fn fold<S: Store>(
    commit: &Commit,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldError> {
    fold_rows(commit, effective, store)?;
    fold_postings(commit, effective, store, |store, position| store.earlier(position))
}

/// Folds one commit like [`fold`], save for its posting lines: [`fold_postings`] has those.
pub fn fold_rows<S: Store>(
    commit: &Commit,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldError> {
    for fact in facts(commit, effective) {
        fold_fact(&fact, store)?;
        if let Some(position) = reversed(&fact) {
            let earlier = store.earlier(position)?;
            fold_mirror(&earlier, effective, store)?;
        }
    }
    Ok(())
}

/// Hands a commit's posting lines to a store; they depend on no row. `earlier` finds the commit that
/// a reversal names.
pub fn fold_postings<S: KeepsPostings>(
    commit: &Commit,
    effective: Option<Date>,
    store: &mut S,
    mut earlier: impl FnMut(&mut S, u64) -> Result<Commit, StoreError>,
) -> Result<(), FoldError> {
    for fact in facts(commit, effective) {
        match reversed(&fact) {
            Some(position) => {
                let earlier = earlier(store, position)?;
                postings::fold_reversal(&fact, &earlier, store)?;
            }
            None => postings::fold(&fact, store)?,
        }
    }
    Ok(())
}

fn facts(commit: &Commit, effective: Option<Date>) -> impl Iterator<Item = Fact<'_>> {
    let takes = move |on| effective.is_none_or(|last| on <= last);
    let events = commit.events.iter().enumerate();
    events.filter(move |(_, recorded)| takes(recorded.effective_on)).map(
        move |(index, recorded)| Fact {
            commit,
            index,
            recorded,
            mirrored: false,
            partial: effective.is_some(),
        },
    )
}

/// The position of the entry that an event reverses.
fn reversed(fact: &Fact<'_>) -> Option<u64> {
    if let Event::Ledger(LedgerEvent::EntryReversed(reversal)) = &fact.recorded.event {
        return Some(reversal.position);
    }
    None
}

fn fold_fact<S: Store>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    programmes::fold(fact, store)?;
    partners::fold(fact, store)?;
    customers::fold(fact, store)?;
    deals::fold(fact, store)?;
    conflicts::fold(fact, store)?;
    duplicates::fold(fact, store)?;
    merges::fold(fact, store)?;
    lots::fold(fact, store)?;
    balances::fold(fact, store)?;
    requests::fold(fact, store)?;
    claimed::fold(fact, store)?;
    claims::fold(fact, store)?;
    days::fold(fact, store)
}

/// Takes the money of a reversed entry back out of the sums it went into.
fn fold_mirror<S: Store>(
    earlier: &Commit,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldError> {
    for (index, recorded) in earlier.events.iter().enumerate() {
        if effective.is_some_and(|last| recorded.effective_on > last) {
            continue;
        }
        let partial = effective.is_some();
        let fact = Fact { commit: earlier, index, recorded, mirrored: true, partial };
        balances::fold(&fact, store)?;
        days::fold(&fact, store)?;
        claims::fold_mirror(&fact, store)?;
    }
    Ok(())
}
