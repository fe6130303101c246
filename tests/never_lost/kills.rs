//! SIGKILL at random instants under load, rotation and sealing among them.

use crate::session::{Book, Session, audit, beginning, chl};
use crate::{Seed, rounds};
use std::time::Duration;

#[test]
fn killed_at_random_instants_nothing_acknowledged_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let mut seed = Seed::new("kills");
    let mut book = Book::default();
    let kills = rounds("CHL_KILLS", 20);
    for round in 0..kills {
        let mut session = Session::start(chl(dir.path()));
        let lines = book.lines(300, 4_000);
        session.feed(lines);
        std::thread::sleep(Duration::from_millis(20 + seed.below(400)));
        session.kill(&mut book);
        book.sent = book.sent.max(book.accepted.len());
        if round % 10 == 9 {
            audit(dir.path(), &book);
        }
    }
    // Everything once more, to the end: what was accepted is told the same position again.
    let mut session = Session::start(chl(dir.path()));
    let known = book.accepted.len();
    session.feed(book.lines(book.sent, 100));
    assert!(session.finish(&mut book).success());
    assert!(
        book.accepted.len() >= known.max(beginning().len()),
        "every line is accepted in the end"
    );
    audit(dir.path(), &book);
    let sealed = std::fs::read_dir(dir.path().join("main/log/sealed")).unwrap().count();
    println!("{kills} kills, {} commands acknowledged, {sealed} sealed files", book.accepted.len());
    assert!(sealed > 0, "no head was sealed: the load is too small to test sealing");
}
