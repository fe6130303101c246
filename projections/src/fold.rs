//! The fold of a commit into every read model.

use crate::{
    FoldError, Store, balances, claimed, claims, conflicts, days, deals, fact::Fact, lots,
    partners, postings, programmes, requests,
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
    for (index, recorded) in commit.events.iter().enumerate() {
        if effective.is_some_and(|last| recorded.effective_on > last) {
            continue;
        }
        let partial = effective.is_some();
        let fact = Fact { commit, index, recorded, mirrored: false, partial };
        fold_fact(&fact, store)?;
        if let Event::Ledger(LedgerEvent::EntryReversed(reversal)) = &recorded.event {
            let earlier = store.earlier(reversal.position)?;
            postings::fold_reversal(&fact, &earlier, store)?;
            fold_mirror(&earlier, effective, store)?;
        } else {
            postings::fold(&fact, store)?;
        }
    }
    Ok(())
}

fn fold_fact<S: Store>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    programmes::fold(fact, store)?;
    partners::fold(fact, store)?;
    deals::fold(fact, store)?;
    conflicts::fold(fact, store)?;
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
