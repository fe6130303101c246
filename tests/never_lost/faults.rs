//! An I/O error and a full disk at each write and sync, injected below the program.

use crate::rounds;
use crate::session::{Book, Session, audit, chl};
use std::path::Path;
use std::process::Command;

fn strace_is_here() -> bool {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    let here = works.is_ok_and(|status| status.success());
    assert!(here || std::env::var_os("CI").is_none(), "strace is missing or may not trace");
    if !here {
        println!("SKIPPED: strace is missing or may not trace here");
    }
    here
}

fn under(inject: &str, data: &Path) -> Command {
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-o", "/dev/null", "-e", inject]);
    let plain = chl(data);
    traced.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.arg(plain.get_program()).args(plain.get_args());
    traced
}

#[test]
fn a_failing_disk_loses_nothing_acknowledged() {
    if !strace_is_here() {
        return;
    }
    let steps = rounds("CHL_FAULTS", 6);
    let mut answered = 0;
    for call in ["fdatasync", "fsync", "pwrite64", "write", "renameat2", "rename"] {
        for error in ["EIO", "ENOSPC"] {
            for step in 0..steps {
                let when = 1 + step * step;
                let dir = tempfile::tempdir().unwrap();
                let mut book = Book::default();
                let filter = if call == "write" { "write:error=EIO" } else { call };
                let inject = match filter {
                    "write:error=EIO" if error == "EIO" => {
                        format!("inject=write:error=EIO:when={}+", 400 + when * 40)
                    }
                    "write:error=EIO" => {
                        format!("inject=write:error=ENOSPC:when={}+", 400 + when * 40)
                    }
                    call => format!("inject={call}:error={error}:when={when}+"),
                };
                let mut session = Session::start(under(&inject, dir.path()));
                session.feed(book.lines(0, 600));
                session.finish(&mut book);
                answered += book.accepted.len();
                book.sent = 600;
                let mut session = Session::start(chl(dir.path()));
                session.feed(book.lines(600, 10));
                assert!(session.finish(&mut book).success(), "{inject}: the ledger opens again");
                audit(dir.path(), &book);
            }
        }
    }
    println!("{answered} commands were acknowledged under failing disks");
    assert!(answered > 0, "every run failed before its first answer: nothing was tested");
}
