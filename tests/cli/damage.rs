//! A ledger that lost the tail of its log, as a machine without power may leave it.

use super::Desk;
use std::{fs, path::Path, process::Command};

/// Writes lines, and then more that are lost again behind the ledger's back, with what is done then.
pub(crate) fn lose_tail(desk: &Desk, kept: &str, lost: &str, then: impl FnOnce(&Desk)) {
    assert_eq!(desk.submit(kept).code, 0);
    let entries = fs::read_dir(desk.path("main/log")).unwrap().map(|entry| entry.unwrap().path());
    let heads = entries.filter(|path| path.to_string_lossy().contains("/head-"));
    let (head, old) = (heads.max().unwrap(), desk.path("old"));
    copy(&head, &old);
    assert_eq!(desk.submit(lost).code, 0);
    then(desk);
    fs::remove_dir_all(&head).unwrap();
    copy(&old, &head);
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}
