//! A read model that fails stands still, whole and named; the others go on.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each file of tests uses some of it")]
mod ground;
#[path = "../../tests/history/mod.rs"]
mod history;

use chl_events::{Commit, Event, Instant, deal::DealEvent};
use chl_log::{EventLog, MemoryLog};
use chl_runtime::{ApplyError, Frozen, Query, Reader, Until, View, Views, as_of};
use ground::{LEDGER, Place, append, choices, expected, found, in_memory, logged, place};
use history::grown;
use rusqlite::Connection;

/// How many commits are folded before a read model begins to fail.
const SOUND: usize = 150;

/// Makes SQLite refuse every row of a table from now on.
fn refuse(place: &Place, table: &str, how: &str) {
    let db = Connection::open(&place.path).unwrap();
    let trigger = format!(
        "CREATE TRIGGER refuse BEFORE INSERT ON {table} BEGIN SELECT RAISE({how}, 'no more'); END"
    );
    db.execute_batch(&trigger).unwrap();
}

fn line(of: &[(String, u64, String)], view: &str) -> (String, u64, String) {
    of.iter().find(|(name, ..)| name == view).unwrap().clone()
}

/// Holds every view against a fold in memory of as much of the log as the view says it stands for.
fn each_is_whole(views: &mut Views, commits: &[Commit]) {
    let digests = found(&views.digests().unwrap());
    let stands = Reader::open(views.path()).unwrap().stands().unwrap();
    for stand in stands {
        let position = usize::try_from(stand.checkpoint.position).unwrap();
        let whole = expected(&in_memory(commits.get(..position).unwrap(), None));
        let name = stand.view.name();
        assert_eq!(line(&digests, name), line(&whole, name), "at {position}: {:?}", stand.frozen);
        if stand.frozen.is_none() {
            assert_eq!(position, commits.len(), "{name} goes on");
        }
    }
}

/// Views that are sound up to a point, from which on a table refuses rows.
fn failing(table: &str, how: &str, commits: &[Commit]) -> (Place, MemoryLog, Views) {
    let place = place();
    let mut log = logged(commits.get(..SOUND).unwrap(), &[]);
    let mut views = Views::open(&place.path, log.reader()).unwrap();
    views.catch_up(&mut |_, _| {}).unwrap();
    refuse(&place, table, how);
    append(&mut log, commits.get(SOUND..).unwrap(), &[]);
    views.catch_up(&mut |_, _| {}).unwrap();
    (place, log, views)
}

#[test]
fn whichever_view_fails_the_others_go_on() {
    let commits = grown(&choices(500));
    for (number, view) in View::ALL.iter().enumerate() {
        let name = view.name();
        let how = ["ABORT", "ROLLBACK", "FAIL"].into_iter().cycle().nth(number).unwrap();
        let (place, log, mut views) = failing(name, how, &commits);
        let Some(first) = views.frozen().iter().find(|frozen| frozen.view == name).cloned() else {
            // Nothing has changed these since.
            let settled = [View::Partners, View::Tiers, View::Programmes];
            assert!(settled.contains(view), "{name}");
            continue;
        };
        assert!(first.reason.contains("no more"), "{first}");
        assert!(first.position >= SOUND as u64 && first.failed_at >= first.position, "{first}");
        let failed = commits.get(usize::try_from(first.failed_at).unwrap()).unwrap();
        let event = failed.events.get(usize::try_from(first.event_no).unwrap()).unwrap();
        assert_eq!(event.event.kind().name, first.event);
        each_is_whole(&mut views, &commits);
        let others = views.frozen().iter().filter(|frozen| frozen.view != name);
        assert!(
            others.clone().all(|other| other.reason.contains("which is frozen")),
            "{name}: only what needs its rows fails, too: {:?}",
            views.frozen()
        );

        // After a restart it still stands there.
        let sorted = |views: &Views| {
            let mut frozen = views.frozen().to_vec();
            frozen.sort_by_key(|frozen| frozen.view);
            frozen
        };
        let before = sorted(&views);
        drop(views);
        let mut views = Views::open(&place.path, log.reader()).unwrap();
        assert_eq!(sorted(&views), before);
        each_is_whole(&mut views, &commits);

        let rebuilt = views.rebuild(&mut |_, _| {}).unwrap();
        assert!(rebuilt.is_equal() && rebuilt.frozen.is_empty(), "{rebuilt:?}");
        let thawed = rebuilt.views.iter().filter(|one| one.is_equal().is_none());
        assert_eq!(thawed.count(), before.len());
        assert!(views.frozen().is_empty());
        assert_eq!(found(&views.digests().unwrap()), expected(&in_memory(&commits, None)));
    }
}

