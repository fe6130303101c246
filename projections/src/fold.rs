//! The fold of a commit into every read model.

use crate::{
    BalanceRow, ClaimRow, ConflictRow, CustomerRow, DayRow, DealRow, FigureRow, FoldError,
    FoldFailed, KeepsPostings, LotRow, Posting, ProgrammeRow, RequestRow, Row, Store, StoreError,
    Table, balances, claimed, claims, conflicts, customers, days, deals, duplicates, fact::Fact,
    figures, lots, merges, partners, postings, programmes, requests,
};
use chl_events::{Commit, Date, Event, ledger::LedgerEvent};

/// Read models by their shapes.
pub(crate) type Tables = &'static [&'static Table];

/// What the reversal of an entry changes.
const MIRRORED: Tables = &[BalanceRow::TABLE, DayRow::TABLE, ClaimRow::TABLE];

/// Folds one commit into every read model.
///
/// With an effective date, events whose own business date lies behind it are left out; what a
/// later event says of one left out is passed over. A fold all of whose read models the store keeps
/// no longer is passed over, too.
pub fn fold<S: Store>(
    commit: &Commit,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldFailed> {
    fold_rows(commit, effective, store)?;
    fold_postings(commit, effective, store, |store, position| store.earlier(position))
}

/// Folds one event of a commit like [`fold`]: for who keeps or drops what each of them changes.
pub fn fold_event<S: Store>(
    commit: &Commit,
    index: usize,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldFailed> {
    let mut facts = facts(commit, effective);
    let Some(fact) = facts.find(|fact| fact.index == index) else { return Ok(()) };
    fold_fact(&fact, effective, store)?;
    fold_lines(&fact, store, &mut |store, position| store.earlier(position))
}

/// Folds one commit like [`fold`], save for its posting lines: [`fold_postings`] has those.
pub fn fold_rows<S: Store>(
    commit: &Commit,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldFailed> {
    facts(commit, effective).try_for_each(|fact| fold_fact(&fact, effective, store))
}

/// Hands a commit's posting lines to a store; they depend on no row. `earlier` finds the commit that
/// a reversal names.
pub fn fold_postings<S: KeepsPostings>(
    commit: &Commit,
    effective: Option<Date>,
    store: &mut S,
    mut earlier: impl FnMut(&mut S, u64) -> Result<Commit, StoreError>,
) -> Result<(), FoldFailed> {
    facts(commit, effective).try_for_each(|fact| fold_lines(&fact, store, &mut earlier))
}

fn fold_lines<S: KeepsPostings>(
    fact: &Fact<'_>,
    store: &mut S,
    earlier: &mut impl FnMut(&mut S, u64) -> Result<Commit, StoreError>,
) -> Result<(), FoldFailed> {
    let folded = match reversed(fact) {
        Some(position) => earlier(store, position)
            .map_err(FoldError::from)
            .and_then(|earlier| postings::fold_reversal(fact, &earlier, store)),
        None => postings::fold(fact, store),
    };
    folded.map_err(|source| failed(fact, &[Posting::TABLE], source))
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

/// Folds one fact into all rows; each step names the read models it may change.
fn fold_fact<S: Store>(
    fact: &Fact<'_>,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldFailed> {
    step(fact, &[ProgrammeRow::TABLE], store, |store| programmes::fold(fact, store))?;
    step(fact, partners::changed(fact), store, |store| partners::fold(fact, store))?;
    step(fact, &[FigureRow::TABLE], store, |store| figures::fold(fact, store))?;
    step(fact, &[CustomerRow::TABLE], store, |store| customers::fold(fact, store))?;
    step(fact, deals::changed(fact), store, |store| deals::fold(fact, store))?;
    step(fact, conflicts::changed(fact), store, |store| conflicts::fold(fact, store))?;
    let alike: Tables = &[ConflictRow::TABLE, CustomerRow::TABLE];
    step(fact, alike, store, |store| duplicates::fold(fact, store))?;
    let merged: Tables = &[CustomerRow::TABLE, DealRow::TABLE, ConflictRow::TABLE];
    step(fact, merged, store, |store| merges::fold(fact, store))?;
    step(fact, &[LotRow::TABLE], store, |store| lots::fold(fact, store))?;
    step(fact, &[BalanceRow::TABLE], store, |store| balances::fold(fact, store))?;
    step(fact, &[RequestRow::TABLE], store, |store| requests::fold(fact, store))?;
    step(fact, &[RequestRow::TABLE], store, |store| claimed::fold(fact, store))?;
    step(fact, &[ClaimRow::TABLE], store, |store| claims::fold(fact, store))?;
    step(fact, &[DayRow::TABLE], store, |store| days::fold(fact, store))?;
    let Some(position) = reversed(fact) else { return Ok(()) };
    let earlier = store.earlier(position);
    let earlier = earlier.map_err(|source| failed(fact, MIRRORED, source.into()))?;
    fold_mirror(fact, &earlier, effective, store)
}

/// Takes the money of a reversed entry back out of the sums it went into.
fn fold_mirror<S: Store>(
    reversal: &Fact<'_>,
    earlier: &Commit,
    effective: Option<Date>,
    store: &mut S,
) -> Result<(), FoldFailed> {
    for fact in facts(earlier, effective) {
        let fact = Fact { mirrored: true, ..fact };
        let of = |store: &mut S, tables, fold: fn(&Fact<'_>, &mut S) -> Result<(), FoldError>| {
            step(reversal, tables, store, |store| fold(&fact, store))
        };
        of(store, &[BalanceRow::TABLE], balances::fold)?;
        of(store, &[DayRow::TABLE], days::fold)?;
        of(store, &[ClaimRow::TABLE], claims::fold_mirror)?;
    }
    Ok(())
}

/// Runs a fold, unless none of the read models it may change is kept any more.
fn step<S: Store>(
    fact: &Fact<'_>,
    changed: Tables,
    store: &mut S,
    fold: impl FnOnce(&mut S) -> Result<(), FoldError>,
) -> Result<(), FoldFailed> {
    if !changed.iter().any(|table| store.keeps(table)) {
        return Ok(());
    }
    fold(store).map_err(|source| failed(fact, changed, source))
}

fn failed(fact: &Fact<'_>, views: Tables, source: FoldError) -> FoldFailed {
    let (position, index, event) = (fact.commit.position, fact.index, fact.name());
    FoldFailed { position, index, event, views, source }
}
