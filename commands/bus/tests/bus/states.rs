//! The file of states: a cache that may be old, foreign, of the future, or gone.

use crate::ledger::{Given, LEDGER, customer, deal, json, market, options, send};
use chl_bus::{Bus, Options, StatesFile};
use chl_events::LedgerId;
use chl_log::EventLog;
use rusqlite::Connection;
use serde_json::json;
use std::{path::Path, sync::Arc};

pub(crate) type Dump = (Vec<(u8, String, Vec<u8>)>, Option<(LedgerId, u64)>);

/// Every row of a file, and what it stands for.
pub(crate) fn dump(path: &Path) -> Dump {
    let file = Connection::open(path).unwrap();
    let mut query = file.prepare("SELECT kind, id, bytes FROM state_rows").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let rows = rows.map(Result::unwrap).collect();
    (rows, StatesFile::open(path).unwrap().stands_for().unwrap())
}

fn lines() -> Vec<String> {
    let mut lines = market();
    for number in 0..30 {
        lines.push(customer(&format!("c{number}")));
        lines.push(deal(&format!("d{number}"), "p", &format!("c{number}")));
        lines.push(deal(&format!("e{number}"), "q", &format!("c{number}")));
    }
    lines
}

#[test]
fn states_written_while_going_on_are_those_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let (kept, built) = (dir.path().join("kept"), dir.path().join("built"));
    let given = Given::new();
    let often = Options { flush_bytes: 1, state_bytes: 1_000, ..options() };
    for part in lines().chunks(25) {
        let bus = Bus::open(given.parts(Some(&kept)), &often).unwrap();
        for line in part {
            assert!(send(&bus, std::slice::from_ref(line))[0].is_accepted());
        }
        bus.close();
    }
    Bus::open(given.parts(Some(&built)), &options()).unwrap().close();
    let (kept, built) = (dump(&kept), dump(&built));
    assert_eq!(kept, built);
    assert_eq!(kept.1, Some((LEDGER, given.log.head().next)));
    assert!(kept.0.len() > 100);
}

#[test]
fn a_ledger_goes_on_from_an_old_file_and_from_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("states");
    let given = Given::new();
    let bus = Bus::open(given.parts(Some(&path)), &options()).unwrap();
    send(&bus, &market());
    bus.close();
    let old = dir.path().join("old");
    std::fs::copy(&path, &old).unwrap();
    let bus = Bus::open(given.parts(Some(&path)), &options()).unwrap();
    send(&bus, &[deal("d1", "p", "acme")]);
    bus.close();
    for path in [&old, &dir.path().join("none")] {
        let bus = Bus::open(given.parts(Some(path)), &options()).unwrap();
        let taken = deal("d1", "p", "acme").replace("RegisterDeal-d1", "another");
        assert_eq!(json(&send(&bus, &[taken])[0])["code"], json!("deal.id_taken"));
        bus.close();
    }
}

#[test]
fn a_file_in_doubt_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("states");
    let given = Given::new();
    let bus = Bus::open(given.parts(Some(&path)), &options()).unwrap();
    send(&bus, &market());
    bus.close();
    let right = dump(&path);
    let doubts = [
        "UPDATE stands_for SET position = 1000000",
        "UPDATE stands_for SET ledger = x'00000000000000000000000000000000'",
        "UPDATE stands_for SET version = 4000000",
        "DELETE FROM stands_for",
        "UPDATE state_rows SET bytes = x'ff' WHERE kind = 1; UPDATE stands_for SET position = 3",
    ];
    for doubt in doubts {
        Connection::open(&path).unwrap().execute_batch(doubt).unwrap();
        Bus::open(given.parts(Some(&path)), &options()).unwrap().close();
        assert_eq!(dump(&path), right, "{doubt}");
    }
}

#[test]
fn a_file_that_is_ahead_of_its_keys_is_built_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("states");
    let given = Given::new();
    let small = Options { flush_bytes: 1, state_bytes: 1, ..options() };
    let bus = Bus::open(given.parts(Some(&path)), &small).unwrap();
    send(&bus, &market());
    send(&bus, &[deal("d1", "p", "acme")]);
    bus.close();
    // Without its keys every row of the file would seem to be missing.
    let lost = Given { keys: Arc::default(), ..given };
    let bus = Bus::open(lost.parts(Some(&path)), &small).unwrap();
    let taken = deal("d1", "p", "acme").replace("RegisterDeal-d1", "another");
    assert_eq!(json(&send(&bus, &[taken])[0])["code"], json!("deal.id_taken"));
}