#[test]
fn blocks_that_come_live_freeze_a_view_as_well() {
    let commits = grown(&choices(400));
    let place = place();
    let log = logged(&commits, &[3, 1, 9]);
    let mut views = Views::open(&place.path, log.reader()).unwrap();
    let blocks: Vec<_> = log.reader().read(0).unwrap().map(Result::unwrap).collect();
    let (sound, rest) = blocks.split_at(40);
    views.apply(sound).unwrap();
    views.flush().unwrap();
    refuse(&place, "claims", "ABORT");
    for block in rest {
        views.apply(std::slice::from_ref(block)).unwrap();
    }
    views.flush().unwrap();
    assert!(views.frozen().iter().any(|frozen| frozen.view == "claims"));
    each_is_whole(&mut views, &commits);
}

#[test]
fn a_table_that_is_gone_takes_no_other_with_it() {
    let commits = grown(&choices(400));
    let place = place();
    let mut log = logged(commits.get(..SOUND).unwrap(), &[]);
    let mut views = Views::open(&place.path, log.reader()).unwrap();
    views.catch_up(&mut |_, _| {}).unwrap();
    let db = Connection::open(&place.path).unwrap();
    db.execute_batch("DROP TABLE measures").unwrap();
    append(&mut log, commits.get(SOUND..).unwrap(), &[]);
    views.catch_up(&mut |_, _| {}).unwrap();
    let frozen: Vec<_> = views.frozen().iter().map(|frozen| frozen.view).collect();
    assert_eq!(frozen, ["measures"]);
    let stands = Reader::open(&place.path).unwrap().stands().unwrap();
    let on = |stand: &&chl_runtime::Stand| stand.checkpoint.position == commits.len() as u64;
    assert_eq!(stands.iter().filter(on).count(), View::ALL.len() - 1);
    let rebuilt = views.rebuild(&mut |_, _| {}).unwrap();
    assert!(rebuilt.is_equal() && rebuilt.frozen.is_empty(), "{rebuilt:?}");
    assert_eq!(found(&views.digests().unwrap()), expected(&in_memory(&commits, None)));
}

#[test]
fn answers_say_what_stands_still() {
    let commits = grown(&choices(500));
    let (place, ..) = failing("deals", "ABORT", &commits);
    let mut reader = Reader::open(&place.path).unwrap();
    let now = commits.last().unwrap().recorded_at;
    let deals = reader.query(&Query::all(View::Deals, now)).unwrap();
    let [frozen] = deals.frozen.as_slice() else { panic!("{:?}", deals.frozen) };
    assert_eq!((frozen.view, frozen.position), ("deals", deals.position));
    assert!(deals.recorded_at.unwrap() < now);
    let said = frozen.to_string();
    assert!(said.starts_with("deals is frozen as of position "), "{said}");
    let balances = reader.query(&Query::all(View::Balances, now)).unwrap();
    assert!(balances.frozen.is_empty());
    assert_eq!(balances.position, commits.len() as u64);
    let named = |answer: chl_runtime::Answer| -> Vec<&'static str> {
        answer.frozen.iter().map(|frozen: &Frozen| frozen.view).collect()
    };
    let joined = "SELECT * FROM claims JOIN deals USING (partner)";
    assert_eq!(named(reader.sql(joined, now, None).unwrap()), ["deals"]);
    assert!(named(reader.sql("SELECT count(*) FROM lots", now, None).unwrap()).is_empty());
    let cards = reader.sql("SELECT * FROM Scorecards", now, None).unwrap();
    assert!(named(cards).contains(&"deals"));
    let lag = "SELECT view FROM _lag WHERE lag_positions > 0 AND lag_seconds > 0 AND frozen";
    let lagging = reader.sql(lag, now, None).unwrap().rows;
    assert!(lagging.contains(&vec!["deals".into()]), "{lagging:?}");
    assert!(!lagging.contains(&vec!["lots".into()]), "{lagging:?}");
}

