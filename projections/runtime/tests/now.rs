//! What depends on the moment of asking: the file's own views against what the program computes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "each file of tests uses some of it")]
mod ground;
#[path = "../../tests/history/mod.rs"]
mod history;

use chl_events::Instant;
use chl_runtime::{Query, Reader, View};
use ground::{choices, kept, place};
use history::grown;
use rusqlite::{Connection, types::ValueRef};
use serde_json::Value;
use std::collections::BTreeSet;

/// The views, their keys, and what of them depends on the moment.
const VIEWS: [(View, &str, &[&str]); 4] = [
    (View::Deals, "deal", &["effective_state", "days_left", "age_days"]),
    (View::Conflicts, "conflict", &["effective_state", "age_days", "overdue"]),
    (View::Claims, "claim", &["age_days"]),
    (View::Balances, "partner,programme,fund,lot,currency", &["lot_state"]),
];

fn text(value: Value) -> String {
    match value {
        Value::Bool(yes) => i64::from(yes).to_string(),
        Value::String(text) => text,
        other @ (Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    }
}

#[test]
fn the_files_views_say_what_the_program_computes() {
    let commits = grown(&choices(900));
    let place = place();
    drop(kept(&commits, &place));
    let (first, last) = (commits.first().unwrap(), commits.last().unwrap());
    let (first, last) = (first.recorded_at.micros(), last.recorded_at.micros());
    let mut states: BTreeSet<(View, String)> = BTreeSet::new();
    for step in 0..40 {
        let now = Instant::from_micros(first + (last - first) / 20 * step);
        let mut reader = Reader::open(&place.path).unwrap();
        for (view, key, columns) in VIEWS {
            let (name, columns) = (view.name(), columns.join(","));
            let select = format!("SELECT {key}, {columns} FROM {name} ORDER BY {key}");
            let said = reader.sql(&select, now, None).unwrap().rows;
            let said: Vec<Vec<String>> =
                said.into_iter().map(|row| row.into_iter().map(text).collect()).collect();

            // The same view as in the file, with a moment in the place of the clock.
            let file = Connection::open(&place.path).unwrap();
            let own = format!("SELECT sql FROM sqlite_schema WHERE name = '{name}_now'");
            let own: String = file.query_row(&own, [], |row| row.get(0)).unwrap();
            let moment = format!("'{}'", now.to_string().trim_end_matches('Z'));
            let then = own.replace("'now'", &moment).replace("CREATE VIEW", "CREATE TEMP VIEW");
            file.execute_batch(&then).unwrap();
            let select = format!("SELECT {key}, {columns} FROM temp.{name}_now ORDER BY {key}");
            let mut statement = file.prepare(&select).unwrap();
            let count = statement.column_count();
            let rows = statement
                .query_map([], |row| (0..count).map(|at| Ok(shown(row.get_ref(at)?))).collect());
            let found: Vec<Vec<String>> = rows.unwrap().map(Result::unwrap).collect();
            assert_eq!(found, said, "{name} at {now}");

            let at = key.split(',').count();
            let said = said.into_iter().filter(|_| view != View::Claims);
            states.extend(said.map(|row| (view, row.get(at).unwrap().clone())));
        }
        let deals = reader.query(&Query::all(View::Deals, now)).unwrap();
        assert!(!deals.rows.is_empty());
    }
    for (view, word) in [
        (View::Deals, "expired"),
        (View::Conflicts, "lapsed"),
        (View::Balances, "usable"),
        (View::Balances, "expired"),
    ] {
        assert!(states.contains(&(view, word.into())), "{word} among {states:?}");
    }
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".into(),
        ValueRef::Integer(whole) => whole.to_string(),
        text @ (ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_)) => {
            text.as_str().unwrap().to_owned()
        }
    }
}

#[test]
fn what_is_shown_stays_as_it_is_until_the_moment_that_is_said() {
    let commits = grown(&choices(900));
    let place = place();
    drop(kept(&commits, &place));
    let reader = Reader::open(&place.path).unwrap();
    let (first_at, last_at) =
        (commits.first().unwrap().recorded_at, commits.last().unwrap().recorded_at);
    let (first, last) = (first_at.micros(), last_at.micros());
    let rows =
        |view, at: i64| reader.query(&Query::all(view, Instant::from_micros(at))).unwrap().rows;
    let mut lots = Reader::open(&place.path).unwrap();
    let lots = lots.sql("SELECT DISTINCT expires_at FROM lots LIMIT 9", first_at, None).unwrap();
    let before_ends = lots.rows.into_iter().flatten().map(|at| {
        let at: Instant = text(at).parse().unwrap();
        at.micros() - 1_000
    });
    let steps = (0..40).map(|step| first + (last - first) / 20 * step);
    let moments: Vec<i64> = steps.chain(before_ends).collect();
    for (view, ..) in VIEWS {
        let (mut later, mut changed) = (0, 0);
        for now in moments.iter().copied() {
            let until = reader.unchanged_until(view, Instant::from_micros(now)).unwrap().micros();
            assert!(until >= now, "{view:?}");
            if until > now {
                later += 1;
                assert_eq!(rows(view, now), rows(view, until - 1), "{view:?} at {now}");
                changed += usize::from(rows(view, now) != rows(view, until + 1));
            }
        }
        assert!(later > 30 && changed > 0, "{view:?}: {later}, {changed}");
    }
    let ever = reader.unchanged_until(View::Postings, Instant::from_micros(first)).unwrap();
    assert_eq!(ever.micros(), i64::MAX);
}
