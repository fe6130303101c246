//! The read models in SQLite against the same folds in memory.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ground;
#[path = "../../tests/history/mod.rs"]
mod history;

use chl_events::LedgerId;
use chl_log::{EventLog, MemoryLog, ReadLog};
use chl_runtime::{
    Filter, OpenError, Query, Reader, StaleError, Until, View, Views, as_of, some_as_of,
};
use ground::{LEDGER, append, choices, expected, found, in_memory, kept, logged, place};
use history::grown;
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// However the commits are cut into blocks, whenever rows are flushed, and wherever the
    /// process dies in between, the rows are those of one fold in memory, and of a rebuild.
    #[test]
    fn kept_equals_rebuilt_equals_memory(
        choices in prop::collection::vec(any::<u32>(), 0..250),
        sizes in prop::collection::vec(1_usize..20, 0..40),
        acts in prop::collection::vec(0_u8..4, 0..60),
    ) {
        let commits = grown(&choices);
        let log = logged(&commits, &sizes);
        let place = place();
        let mut views = Views::open(&place.path, log.reader()).unwrap();
        let mut acts = acts.into_iter();
        for block in log.reader().read(0).unwrap() {
            views.apply(&[block.unwrap()]).unwrap();
            match acts.next() {
                Some(0) => views.flush().unwrap(),
                Some(1) => {
                    // A crash: what was not flushed is folded again.
                    drop(views);
                    views = Views::open(&place.path, log.reader()).unwrap();
                    views.catch_up(&mut |_, _| {}).unwrap();
                }
                _ => {}
            }
        }
        let expected = expected(&in_memory(&commits, None));
        prop_assert_eq!(found(&views.digests().unwrap()), expected.clone());
        let rebuilt = views.rebuild(&mut |_, _| {}).unwrap();
        prop_assert!(rebuilt.is_equal(), "{:?}", rebuilt);
        prop_assert_eq!(rebuilt.position, commits.len() as u64);
        prop_assert_eq!(found(&Reader::open(&place.path).unwrap().digests().unwrap()), expected);
    }

    #[test]
    fn as_of_is_the_fold_of_a_prefix(
        choices in prop::collection::vec(any::<u32>(), 0..120),
        at in any::<prop::sample::Index>(),
        days in 0_i32..8,
    ) {
        let commits = grown(&choices);
        let log = logged(&commits, &[]);
        let last = at.index(commits.len());
        let prefix = commits.get(..=last).unwrap();
        let day = commits.first().unwrap().recorded_at.date_utc().plus_days(days);
        for effective in [None, day] {
            let expected = expected(&in_memory(prefix, effective));
            let moment = prefix.last().unwrap().recorded_at;
            for until in [Until::Position(last as u64), Until::RecordedAt(moment)] {
                let past = as_of(log.reader(), until, effective, &mut |_, _| {}).unwrap();
                prop_assert_eq!(found(&past.reader.digests().unwrap()), expected.clone());
                prop_assert_eq!(past.reader.position().unwrap(), last as u64 + 1);
                if effective.is_none() {
                    let views = [View::Balances];
                    let some = some_as_of(&views, log.reader(), until, &mut |_, _| {}).unwrap();
                    let (all, some) = (past.reader.digests(), some.reader.digests());
                    let (mut all, some) = (all.unwrap(), some.unwrap());
                    all.retain(|digest| some.iter().any(|kept| kept.view == digest.view));
                    prop_assert!(some.iter().any(|kept| kept.view == View::Balances.name()));
                    prop_assert_eq!(some, all);
                }
            }
        }
    }
}

#[test]
fn who_reads_while_they_are_written_finds_all_at_one_position() {
    let log = logged(&grown(&choices(300)), &[1; 300]);
    let place = place();
    let mut views = Views::open(&place.path, log.reader()).unwrap();
    let reader = Reader::open(&place.path).unwrap();
    let writing = std::thread::spawn(move || {
        for block in log.reader().read(0).unwrap() {
            views.apply(&[block.unwrap()]).unwrap();
            views.flush().unwrap();
        }
    });
    while !writing.is_finished() {
        let stands = reader.stands().unwrap();
        assert_eq!(stands.len(), View::ALL.len());
    }
    writing.join().unwrap();
}