/// A history in which a deal is approved that nobody registered.
fn orphaned() -> Vec<Commit> {
    let mut commits = grown(&choices(300));
    let approved = commits.iter().find_map(|commit| {
        let mut events = commit.events.iter();
        let of_deal = |event: &Event| matches!(event, Event::Deal(DealEvent::DealApproved(_)));
        let approved = events.find(|recorded| of_deal(&recorded.event))?.clone();
        Some(Commit { events: vec![approved], ..commit.clone() })
    });
    let mut orphan = approved.unwrap();
    let Some(Event::Deal(DealEvent::DealApproved(event))) =
        orphan.events.first_mut().map(|recorded| &mut recorded.event)
    else {
        panic!("it was found by that");
    };
    event.deal = "d-nobody".parse().unwrap();
    orphan.position = SOUND as u64;
    let at = commits.get(SOUND).unwrap().recorded_at;
    orphan.recorded_at = Instant::from_micros(at.micros());
    for commit in commits.get_mut(SOUND..).unwrap() {
        commit.position += 1;
    }
    commits.insert(SOUND, orphan);
    commits
}

#[test]
fn what_cannot_be_folded_at_all_freezes_in_every_build() {
    let commits = orphaned();
    let log = logged(&commits, &[]);
    let place = place();
    let mut views = Views::open_or_build(&place.path, log.reader(), &mut |_, _| {}).unwrap();
    let deals = views.frozen().iter().find(|frozen| frozen.view == "deals").unwrap().clone();
    assert_eq!((deals.failed_at, deals.event_no), (SOUND as u64, 0));
    assert_eq!(deals.event, "DealApproved");
    assert!(deals.reason.contains("unknown deal d-nobody"), "{deals}");
    let lots = Reader::open(&place.path).unwrap().stands().unwrap();
    let lots = lots.into_iter().find(|stand| stand.view == View::Lots).unwrap();
    assert_eq!(lots.checkpoint.position, commits.len() as u64);
    let rebuilt = views.rebuild(&mut |_, _| {}).unwrap();
    assert!(rebuilt.is_equal() && rebuilt.frozen.contains(&deals), "{rebuilt:?}");
    let past = as_of(log.reader(), Until::Head, None, &mut |_, _| {}).unwrap();
    assert_eq!(past.reader.frozen(&[View::Deals]).unwrap(), [deals]);
}

#[test]
fn a_file_that_fails_as_a_whole_freezes_nothing() {
    let commits = grown(&choices(200));
    let place = place();
    let mut log = logged(commits.get(..SOUND).unwrap(), &[]);
    let mut views = Views::open(&place.path, log.reader()).unwrap();
    views.catch_up(&mut |_, _| {}).unwrap();
    let db = Connection::open(&place.path).unwrap();
    db.execute_batch("DROP TABLE _meta").unwrap();
    append(&mut log, commits.get(SOUND..).unwrap(), &[]);
    let failed = views.catch_up(&mut |_, _| {}).unwrap_err();
    assert!(matches!(failed, ApplyError::Sqlite(_)), "{failed}");
    assert!(views.frozen().is_empty());
    assert!(matches!(views.flush(), Err(ApplyError::Broken)));
    assert_eq!(log.reader().head().ledger, LEDGER);
    drop(views);
    let mut views = Views::open_or_build(&place.path, log.reader(), &mut |_, _| {}).unwrap();
    assert_eq!(found(&views.digests().unwrap()), expected(&in_memory(&commits, None)));
}
