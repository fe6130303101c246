//! The agenda: what is to be done when, and the hands that do it.

use std::collections::BTreeMap;

/// A second in microseconds.
pub(super) const SECOND: i64 = 1_000_000;
/// An hour in microseconds.
pub(super) const HOUR: i64 = 3600 * SECOND;
/// A day in microseconds.
pub(super) const DAY: i64 = 24 * HOUR;
/// The first moment of the demo's year, 2025-01-01T00:00:00Z.
pub(super) const YEAR_START: i64 = 20_089 * DAY;
/// The first moment after it.
pub(super) const YEAR_END: i64 = YEAR_START + 365 * DAY;

/// Tasks by the moment they are due; at one moment in the order they were put down.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    tasks: BTreeMap<(i64, u64), T>,
    put: u64,
}

impl<T> Agenda<T> {
    /// An empty one.
    pub(super) fn new() -> Self {
        Self { tasks: BTreeMap::new(), put: 0 }
    }

    /// Puts a task down; one beyond the year is never done.
    pub(super) fn put(&mut self, at: i64, task: T) {
        if at < YEAR_END {
            self.put += 1;
            self.tasks.insert((at, self.put), task);
        }
    }

    /// The next task and its moment.
    pub(super) fn next(&mut self) -> Option<(i64, T)> {
        self.tasks.pop_first().map(|((at, _), task)| (at, task))
    }
}
