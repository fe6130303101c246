//! Under strace, with heads so small that they are sealed within two hundred answers: each answer
//! comes after a sync of the head that began after its last write, and each new file has been
//! followed by a sync of its directory before anything relies on it.

use crate::session::{Book, Session, chl};
use crate::trace::{Call, calls};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A head this small is full after some twenty commands.
const TINY_HEAD: &str = "8192";
/// How many answers are waited for, one by one.
const ANSWERS: usize = 220;

/// Runs the program under strace, from an empty folder on, and reads the trace.
fn traced() -> Vec<Call> {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-y", "-ttt", "-T", "-s", "16", "-e"]);
    traced
        .arg("trace=write,pwrite64,fdatasync,fsync,openat,mkdir,mkdirat,rename,renameat,renameat2")
        .arg("-o")
        .arg(&trace);
    let data = dir.path().join("data");
    let plain = chl(&data);
    traced.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    traced.env("CHL_SEAL_BYTES", TINY_HEAD);
    traced.arg(plain.get_program()).args(plain.get_args());
    let mut book = Book::default();
    let mut session = Session::start(traced);
    let mut stdin = session.child.stdin.take().unwrap();
    for line in book.lines(0, ANSWERS) {
        writeln!(stdin, "{line}").unwrap();
        book.note(&session.answers.recv_timeout(Duration::from_secs(60)).unwrap());
    }
    drop(stdin);
    assert!(session.finish(&mut book).success());
    calls(&std::fs::read_to_string(&trace).unwrap())
}

#[test]
fn answers_come_after_the_sync_of_what_they_saw() {
    let works = Command::new("strace").args(["-o", "/dev/null", "true"]).status();
    if !works.is_ok_and(|status| status.success()) {
        assert!(std::env::var_os("CI").is_none(), "strace is missing or may not trace");
        println!("SKIPPED: strace is missing or may not trace here");
        return;
    }
    let calls = traced();
    let answers: Vec<&Call> = calls.iter().filter(|call| call.is_answer()).collect();
    assert!(answers.len() >= ANSWERS, "only {} answers were traced", answers.len());
    let committer = committer(&calls);
    let mut since = 0.0;
    for (number, answer) in answers.iter().enumerate() {
        written_and_synced(&calls, committer, (since, answer.began), number);
        since = answer.began;
    }
    let heads = heads(&calls, committer, &answers);
    let sealed = sealed(&calls);
    assert!(heads > 3 && sealed > 2, "{heads} heads, {sealed} sealed: nothing was tested");
    for (name, folder) in [("witness", "/log"), ("sealed", "/log")] {
        let made = named(&calls, &format!("{folder}/{name}"));
        assert!(
            synced(&calls, folder_of(made), made.ended, answers[0].began),
            "{name} is not named"
        );
    }
    let keys: Vec<&Call> = calls.iter().filter(|call| call.names("/keys/")).collect();
    assert!(!keys.is_empty(), "no key file appeared");
    for made in keys {
        let later = synced(&calls, folder_of(made), made.ended, f64::INFINITY);
        assert!(later, "{} appeared without a sync of its folder", made.to);
    }
    println!("{} answers, each after its sync; {heads} heads, {sealed} sealed", answers.len());
}

/// The thread that makes groups durable: the one that syncs most.
fn committer(calls: &[Call]) -> &str {
    let syncs = |thread: &str| {
        calls.iter().filter(|one| one.thread == thread && one.is_head_sync()).count()
    };
    let threads = calls.iter().filter(|one| one.is_head_sync()).map(|one| one.thread.as_str());
    threads.max_by_key(|one| syncs(one)).unwrap()
}

