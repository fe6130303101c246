//! Forgetting: the event is durable first, then the keys are destroyed, and only then anybody is
//! answered or anything else decided.
//!
//! A command that forgets somebody stands alone: before it nothing waits for the disk, and what
//! comes after it, the forgotten person's own commands too, finds the keys gone and makes new ones.
//! Whatever ends the program between the two, opening again destroys what the log says.

use crate::answer::Answer;
use chl_events::{Commit, Event, KeyId, RecordedEvent, ledger::LedgerEvent};

/// The keys that a commit says are destroyed.
pub fn destroyed_by(commit: &Commit) -> impl Iterator<Item = KeyId> {
    commit.events.iter().flat_map(destroyed).copied()
}

fn destroyed(recorded: &RecordedEvent) -> &[KeyId] {
    if let Event::Ledger(LedgerEvent::PersonForgotten(event)) = &recorded.event {
        &event.keys
    } else {
        &[]
    }
}

/// The keys that are to be destroyed once answers may leave.
pub(crate) fn to_destroy(answers: &[Answer]) -> Vec<KeyId> {
    let accepted = answers.iter().filter_map(|answer| match answer {
        Answer::Accepted(accepted) => Some(&accepted.commit),
        Answer::Rejected { .. } | Answer::Failed { .. } => None,
    });
    accepted.flat_map(|commit| destroyed_by(commit)).collect()
}
