//! Under strace: each answer comes after a sync of the head that began after its last write, and
//! each new file after a sync of its directory.

use crate::session::{Book, Session, chl};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Command;
use std::time::Duration;

/// A call as strace saw it end: when it began and ended, its name, and the path of its descriptor.
struct Call {
    began: f64,
    ended: f64,
    name: String,
    text: String,
}

/// Reads `strace -f -y -ttt -T`, joining calls that were interrupted by others.
fn calls(trace: &str) -> Vec<Call> {
    let mut open = BTreeMap::<String, (f64, String)>::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((pid, rest)) = line.trim_start().split_once(char::is_whitespace) else { continue };
        let Some((at, rest)) = rest.trim_start().split_once(' ') else { continue };
        let Ok(at) = at.parse::<f64>() else { continue };
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            open.insert(pid.into(), (at, head.into()));
            continue;
        }
        let (began, text) = match rest.strip_prefix("<... ") {
            Some(tail) => match open.remove(pid) {
                Some((began, head)) => (began, format!("{head}{tail}")),
                None => continue,
            },
            None => (at, rest.to_owned()),
        };
        let took = text
            .rsplit_once('<')
            .and_then(|(_, took)| took.trim_end_matches('>').parse::<f64>().ok());
        let name = text.split('(').next().unwrap_or_default().to_owned();
        calls.push(Call { began, ended: began + took.unwrap_or(0.0), name, text });
    }
    calls
}

#[test]
fn answers_come_after_the_sync_of_what_they_saw() {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "strace is missing or may not trace");
        println!("SKIPPED: strace is missing or may not trace here");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut book = Book::default();
    let mut first = Session::start(chl(dir.path()));
    first.feed(book.lines(0, 20));
    assert!(first.finish(&mut book).success());
    book.sent = 20;

    let trace = dir.path().join("trace");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-y", "-ttt", "-T", "-s", "16", "-e"]);
    traced
        .arg("trace=write,pwrite64,fdatasync,fsync,openat,rename,renameat2")
        .arg("-o")
        .arg(&trace);
    let plain = chl(dir.path());
    traced.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.arg(plain.get_program()).args(plain.get_args());
    let mut session = Session::start(traced);
    let mut stdin = session.child.stdin.take().unwrap();
    for line in book.lines(0, 200) {
        writeln!(stdin, "{line}").unwrap();
        book.note(&session.answers.recv_timeout(Duration::from_secs(60)).unwrap());
    }
    drop(stdin);
    assert!(session.finish(&mut book).success());

    let calls = calls(&std::fs::read_to_string(&trace).unwrap());
    let head = |call: &Call| call.text.contains("/log/head-") && call.text.contains("/db>");
    let (mut last_write, mut synced_from, mut answers) = (0.0, -1.0, 0);
    let mut order: Vec<&Call> = calls.iter().collect();
    order.sort_by(|a, b| a.ended.total_cmp(&b.ended));
    for call in order {
        match call.name.as_str() {
            "pwrite64" | "write" if head(call) => last_write = call.ended.max(last_write),
            "fdatasync" | "fsync" if head(call) => synced_from = call.began.max(synced_from),
            "write" if call.text.starts_with("write(1<") => {
                answers += 1;
                let before = calls.iter().filter(|one| head(one) && one.ended <= call.began);
                let written = before
                    .clone()
                    .filter(|one| one.name.contains("write"))
                    .fold(0.0, |at: f64, one| at.max(one.ended));
                let synced = before
                    .filter(|one| one.name.contains("sync"))
                    .fold(-1.0, |at: f64, one| at.max(one.began));
                assert!(synced >= written, "answer {answers} left before its sync");
            }
            _ => {}
        }
    }
    assert!(answers >= 200, "only {answers} answers were traced");
    assert!(last_write > 0.0 && synced_from > 0.0, "no write or sync of the head was traced");
    directories(&calls);
    println!("{answers} answers, each after the sync of what it saw");
}

/// Every file that appears under the log by a rename is followed by a sync of its directory.
fn directories(calls: &[Call]) {
    let synced: Vec<(f64, &str)> = calls
        .iter()
        .filter(|call| call.name == "fsync" || call.name == "fdatasync")
        .filter_map(|call| Some((call.began, call.text.split_once('<')?.1.split_once('>')?.0)))
        .collect();
    let mut seen = BTreeSet::new();
    for call in calls.iter().filter(|call| call.name.starts_with("rename")) {
        let Some(to) = call.text.rsplit('"').nth(1).filter(|to| to.contains("/log/")) else {
            continue;
        };
        let folder = std::path::Path::new(to).parent().unwrap().to_str().unwrap().to_owned();
        let later = synced.iter().any(|(began, path)| *began >= call.ended && *path == folder);
        assert!(later, "{to} appeared without a sync of {folder}");
        seen.insert(folder);
    }
    assert!(!seen.is_empty(), "no file appeared under the log: nothing was tested");
    println!("directories synced after a rename: {seen:?}");
}
