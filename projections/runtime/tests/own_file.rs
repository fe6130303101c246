//! Some read models in a file of their own: what they hold is what they hold among all others.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each file of tests uses some of it")]
mod ground;
#[path = "../../tests/history/mod.rs"]
mod history;

use chl_events::{Commit, Instant, LedgerId};
use chl_log::{EventLog, MemoryLog};
use chl_runtime::{
    BuildError, OpenError, OwnFile, Pace, Query, Reader, ReaderError, ScorecardQuery, StaleError,
    View, Views,
};
use ground::{LEDGER, Place, append, choices, expected, found, in_memory, logged, place};
use history::grown;
use rusqlite::Connection;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

fn own(place: &Place, views: &[View]) -> OwnFile {
    OwnFile::new(place.path.clone(), views, Pace::new(None, || false))
}

/// The file, opened and brought up to a log's head.
fn followed(file: &OwnFile, log: &MemoryLog) -> Views {
    let mut views = file.open(log.reader(), &mut |_, _| {}).unwrap();
    views.catch_up(&mut |_, _| {}).unwrap();
    views
}

/// Holds every view of a file against a fold in memory of all read models.
fn as_among_all(views: &mut Views, commits: &[Commit]) {
    let all = expected(&in_memory(commits, None));
    for one in found(&views.digests().unwrap()) {
        assert!(all.contains(&one), "{one:?} of {all:?}");
    }
    assert!(views.frozen().is_empty(), "{:?}", views.frozen());
    assert_eq!(views.flushed_position(), commits.len() as u64);
}

fn kept(place: &Place) -> Vec<&'static str> {
    let kept = Reader::open(&place.path).unwrap().kept().unwrap();
    kept.into_iter().map(View::name).collect()
}

#[test]
fn each_view_alone_is_what_it_is_among_all() {
    let commits = grown(&choices(500));
    let (early, late) = commits.split_at(300);
    for view in View::ALL {
        let place = place();
        let file = own(&place, &[*view]);
        let mut log = logged(early, &[5, 1, 11]);
        as_among_all(&mut followed(&file, &log), early);
        append(&mut log, late, &[2]);
        as_among_all(&mut followed(&file, &log), &commits);
        assert!(kept(&place).contains(&view.name()));
        let reader = Reader::open(&place.path).unwrap();
        let now = commits.last().unwrap().recorded_at;
        let answer = reader.query(&Query::all(*view, now)).unwrap();
        assert_eq!(answer.position, commits.len() as u64);
        let built = file.build(log.reader(), &mut |_, _| {}).unwrap();
        assert_eq!(built.position(), commits.len() as u64);
        drop(built);
        as_among_all(&mut followed(&file, &log), &commits);
    }
}

#[test]
fn a_view_comes_with_those_whose_rows_it_needs() {
    let log = logged(&grown(&choices(50)), &[]);
    for (named, all) in [
        (vec![View::Balances], vec!["balances", "lots"]),
        (vec![View::Claims], vec!["claims", "requests", "lots"]),
        (vec![View::Conflicts, View::Days], vec!["deals", "conflicts", "customers", "days"]),
        (vec![View::Postings], vec!["postings"]),
    ] {
        let place = place();
        followed(&own(&place, &named), &log);
        assert_eq!(kept(&place), all);
        let db = Connection::open(&place.path).unwrap();
        let shown = "SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND name LIKE '%_now'";
        let shown: u32 = db.query_row(shown, [], |row| row.get(0)).unwrap();
        let now = ["balances", "deals", "conflicts", "claims"];
        let wanted = all.iter().filter(|name| now.contains(name)).count();
        assert_eq!(usize::try_from(shown), Ok(wanted));
    }
}

#[test]
fn what_a_file_does_not_keep_is_named() {
    let commits = grown(&choices(60));
    let place = place();
    followed(&own(&place, &[View::Lots]), &logged(&commits, &[]));
    let mut reader = Reader::open(&place.path).unwrap();
    let now = commits.last().unwrap().recorded_at;
    let failed = reader.query(&Query::all(View::Claims, now)).unwrap_err();
    assert_eq!(failed.to_string(), "claims is not in this file; it keeps lots");
    let period = "2026-Q1".parse().unwrap();
    let cards = ScorecardQuery { period, programme: None, partner: None };
    let failed = reader.scorecard_rows(&cards).unwrap_err();
    assert!(matches!(failed, ReaderError::NotKept { .. }), "{failed}");
    let failed = reader.sql("SELECT * FROM scorecards", now, None).unwrap_err();
    assert!(matches!(failed, ReaderError::NotKept { .. }), "{failed}");
    let failed = reader.sql("SELECT * FROM deals", now, None).unwrap_err();
    assert!(failed.to_string().contains("no such table: deals"), "{failed}");
    assert!(reader.sql("SELECT * FROM lots", now, None).unwrap().frozen.is_empty());
}

#[test]
fn a_view_that_fails_freezes_only_what_is_kept() {
    let commits = grown(&choices(500));
    let place = place();
    let file = own(&place, &[View::Balances, View::Deals]);
    let mut log = logged(commits.get(..150).unwrap(), &[]);
    drop(followed(&file, &log));
    let db = Connection::open(&place.path).unwrap();
    db.execute_batch(
        "CREATE TRIGGER refuse BEFORE INSERT ON balances BEGIN SELECT RAISE(ABORT, 'no more'); END",
    )
    .unwrap();
    append(&mut log, commits.get(150..).unwrap(), &[]);
    let views = followed(&file, &log);
    let names: Vec<_> = views.frozen().iter().map(|frozen| frozen.view).collect();
    assert_eq!(names, ["balances"]);
    drop(views);
    let stands = Reader::open(&place.path).unwrap().stands().unwrap();
    for stand in stands {
        let goes_on = stand.checkpoint.position == commits.len() as u64;
        assert_eq!(goes_on, stand.view != View::Balances, "{stand:?}");
    }
    drop(file.build(log.reader(), &mut |_, _| {}).unwrap());
    as_among_all(&mut followed(&file, &log), &commits);
}

