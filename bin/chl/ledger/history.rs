//! Commits as the log holds them, decoded one after the other.

use crate::{
    exit::Exit,
    failure::{Outcome, Step, StepToOwnExit},
};
use chl_bus::{Vault, destroyed_by};
use chl_events::Commit;
use chl_log::ReadLog;
use std::borrow::Borrow;

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

/// Destroys every key that a log says is: the vault beside it may be of an older copy, or a program
/// may have ended before it did.
pub(crate) fn forget_again<V: Borrow<Vault>>(
    log: &dyn ReadLog,
    vault: impl FnOnce() -> Outcome<V>,
) -> Outcome {
    let mut keys = Vec::new();
    for commit in commits_from(log, 0)? {
        keys.extend(destroyed_by(&commit?));
    }
    if keys.is_empty() {
        return Ok(());
    }
    let forgotten = vault()?.borrow().forget(&keys);
    forgotten.or_exit(Exit::Unavailable, "a forgotten person's key could not be destroyed")
}
