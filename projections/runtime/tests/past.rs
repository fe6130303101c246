//! Answers as of a moment: what snapshots and a tail give is what a fold of the log cut there gives.
//!
//! `CHL_AS_OF` says at how many positions and dates, `CHL_SEED` at which.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ground;
#[path = "../../tests/history/mod.rs"]
mod history;

use chl_events::Commit;
use chl_log::{EventLog, MemoryLog};
use chl_runtime::{AsOf, Past, Query, Until, View};
use ground::{Place, choices, expected, found, in_memory, kept, logged, place};
use history::grown;
use std::{
    fs,
    num::NonZeroU64,
    path::{Path, PathBuf},
};

/// Snapshots in these tests lie no nearer than so many commits.
const APART: u64 = 64;

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// A row of numbers that looks like chance.
fn dice(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

struct Ground {
    commits: Vec<Commit>,
    log: MemoryLog,
    place: Place,
    past: Past,
}

fn ground(count: u32) -> Ground {
    let (commits, place) = (grown(&choices(count)), place());
    drop(kept(&commits, &place));
    let past = Past::new(place.path.clone(), folder(&place));
    let past = past.no_nearer_than(NonZeroU64::new(APART).unwrap());
    Ground { log: logged(&commits, &[]), commits, place, past }
}

fn folder(place: &Place) -> PathBuf {
    place.path.with_file_name("past")
}

fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

impl Ground {
    fn at(&self, last: u64) -> AsOf {
        let until = Until::Position(last);
        self.past.as_of(self.log.reader(), until, None, &mut |_, _| {}).unwrap()
    }

    fn is_right(&self, past: &AsOf, last: u64) {
        let prefix = self.commits.get(..=usize::try_from(last).unwrap()).unwrap();
        assert_eq!(found(&past.reader.digests().unwrap()), expected(&in_memory(prefix, None)));
        assert_eq!(past.reader.position().unwrap(), last + 1);
    }

    fn last(&self) -> u64 {
        self.commits.len() as u64 - 1
    }
}

#[test]
fn answers_at_any_position_and_date_are_those_of_a_log_cut_there() {
    let (cases, seed) = (from_environment("CHL_AS_OF", 15), from_environment("CHL_SEED", 1));
    let ground = ground(1_500);
    let mut dice = dice(seed);
    let first_day = ground.commits.first().unwrap().recorded_at.date_utc();
    let (mut folded, mut asked) = (0, 0);
    for case in 0..cases {
        let last = dice(ground.commits.len() as u64);
        let prefix = ground.commits.get(..=usize::try_from(last).unwrap()).unwrap();
        let at = prefix.last().unwrap().recorded_at;
        let days = at.date_utc().days() - first_day.days() + 2;
        let day = first_day.plus_days(i32::try_from(dice(days.unsigned_abs().into())).unwrap());
        for effective in [None, day] {
            for until in [Until::Position(last), Until::RecordedAt(at)] {
                let log = ground.log.reader();
                let past = ground.past.as_of(log, until, effective, &mut |_, _| {}).unwrap();
                assert_eq!(
                    found(&past.reader.digests().unwrap()),
                    expected(&in_memory(prefix, effective)),
                    "seed {seed}, case {case}: {until:?}, {effective:?}"
                );
                if effective.is_none() {
                    (folded, asked) = (folded + past.folded, asked + last + 1);
                }
            }
        }
    }
    println!("seed {seed}: {cases} cases; {folded} commits folded for answers about {asked}");
    assert!(folded < asked, "snapshots were of use");
    assert!(!snapshots(&folder(&ground.place)).is_empty());
}

#[test]
fn a_question_folds_no_more_than_what_lies_behind_a_snapshot() {
    let ground = ground(1_000);
    let made = (0..64).take_while(|_| ground.past.extend(&ground.log.reader()).unwrap()).count();
    assert!((2..=16).contains(&made), "{made} were made");
    let files = snapshots(&folder(&ground.place));
    assert!((2..=16).contains(&files.len()), "{files:?}");
    let past = ground.at(ground.last());
    assert!(past.folded < ground.last() / 2, "{} commits were folded", past.folded);
    ground.is_right(&past, ground.last());
    assert!(!ground.past.extend(&ground.log.reader()).unwrap(), "there is nothing left to do");
}

#[test]
fn a_file_that_is_no_snapshot_of_the_ledger_is_passed_over() {
    let ground = ground(800);
    let _first = ground.at(ground.last());
    let folder = folder(&ground.place);
    let damages: [fn(&Path); 4] = [
        |path| {
            let mut bytes = fs::read(path).unwrap();
            let middle = bytes.len() / 2;
            *bytes.get_mut(middle).unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        },
        |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, bytes.get(..bytes.len() / 2).unwrap()).unwrap();
        },
        |path| fs::write(path, b"no database").unwrap(),
        |path| {
            let newer = rusqlite::Connection::open(path).unwrap();
            newer.execute("UPDATE _meta SET schema_version=99", []).unwrap();
        },
    ];
    for damage in damages {
        let files = snapshots(&folder);
        let newest = files.last().unwrap().clone();
        let before = fs::read(&newest).unwrap();
        damage(&newest);
        ground.is_right(&ground.at(ground.last()), ground.last());
        let now = fs::read(&newest).unwrap_or_else(|_| before.clone());
        assert!(now == before, "it is gone, or made again");
    }
    // One of another history, under a name and with a digest that are right.
    let other = logged(&grown(&choices(900).split_off(70)), &[]);
    let theirs = Past::new(ground.place.path.clone(), folder.clone());
    let theirs = theirs.no_nearer_than(NonZeroU64::new(APART).unwrap());
    let last = Until::Position(ground.last());
    let past = theirs.as_of(other.reader(), last, None, &mut |_, _| {}).unwrap();
    assert_eq!(past.folded, ground.last() + 1, "nothing of ours was taken");
    ground.is_right(&ground.at(ground.last()), ground.last());
}

#[test]
fn postings_of_the_past_are_read_where_they_are_kept() {
    let ground = ground(600);
    let last = ground.last() / 2;
    let mut past = ground.at(last);
    let now = ground.commits.last().unwrap().recorded_at;
    let mut ask = |statement: &str| past.reader.sql(statement, now, None);
    let newest = ask("SELECT max(position) FROM postings").unwrap();
    assert!(newest.rows.first().unwrap().first().unwrap().as_u64().unwrap() <= last);
    for hidden in ["SELECT * FROM lender.postings", "SELECT * FROM lender.deals"] {
        assert!(ask(hidden).is_err(), "{hidden} ran");
    }
    assert!(past.reader.trial_balance(None).unwrap().is_balanced());
    let all = Query::all(View::Postings, now);
    let early = past.reader.query(&all).unwrap().rows.len();
    let late = chl_runtime::Reader::open(&ground.place.path).unwrap().query(&all).unwrap();
    assert!(early > 0 && early < late.rows.len());
}