#[test]
fn a_file_of_another_release_or_of_other_views_is_built_anew_beside() {
    let commits = grown(&choices(200));
    let log = logged(&commits, &[]);
    let place = place();
    drop(followed(&own(&place, &[View::Lots]), &log));
    let before = std::fs::read_link(&place.path).unwrap();
    let old = Connection::open(&place.path).unwrap();
    let rows =
        || -> u32 { old.query_row("SELECT count(*) FROM _meta", [], |row| row.get(0)).unwrap() };
    assert_eq!(rows(), 1);
    let file = own(&place, &[View::Lots, View::Days]);
    as_among_all(&mut followed(&file, &log), &commits);
    assert_eq!(kept(&place), ["lots", "days"]);
    let between = std::fs::read_link(&place.path).unwrap();
    assert_ne!(before, between);
    assert_eq!(rows(), 1, "who had the old one open reads on");

    let db = Connection::open(&place.path).unwrap();
    db.execute_batch("UPDATE _meta SET schema_version = 1").unwrap();
    as_among_all(&mut followed(&file, &log), &commits);
    assert_ne!(std::fs::read_link(&place.path).unwrap(), between);
    as_among_all(&mut followed(&file, &log), &commits);
}

#[test]
fn a_log_that_is_not_the_one_it_knows_is_refused_and_the_file_left_as_it_is() {
    let commits = grown(&choices(200));
    let place = place();
    let file = own(&place, &[View::Lots]);
    drop(followed(&file, &logged(&commits, &[])));
    let refused = |log: &dyn EventLog| match file.open(log.reader(), &mut |_, _| {}) {
        Err(BuildError::Open(OpenError::Stale(stale))) => stale,
        other => panic!("{other:?}"),
    };
    let shorter = logged(commits.get(..100).unwrap(), &[]);
    assert!(matches!(refused(&shorter), StaleError::Beyond { .. }));
    // Other blocks are another history, whose roots differ at the file's last block.
    let mut other = commits.clone();
    other.swap_remove(20);
    other.truncate(150);
    for (at, commit) in (0..).zip(&mut other) {
        commit.position = at;
    }
    let mut forked = logged(&other, &[]);
    append(&mut forked, commits.get(150..).unwrap(), &[]);
    assert!(matches!(refused(&forked), StaleError::History { .. }));
    // A history may part with the very last block.
    let (same, last) = commits.split_at(commits.len() - 10);
    let mut short = logged(same, &[]);
    append(&mut short, last, &[10]);
    drop(own(&place, &[View::Lots]).build(short.reader(), &mut |_, _| {}).unwrap());
    let mut parted = logged(same, &[]);
    let mut others = last.to_vec();
    let late = others.last_mut().unwrap();
    late.recorded_at = Instant::from_micros(late.recorded_at.micros() + 1);
    append(&mut parted, &others, &[10]);
    let stale = refused(&parted);
    let end = commits.len() as u64;
    assert!(matches!(stale, StaleError::History { position } if position == end), "{stale}");
    drop(file.build(logged(&commits, &[]).reader(), &mut |_, _| {}).unwrap());

    let mut foreign = MemoryLog::new(LedgerId([8; 16]));
    append(&mut foreign, &commits, &[]);
    assert_ne!(foreign.head().ledger, LEDGER);
    assert!(matches!(refused(&foreign), StaleError::Ledger { .. }));
    let position = Reader::open(&place.path).unwrap().position().unwrap();
    assert_eq!(position, commits.len() as u64);
    // Told to, it follows the other one.
    let built = file.build(shorter.reader(), &mut |_, _| {}).unwrap();
    assert_eq!(built.position(), 100);
}

#[test]
fn a_build_that_is_given_up_leaves_what_was_there() {
    let commits = grown(&choices(200));
    let (early, late) = commits.split_at(100);
    let place = place();
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let pace = Pace::new(None, move || told.load(Ordering::Acquire));
    let file = OwnFile::new(place.path.clone(), &[View::Lots], pace);
    let mut log = logged(early, &[]);
    drop(followed(&file, &log));
    append(&mut log, late, &[]);
    stop.store(true, Ordering::Release);
    let mut views = file.open(log.reader(), &mut |_, _| {}).unwrap();
    views.catch_up(&mut |_, _| {}).unwrap_err();
    drop(views);
    file.build(log.reader(), &mut |_, _| {}).unwrap_err();
    let kept = std::fs::read_link(&place.path).unwrap();
    let beside = std::fs::read_dir(place.path.parent().unwrap()).unwrap().filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("sqlite.")
            && !name.to_string_lossy().contains('-')
            && name != *kept
    });
    assert_eq!(beside.count(), 0, "what was given up is removed");
    assert_eq!(Reader::open(&place.path).unwrap().position().unwrap(), 100);
    stop.store(false, Ordering::Release);
    as_among_all(&mut followed(&file, &log), &commits);
}
