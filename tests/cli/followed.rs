//! A file that `chl follow` keeps, held against the ledger's own.

use super::Desk;
use rusqlite::{Connection, types::Value};
use std::{
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Every row of each table of a file, by the table's name, and where they stand.
pub(crate) type Dump = (i64, Vec<(String, Vec<Vec<Value>>)>);

/// Starts to follow.
pub(crate) fn follow(desk: &Desk, call: &[&str]) -> Child {
    let mut command = desk.command(&["follow"]);
    let said = std::fs::File::create(desk.path("follow.said")).unwrap();
    command.args(call).stdout(Stdio::null()).stderr(said).spawn().unwrap()
}

/// Tells a process to stop, and waits for its exit code.
pub(crate) fn stopped(mut process: Child) -> i32 {
    let pid = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    process.wait().unwrap().code().unwrap_or(-1)
}

/// Reads tables of a file, all of one position; none of a file that is not there yet.
fn dumped(path: &std::path::Path, tables: &[&str]) -> rusqlite::Result<Dump> {
    let db = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    db.busy_timeout(Duration::from_secs(10))?;
    let reading = db.unchecked_transaction()?;
    let position = "SELECT min(position) FROM _meta WHERE frozen_reason IS NULL";
    let position = reading.query_row(position, [], |row| row.get(0))?;
    let mut all = Vec::new();
    for table in tables {
        let mut statement = reading.prepare(&format!("SELECT * FROM {table}"))?;
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
        let rows = statement.query_map([], row)?.collect::<Result<_, _>>()?;
        all.push(((*table).to_owned(), rows));
    }
    Ok((position, all))
}

/// The ledger's own rows, up to its last commit.
pub(crate) fn own(desk: &Desk, tables: &[&str]) -> Dump {
    let run = desk.run(&["query", "lots", "--limit", "1"]);
    assert_eq!(run.code, 0, "{}", run.err);
    dumped(&desk.path("main/views.sqlite"), tables).unwrap()
}

/// The rows of a file, as soon as it stands at a position.
pub(crate) fn at(desk: &Desk, file: &str, position: i64, tables: &[&str]) -> Dump {
    let began = Instant::now();
    loop {
        match dumped(&desk.path(file), tables) {
            Ok(dump) if dump.0 == position => return dump,
            other => {
                let stands = other.map(|dump| dump.0);
                let said = std::fs::read_to_string(desk.path("follow.said")).unwrap_or_default();
                let late = began.elapsed() > Duration::from_secs(60);
                assert!(!late, "{position}: {stands:?}, and it said: {said}");
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
}