#[test]
fn rows_come_back_from_sqlite_when_memory_has_let_them_go() {
    // Every step of this history finds its rows in a database that was opened for it.
    let commits = grown(&choices(300));
    let place = place();
    let mut log = MemoryLog::new(LEDGER);
    for commit in &commits {
        append(&mut log, std::slice::from_ref(commit), &[]);
        let mut views = Views::open(&place.path, log.reader()).unwrap();
        views.catch_up(&mut |_, _| {}).unwrap();
    }
    let digests = Reader::open(&place.path).unwrap().digests().unwrap();
    assert_eq!(found(&digests), expected(&in_memory(&commits, None)));
}

#[test]
fn a_reader_keeps_its_moment_while_the_writer_goes_on() {
    let commits = grown(&choices(400));
    let place = place();
    let mut views = kept(commits.get(..200).unwrap(), &place);
    let early = Reader::open(&place.path).unwrap();
    assert_eq!(early.position().unwrap(), 200);
    let log = logged(&commits, &[]);
    drop(views);
    // What an interrupted rebuild left is swept away.
    std::fs::write(place.path.with_extension("sqlite.99"), b"half a build").unwrap();
    views = Views::open(&place.path, log.reader()).unwrap();
    views.catch_up(&mut |_, _| {}).unwrap();
    assert_eq!(early.position().unwrap(), commits.len() as u64);
    views.rebuild(&mut |_, _| {}).unwrap();
    // The old file is gone from its folder, and still whole for who has it open.
    assert_eq!(early.position().unwrap(), commits.len() as u64);
    assert_eq!(early.digests().unwrap(), Reader::open(&place.path).unwrap().digests().unwrap());
    let files = std::fs::read_dir(place.path.parent().unwrap()).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let builds = names.filter(|name| name.starts_with("views.sqlite.") && !name.contains('-'));
    assert_eq!(builds.count(), 1);
}

#[test]
fn read_models_of_another_history_are_refused_and_built_anew() {
    let commits = grown(&choices(100));
    let place = place();
    drop(kept(&commits, &place));

    let shorter = logged(commits.get(..50).unwrap(), &[]);
    let open = || Views::open(&place.path, shorter.reader());
    assert!(matches!(open(), Err(OpenError::Stale(StaleError::Beyond { .. }))));

    let other = grown(&choices(300).split_off(50));
    let other = logged(&other, &[]);
    let open = || Views::open(&place.path, other.reader());
    assert!(matches!(open(), Err(OpenError::Stale(StaleError::History { .. }))));

    let foreign = MemoryLog::new(LedgerId([8; 16]));
    let open = || Views::open(&place.path, foreign.reader());
    assert!(matches!(open(), Err(OpenError::Stale(StaleError::Ledger { .. }))));

    let mut views = Views::open_or_build(&place.path, other.reader(), &mut |_, _| {}).unwrap();
    let next = ReadLog::head(other.reader().as_ref()).next;
    assert_eq!(views.position(), next);
    assert!(views.rebuild(&mut |_, _| {}).unwrap().is_equal());
}

#[test]
fn queries_filter_and_show_rows_as_json() {
    let commits = grown(&choices(600));
    let place = place();
    let views = kept(&commits, &place);
    let reader = Reader::open(&place.path).unwrap();
    let now = commits.last().unwrap().recorded_at;
    for view in View::ALL {
        let answer = reader.query(&Query::all(*view, now)).unwrap();
        assert_eq!(answer.position, views.flushed_position());
        assert!(!answer.rows.is_empty(), "{} has no rows", view.name());
        assert!(answer.rows.iter().all(|row| row.len() == answer.columns.len()));
    }
    let query = Query::all(View::Balances, now).with("partner", "p1").with("lot", "total");
    let answer = reader.query(&query).unwrap();
    let at = |name: &str| answer.columns.iter().position(|column| column == name).unwrap();
    let cell = |row: usize, name: &str| answer.rows.get(row).unwrap().get(at(name)).unwrap();
    assert!(answer.rows.len() >= 3);
    for row in 0..answer.rows.len() {
        assert_eq!(cell(row, "partner"), "p1");
        let accrued = cell(row, "accrued").as_str().unwrap();
        assert_eq!(accrued.split_once('.').unwrap().1.len(), 2, "{accrued}");
    }
    let either = Query::all(View::Conflicts, now).with("partner", "p1");
    assert!(!reader.query(&either).unwrap().rows.is_empty());
    let wrong = Query::all(View::Deals, now).with("colour", "red");
    let refused = reader.query(&wrong).unwrap_err().to_string();
    assert!(refused.starts_with("deals cannot be filtered by \"colour\""), "{refused}");
}

