//! Two processes at one ledger: one owns it, the others go through its socket.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use cli::{Desk, partner_lines, programme_lines};
use std::os::unix::fs::PermissionsExt;

#[test]
fn others_go_through_the_owner() {
    let desk = Desk::new();
    let owner = desk.serve();
    let mode = std::fs::metadata(desk.path("main/socket")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let run = desk.submit(&(partner_lines() + "\n\nbroken\n" + &programme_lines()));
    assert_eq!(run.code, 3, "{}", run.err);
    let answers = run.json_lines();
    assert_eq!(answers.len(), 11);
    assert_eq!(answers[4]["line"], 7, "numbers are those of the sender's file");
    let balances = desk.run(&["query", "balances", "--lot", "total"]);
    assert_eq!(balances.json_lines()[0]["available"], "1400.00", "{}", balances.err);
    assert_eq!(desk.run(&["rebuild"]).code, 0);
    assert_eq!(desk.run(&["check"]).code, 0);
    let pid = owner.pid();
    let second = desk.run(&["serve"]);
    assert_eq!(second.code, 5);
    assert!(second.err.contains(&format!("process {pid}")), "{}", second.err);
    assert_eq!(owner.stop(), 0);
    assert!(!desk.path("main/socket").exists());
    assert_eq!(desk.run(&["query", "balances", "--lot", "total"]).out, balances.out);
}

#[test]
fn a_killed_owner_leaves_a_ledger_that_opens() {
    let desk = Desk::new();
    let owner = desk.serve();
    assert_eq!(desk.submit(&partner_lines()).code, 0);
    owner.kill();
    let partners = desk.run(&["query", "partners"]);
    assert_eq!(partners.json_lines()[0]["state"], "active", "{}", partners.err);
    let owner = desk.serve();
    let again = desk.submit(&partner_lines());
    assert!(again.json_lines().iter().all(|answer| answer["duplicate"] == true));
    assert_eq!(owner.stop(), 0);
}

#[test]
fn senders_at_the_same_time_are_all_answered() {
    let desk = Desk::new();
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let lines: String = (0..50)
                .map(|n| {
                    format!(
                        "{{\"id\":\"{sender}-{n}\",\"type\":\"RegisterCustomer\",\"data\":\
                         {{\"customer\":\"c-{sender}-{n}\",\"name\":\"C\"}}}}\n"
                    )
                })
                .collect();
            let mut command = desk.command(&["submit", "-"]);
            std::thread::spawn(move || {
                use std::{io::Write, process::Stdio};
                command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
                let mut child = command.spawn().unwrap();
                child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
                let output = child.wait_with_output().unwrap();
                (output.status.code(), String::from_utf8(output.stdout).unwrap().lines().count())
            })
        })
        .collect();
    for sender in senders {
        assert_eq!(sender.join().unwrap(), (Some(0), 50));
    }
    assert_eq!(desk.run(&["query", "postings"]).code, 0);
    let count = desk.run(&["log", "view", "--type", "CustomerRegistered"]).json_lines().len();
    assert_eq!(count, 200);
}

#[test]
fn a_connection_to_an_owner_that_leaves_is_no_error() {
    let desk = Desk::new();
    assert_eq!(desk.submit(&partner_lines()).code, 0);
    // Stands for an owner that leaves: it takes the connection and closes without a word.
    let path = desk.path("main/socket");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let leaving = std::thread::spawn(move || {
        drop(listener.accept().unwrap());
        drop(listener);
        std::fs::remove_file(&path).unwrap();
    });
    let again = desk.submit(&partner_lines());
    leaving.join().unwrap();
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(again.json_lines().len(), 4);
}
