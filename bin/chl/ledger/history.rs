//! Commits as the log holds them, decoded one after the other.

use crate::{
    exit::Exit,
    failure::{Outcome, Step, StepToOwnExit},
};
use chl_bus::destroyed_by;
use chl_events::{Commit, KeyId};
use chl_log::ReadLog;

/// The commit of its bytes.
pub(crate) fn decoded(position: u64, bytes: &[u8]) -> Outcome<Commit> {
    Commit::decode(bytes)
        .or_exit(Exit::Verification, format_args!("the commit at position {position}"))
}

/// The commits from a position up to the head of this moment.
pub(crate) fn commits_from(
    log: &dyn ReadLog,
    from: u64,
) -> Outcome<impl Iterator<Item = Outcome<Commit>>> {
    let unread = "the log cannot be read";
    let end = log.head().next;
    let blocks = if from < end { Some(log.read(from).or_own_exit(unread)?) } else { None };
    Ok(blocks.into_iter().flatten().flat_map(move |block| {
        let commits: Vec<Outcome<Commit>> = match block.or_own_exit(unread) {
            Ok(block) => {
                let wanted = (block.first()..).zip(block.commits());
                let wanted = wanted.filter(|(position, _)| *position >= from);
                wanted.map(|(position, bytes)| decoded(position, bytes)).collect()
            }
            Err(failure) => vec![Err(failure)],
        };
        commits
    }))
}

/// The keys that a log says are destroyed: a vault that is put beside it may be of an older copy.
pub(crate) fn destroyed_in(log: &dyn ReadLog) -> Outcome<Vec<KeyId>> {
    let mut keys = Vec::new();
    for commit in commits_from(log, 0)? {
        keys.extend(destroyed_by(&commit?));
    }
    Ok(keys)
}