#[test]
fn the_stored_postings_balance_by_a_fold_of_their_own() {
    let place = place();
    let _views = kept(&grown(&choices(500)), &place);
    let reader = Reader::open(&place.path).unwrap();
    let trial = reader.trial_balance(None).unwrap();
    assert!(trial.is_balanced(), "{trial:?}");
    assert!(trial.lines > 500 && trial.events > 200);

    // It sees one line that is missing.
    let db = rusqlite::Connection::open(&place.path).unwrap();
    db.execute(
        "DELETE FROM postings WHERE line_no=0 AND position=(SELECT max(position) FROM postings)",
        [],
    )
    .unwrap();
    let broken = reader.trial_balance(None).unwrap();
    assert!(!broken.is_balanced());
    assert_eq!(broken.unbalanced.len(), 1);
}

#[test]
fn foreign_statements_only_read() {
    let place = place();
    let commits = grown(&choices(200));
    let now = commits.last().unwrap().recorded_at;
    let _views = kept(&commits, &place);
    let mut reader = Reader::open(&place.path).unwrap();
    let counted =
        reader.sql("SELECT count(*) AS n, sum(accrued_minor) FROM balances", now, None).unwrap();
    assert_eq!(counted.columns.first().unwrap(), "n");
    assert!(counted.rows.first().unwrap().first().unwrap().as_i64().unwrap() > 0);
    for statement in [
        "DELETE FROM deals",
        "UPDATE balances SET accrued_minor=0",
        "ATTACH DATABASE '/tmp/other.sqlite' AS other",
        "PRAGMA query_only=OFF",
        "CREATE TEMP TABLE x (y)",
        "SELECT load_extension('x')",
        "SELECT 1; DELETE FROM deals",
        "VACUUM INTO '/tmp/copy.sqlite'",
        "",
    ] {
        assert!(reader.sql(statement, now, None).is_err(), "{statement} ran");
    }
    let cards = "SELECT partner, total FROM scorecards WHERE period LIKE '2026-%'";
    let cards = reader.sql(cards, now, None);
    assert!(!cards.unwrap().rows.is_empty());
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
    for (statement, said) in [
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM nonsuch", "no such table: nonsuch"),
        ("SELECT colour FROM deals", "no such column: colour"),
        ("SELECT abs(-9223372036854775808)", "integer overflow"),
        ("DELETE FROM deals", "only reading is allowed"),
        ("DELETE FROM claims", "only reading is allowed"),
        ("SELECT 1; SELECT 2", "one statement at a time"),
        ("", "no rows"),
        (endless, "stopped after 0 s"),
    ] {
        let refused = reader.sql(statement, now, Some(std::time::Duration::from_millis(100)));
        let told = refused.unwrap_err().to_string();
        assert!(told.contains(said), "{statement}: {told}");
        assert_eq!(told.contains("only reading"), said.contains("only reading"), "{told}");
    }
    assert!(reader.sql("SELECT 1", now, None).is_ok(), "a refusal leaves the reader whole");
}

#[test]
fn a_filter_that_no_row_can_meet_names_what_can() {
    let commits = grown(&choices(200));
    let place = place();
    let _views = kept(&commits, &place);
    let reader = Reader::open(&place.path).unwrap();
    let now = commits.last().unwrap().recorded_at;
    for (view, column, value, said) in [
        (View::Deals, "state", "bogus", "submitted, contested, approved"),
        (View::Deals, "effective_state", "bogus", "submitted, contested, approved"),
        (View::Conflicts, "kind", "bogus", "partner_partner, direct_partner"),
        (View::Balances, "fund", "bogus", "coop, mdf, rebate"),
        (View::Balances, "currency", "XXQ", "ISO 4217"),
        (View::Postings, "account", "AX", "AL, HL, PL"),
        (View::Postings, "position", "first", "whole number"),
        (View::Deals, "closed_on", "yesterday", "2026-03-01"),
    ] {
        let refused = reader.query(&Query::all(view, now).with(column, value));
        let told = refused.unwrap_err().to_string();
        assert!(told.contains(said) && told.contains(value), "{told}");
    }
    // Parts of a second compare as moments, not as texts.
    let all = reader.query(&Query::all(View::Deals, now)).unwrap().rows.len();
    let mut since = Query::all(View::Deals, now);
    since.filters.push(Filter::From("registered_at".into(), "2000-01-01T00:00:00.5Z".into()));
    assert_eq!(reader.query(&since).unwrap().rows.len(), all);
}