/// Between the answer before and this one its head was written to, and then synced; nothing was
/// written into that head after the sync began.
fn written_and_synced(calls: &[Call], committer: &str, (since, left): (f64, f64), number: usize) {
    let within = |one: &&Call| one.began >= since && one.ended <= left;
    let mut syncs = calls.iter().filter(|one| one.thread == committer && one.is_head_sync());
    let Some(sync) = syncs.rfind(within) else { panic!("answer {number} left before a sync") };
    let writes = calls.iter().filter(within).filter(|one| one.name.contains("write"));
    let last = writes.filter(|one| one.head() == sync.head()).map(|one| one.ended);
    let last = last.fold(0.0, f64::max);
    assert!(last > 0.0, "answer {number} left before anything was written");
    assert!(sync.began >= last, "answer {number} left before its sync");
}

/// Every head that took commands had its name, and the names in it, on disk before the first answer
/// that relies on it. Returns how many did.
fn heads(calls: &[Call], committer: &str, answers: &[&Call]) -> usize {
    let mut seen = Vec::new();
    for sync in calls.iter().filter(|one| one.thread == committer && one.is_head_sync()) {
        let head = sync.head().unwrap();
        if seen.contains(&head) {
            continue;
        }
        seen.push(head);
        let Some(answer) = answers.iter().find(|answer| answer.began >= sync.ended) else { break };
        let named = named(calls, head);
        let log = folder_of(named);
        assert!(synced(calls, log, named.ended, answer.began), "{head} is not named in {log}");
        let unnamed = head.replace("/head-", "/new-");
        for file in ["db", "conf"] {
            let made = calls.iter().find(|one| one.to == format!("{unnamed}/{file}"));
            let made = made.unwrap_or_else(|| panic!("{unnamed}/{file} was never made"));
            let inside = [head, &unnamed];
            let safe = inside.iter().any(|one| synced(calls, one, made.ended, answer.began));
            assert!(safe, "{file} is not named in {head}");
        }
    }
    seen.len()
}

/// Every head was given up only after its sealed file, and the name of that, and the witness were
/// on disk. Returns how many were.
fn sealed(calls: &[Call]) -> usize {
    let files: Vec<&Call> = calls.iter().filter(|one| one.names("/log/sealed/")).collect();
    let gone: Vec<&Call> = calls.iter().filter(|one| one.names("/log/gone-")).collect();
    assert!(files.len() >= gone.len(), "{} sealed, {} given up", files.len(), gone.len());
    for (file, gone) in files.iter().zip(&gone) {
        let draft = file.from.as_str();
        let filled = |one: &&Call| one.name == "pwrite64" || one.name == "write";
        let last = calls.iter().filter(filled).filter(|one| one.on(draft)).map(|one| one.ended);
        let last = last.fold(0.0, f64::max);
        assert!(last > 0.0, "nothing was written into {draft}");
        assert!(synced(calls, draft, last, file.began), "{} was named unsynced", file.to);
        let folder = folder_of(file);
        assert!(synced(calls, folder, file.ended, gone.began), "{} is not named", file.to);
        let witness = calls.iter().any(|one| {
            one.name.contains("sync")
                && one.path().is_some_and(|path| path.ends_with("/log/witness"))
                && one.began >= file.ended
                && one.ended <= gone.began
        });
        assert!(witness, "{} was given up before the witness knew", gone.from);
    }
    gone.len()
}

/// The call that gave a path its name.
fn named<'a>(calls: &'a [Call], ending: &str) -> &'a Call {
    let found = calls.iter().find(|one| one.to.ends_with(ending));
    found.unwrap_or_else(|| panic!("{ending} never appeared"))
}

fn folder_of(call: &Call) -> &str {
    Path::new(&call.to).parent().unwrap().to_str().unwrap()
}

/// Whether a file or folder was synced between two moments.
fn synced(calls: &[Call], path: &str, from: f64, to: f64) -> bool {
    let sync = |one: &&Call| one.name == "fsync" || one.name == "fdatasync";
    calls.iter().filter(sync).any(|one| one.on(path) && one.began >= from && one.ended <= to)
}
