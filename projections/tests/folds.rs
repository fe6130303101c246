//! Folds over whole histories: what must hold for every one of them, and single stories.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod history;

use chl_events::{Commit, Fund, Instant};
use chl_projections::{BalanceRow, ClaimState, ConflictState, DealState, MemoryStore, TOTAL, fold};
use history::{History, grown, id};
use proptest::prelude::*;

fn folded(commits: &[Commit]) -> MemoryStore {
    let mut store = MemoryStore { postings: Some(vec![]), ..MemoryStore::default() };
    store.commits = commits.to_vec();
    for commit in commits {
        fold(commit, None, &mut store).unwrap();
    }
    store
}

fn amounts(row: &BalanceRow) -> [i128; 13] {
    [
        row.accrued.0,
        row.reserved.0,
        row.available.0,
        row.held.0,
        row.payable.0,
        row.paid.0,
        row.expired.0,
        row.reversed.0,
        row.converted.0,
        row.restored.0,
        row.clawed_back.0,
        row.recovered.0,
        row.written_off.0,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn balances_keep_their_identity(choices in prop::collection::vec(any::<u32>(), 0..300)) {
        let store = folded(&grown(&choices));
        for row in store.balances.rows() {
            prop_assert_eq!(row.identity_gap(), 0, "{:?}", row);
            let stocks = [row.available, row.held, row.payable, row.reserved];
            prop_assert!(stocks.iter().all(|stock| stock.0 >= 0), "{:?}", row);
        }
    }

    #[test]
    fn coop_totals_are_the_sums_of_their_lots(
        choices in prop::collection::vec(any::<u32>(), 0..300),
    ) {
        let store = folded(&grown(&choices));
        let coop = |row: &&BalanceRow| row.fund == Fund::Coop;
        for total in store.balances.rows().filter(coop).filter(|row| row.lot == TOTAL) {
            let mut sums = [0; 13];
            let same = |row: &&BalanceRow| {
                (&row.partner, &row.programme) == (&total.partner, &total.programme)
            };
            let lots = store.balances.rows().filter(coop).filter(same);
            for lot in lots.filter(|row| row.lot != TOTAL) {
                for (sum, amount) in sums.iter_mut().zip(amounts(lot)) {
                    *sum += amount;
                }
            }
            prop_assert_eq!(amounts(total), sums);
        }
    }

    #[test]
    fn no_conflict_outlives_its_incumbent(
        choices in prop::collection::vec(any::<u32>(), 0..300),
    ) {
        let store = folded(&grown(&choices));
        for conflict in store.conflicts.rows() {
            let incumbent = store.deals.get(&(conflict.incumbent.clone().unwrap(),)).unwrap();
            let challenger = store.deals.get(&(conflict.challenger.clone().unwrap(),)).unwrap();
            let listed = incumbent.challenged_in.iter().any(|one| one == conflict.conflict.as_str());
            prop_assert_eq!(conflict.is_open(), listed);
            if conflict.is_open() {
                prop_assert_eq!(conflict.lapses_at, incumbent.protected_until);
                prop_assert_eq!(challenger.contested_until, incumbent.protected_until);
            }
            prop_assert_eq!(conflict.is_open(), challenger.state == DealState::Contested);
            prop_assert!(!conflict.is_open() || incumbent.guard_ended_at.is_none());
        }
    }

    #[test]
    fn an_effective_date_leaves_out_what_is_later(
        choices in prop::collection::vec(any::<u32>(), 0..200),
        days in 0_i32..12,
    ) {
        let commits = grown(&choices);
        let last = commits[0].recorded_at.date_utc().plus_days(days).unwrap();
        let mut bounded = MemoryStore { commits: commits.clone(), ..MemoryStore::default() };
        for commit in &commits {
            fold(commit, Some(last), &mut bounded).unwrap();
        }
        // These histories are effective on the day they are recorded.
        let until = commits.iter().filter(|commit| commit.recorded_at.date_utc() <= last);
        let mut prefix = MemoryStore { commits: commits.clone(), ..MemoryStore::default() };
        for commit in until {
            fold(commit, None, &mut prefix).unwrap();
        }
        prop_assert_eq!(bounded.dumps(), prefix.dumps());
    }
}

#[test]
fn histories_reach_what_they_are_to_test() {
    let choices: Vec<u32> = (0..4_000_u32).map(|n| n.wrapping_mul(2_654_435_761) >> 3).collect();
    let store = folded(&grown(&choices));
    for state in DealState::ALL {
        let reached = store.deals.rows().any(|row| row.state == *state);
        assert!(reached, "no deal is {}", state.as_str());
    }
    for state in [ConflictState::Open, ConflictState::Resolved, ConflictState::Lapsed] {
        let reached = store.conflicts.rows().any(|row| row.state == state);
        assert!(reached, "no conflict is {}", state.as_str());
    }
    assert!(store.conflicts.rows().any(|row| row.level == Some(2)), "no conflict was escalated");
    for state in [ClaimState::Rejected, ClaimState::ClawedBack, ClaimState::Submitted] {
        let reached = store.claims.rows().any(|row| row.state == state);
        assert!(reached, "no claim is {}", state.as_str());
    }
    let postings = store.postings.unwrap();
    assert!(postings.iter().any(|line| line.contains("EntryReversed")));
    assert!(store.balances.rows().any(|row| row.converted.0 > 0));
    assert!(store.balances.rows().any(|row| row.restored.0 > 0));
}

/// Partner p0 holds the slot, p1 comes second; then `end` moves p0's deal.
fn challenged() -> (History, MemoryStore) {
    let mut history = History::begin();
    let usd = chl_events::Currency::new("USD").unwrap();
    for partner in ["p0", "p1"] {
        let (partner, programme) = (id(partner), id("gold"));
        let of = history::funds::Of { partner, programme, currency: usd };
        history::sales::register(&mut history, &of, 0);
    }
    let store = folded(&history.commits);
    (history, store)
}

#[test]
fn a_second_partner_is_contested_until_the_first_ends() {
    let (mut history, store) = challenged();
    let deal = |store: &MemoryStore, at: usize| store.deals.rows().nth(at).unwrap().clone();
    assert_eq!(deal(&store, 0).state, DealState::Approved);
    assert_eq!(deal(&store, 1).state, DealState::Contested);
    let conflict = store.conflicts.rows().next().unwrap();
    assert_eq!(conflict.state, ConflictState::Open);
    assert_eq!(conflict.incumbent, Some(deal(&store, 0).deal));

    // Choice 4 of two live deals is the first deal's expiry … 3 × 2: way 3 of deal 0.
    history::sales::move_deal(&mut history, 6);
    let store = folded(&history.commits);
    assert_eq!(deal(&store, 0).state, DealState::Expired);
    assert_eq!(deal(&store, 1).state, DealState::Submitted);
    let conflict = store.conflicts.rows().next().unwrap();
    assert_eq!(conflict.state, ConflictState::Lapsed);
    assert_eq!(conflict.ended_at, Some(history.commits.last().unwrap().recorded_at));
}

#[test]
fn protection_is_over_at_its_very_end() {
    let (_, store) = challenged();
    let deal = store.deals.rows().next().unwrap();
    let until = deal.protected_until.unwrap();
    let before = Instant::from_micros(until.micros() - 1);
    assert_eq!(deal.state_at(before), DealState::Approved);
    assert_eq!(deal.days_left(before), Some(0));
    assert_eq!(deal.state_at(until), DealState::Expired);
    assert_eq!(deal.days_left(until), None);
    let (conflict, challenger) = (store.conflicts.rows().next(), store.deals.rows().nth(1));
    let (conflict, challenger) = (conflict.unwrap(), challenger.unwrap());
    assert_eq!(conflict.state_at(before), ConflictState::Open);
    assert_eq!(challenger.state_at(before), DealState::Contested);
    assert_eq!(conflict.state_at(until), ConflictState::Lapsed);
    assert_eq!(challenger.state_at(until), DealState::Submitted);
    let later = Instant::from_micros(until.micros() + 30 * 86_400_000_000);
    assert_eq!(conflict.age_days(later), conflict.age_days(until), "it stood until then");
    assert!(conflict.is_overdue(before), "due at once");
    assert!(!conflict.is_overdue(later));
}

#[test]
fn an_event_on_an_unknown_deal_is_an_error_that_names_it() {
    let (history, _) = challenged();
    let approved = history.commits.iter().find(|commit| commit.events.len() == 2).unwrap();
    let mut orphan = approved.clone();
    orphan.events.remove(0);
    let failed = fold(&orphan, None, &mut MemoryStore::default()).unwrap_err();
    assert!(failed.to_string().contains("DealApproved speaks of the unknown deal d-"), "{failed}");
}
