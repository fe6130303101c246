//! What strace saw: calls with their begin, end, thread, and the paths they speak of.

use std::collections::BTreeMap;

/// A call as strace saw it end.
pub(crate) struct Call {
    /// The thread's id.
    pub(crate) thread: String,
    /// Seconds since 1970.
    pub(crate) began: f64,
    /// Likewise.
    pub(crate) ended: f64,
    /// The call's name.
    pub(crate) name: String,
    /// What it gave a name to: a file or folder it made, or the new name in a renaming.
    pub(crate) to: String,
    /// The old name in a renaming.
    pub(crate) from: String,
    text: String,
}

impl Call {
    fn new(thread: &str, began: f64, text: String) -> Self {
        let took = text.rsplit_once('<').map(|(_, took)| took.trim_end_matches('>'));
        let took = took.and_then(|took| took.parse::<f64>().ok()).unwrap_or(0.0);
        let name = text.split('(').next().unwrap_or_default().to_owned();
        let failed = text.contains(" = -1 ");
        let mut paths = text.split('"').skip(1).step_by(2).map(str::to_owned);
        let (mut from, mut to) = (String::new(), String::new());
        match name.as_str() {
            _ if failed => {}
            "rename" | "renameat" | "renameat2" => {
                (from, to) = (paths.next().unwrap_or_default(), paths.next().unwrap_or_default());
            }
            "mkdir" | "mkdirat" => to = paths.next().unwrap_or_default(),
            "openat" if text.contains("O_CREAT") => to = paths.next().unwrap_or_default(),
            _ => {}
        }
        Self { thread: thread.into(), began, ended: began + took, name, to, from, text }
    }

    /// The path of its descriptor.
    pub(crate) fn path(&self) -> Option<&str> {
        if self.name == "openat" {
            return None;
        }
        let (_, rest) = self.text.split_once('<')?;
        Some(rest.split_once('>')?.0)
    }

    /// Whether its descriptor is of this path.
    pub(crate) fn on(&self, path: &str) -> bool {
        self.path() == Some(path)
    }

    /// Whether it renamed something to a path that holds this.
    pub(crate) fn names(&self, part: &str) -> bool {
        self.name.starts_with("rename") && self.to.contains(part)
    }

    /// The folder of the head whose database it is about.
    pub(crate) fn head(&self) -> Option<&str> {
        let folder = self.path()?.strip_suffix("/db")?;
        folder.contains("/log/head-").then_some(folder)
    }

    /// Whether it makes what was written into a head durable.
    pub(crate) fn is_head_sync(&self) -> bool {
        self.name == "fdatasync" && self.head().is_some()
    }

    /// Whether it is an answer leaving through standard output.
    pub(crate) fn is_answer(&self) -> bool {
        self.text.starts_with("write(1<")
    }
}

/// Reads `strace -f -y -ttt -T`, joining calls that were interrupted by others.
pub(crate) fn calls(trace: &str) -> Vec<Call> {
    let mut open = BTreeMap::<String, (f64, String)>::new();
    let mut calls = Vec::new();
    for line in trace.lines() {
        let Some((thread, rest)) = line.trim_start().split_once(char::is_whitespace) else {
            continue;
        };
        let Some((at, rest)) = rest.trim_start().split_once(' ') else { continue };
        let Ok(at) = at.parse::<f64>() else { continue };
        if let Some(head) = rest.strip_suffix("<unfinished ...>") {
            open.insert(thread.into(), (at, head.into()));
            continue;
        }
        let (began, text) = match rest.strip_prefix("<... ") {
            Some(tail) => match open.remove(thread) {
                // What follows the name stands behind the word "resumed>".
                Some((began, head)) => {
                    let tail = tail.split_once("resumed>").map_or(tail, |(_, tail)| tail);
                    (began, format!("{head}{tail}"))
                }
                None => continue,
            },
            None => (at, rest.to_owned()),
        };
        calls.push(Call::new(thread, began, text));
    }
    calls
}
