//! The clock: injected, watched, never going backwards.

use chl_events::Instant;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// What a clock shows: the wall's time, and a time that cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The time of day.
    pub wall: Instant,
    /// Time since some fixed moment; it only grows.
    pub monotonic: Duration,
}

/// Tells the time.
pub trait Clock: Send {
    /// Reads it.
    fn read(&self) -> Reading;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    since: std::time::Instant,
}

impl SystemClock {
    /// Starts watching the machine's clock.
    pub fn new() -> Self {
        Self { since: std::time::Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Reading { wall: Instant::from_micros(micros), monotonic: self.since.elapsed() }
    }
}

/// A clock that stands still until it is moved. Clones show the same time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    reading: std::sync::Arc<Mutex<Reading>>,
}

impl ManualClock {
    /// A clock that shows `wall`.
    pub fn new(wall: Instant) -> Self {
        let reading = Reading { wall, monotonic: Duration::ZERO };
        Self { reading: std::sync::Arc::new(Mutex::new(reading)) }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        reading.monotonic = reading.monotonic.saturating_add(by);
        reading.wall = later(reading.wall, by);
    }

    /// Sets the wall's time, as a person or a time server would: nothing else moves.
    pub fn set(&self, wall: Instant) {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).wall = wall;
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn later(at: Instant, by: Duration) -> Instant {
    let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    Instant::from_micros(at.micros().saturating_add(micros))
}

/// Says why the clock is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClockSuspect {
    /// It shows a time far before the last commit.
    #[error("the clock shows {wall}, far before the last commit at {last}")]
    Behind {
        /// What it shows.
        wall: Instant,
        /// When the last commit was recorded.
        last: Instant,
    },
    /// It ran ahead of the time that passed.
    #[error("the clock shows {wall}, where {expected} is the time that passed")]
    Jumped {
        /// What it shows.
        wall: Instant,
        /// What it should show at most.
        expected: Instant,
    },
}

/// Watches a clock, and makes recording times of what it shows.
#[derive(Debug)]
pub(crate) struct Watch {
    tolerance: Duration,
    anchor: Option<Reading>,
    last: Option<Instant>,
    behind_believed: bool,
}

impl Watch {
    /// Begins behind a commit recorded at `last`.
    pub(crate) fn new(tolerance: Duration, last: Option<Instant>) -> Self {
        Self { tolerance, anchor: None, last, behind_believed: false }
    }

    /// The recording time for a command taken now: never before the last one.
    pub(crate) fn recording(&mut self, now: Reading) -> Result<Instant, ClockSuspect> {
        let Reading { wall, monotonic } = now;
        if let Some(last) = self.last
            && !self.behind_believed
            && later(wall, self.tolerance) < last
        {
            return Err(ClockSuspect::Behind { wall, last });
        }
        if let Some(anchor) = self.anchor {
            let passed = monotonic.saturating_sub(anchor.monotonic);
            let expected = later(anchor.wall, passed);
            if later(expected, self.tolerance) < wall {
                return Err(ClockSuspect::Jumped { wall, expected });
            }
        }
        self.anchor = Some(now);
        Ok(self.not_before(wall))
    }

    /// A recording time taken from the input, moved up to the last one where it lies before it.
    pub(crate) fn not_before(&self, at: Instant) -> Instant {
        self.last.map_or(at, |last| at.max(last))
    }

    /// Remembers when a commit was recorded.
    pub(crate) fn recorded(&mut self, at: Instant) {
        self.last = Some(self.not_before(at));
    }

    /// When the last commit was recorded.
    pub(crate) fn last(&self) -> Option<Instant> {
        self.last
    }

    /// Goes back to a last commit, after later ones were thrown away.
    pub(crate) fn rewind(&mut self, last: Option<Instant>) {
        self.last = last;
    }

    /// Believes what the clock shows from now on, as somebody has looked. Recording times still
    /// never go backwards: they stand still until the clock has caught up.
    pub(crate) fn believe(&mut self, now: Reading) {
        self.anchor = Some(now);
        self.behind_believed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        later(Instant::from_micros(1_772_355_600_000_000), Duration::from_secs(seconds))
    }

    fn reading(wall: u64, monotonic: u64) -> Reading {
        Reading { wall: at(wall), monotonic: Duration::from_secs(monotonic) }
    }

    #[test]
    fn recording_times_never_go_backwards() {
        let mut watch = Watch::new(Duration::from_secs(60), Some(at(100)));
        assert_eq!(watch.recording(reading(90, 0)), Ok(at(100)));
        assert_eq!(watch.recording(reading(120, 30)), Ok(at(120)));
        watch.recorded(at(120));
        assert_eq!(watch.recording(reading(110, 40)), Ok(at(120)));
    }

    #[test]
    fn a_clock_far_behind_the_last_commit_is_suspect_until_believed() {
        let mut watch = Watch::new(Duration::from_secs(60), Some(at(1000)));
        let suspect = ClockSuspect::Behind { wall: at(900), last: at(1000) };
        assert_eq!(watch.recording(reading(900, 0)), Err(suspect));
        watch.believe(reading(900, 0));
        assert_eq!(watch.recording(reading(901, 1)), Ok(at(1000)));
    }

    #[test]
    fn a_clock_that_jumps_ahead_of_the_time_that_passed_is_suspect() {
        let mut watch = Watch::new(Duration::from_secs(60), None);
        assert_eq!(watch.recording(reading(0, 0)), Ok(at(0)));
        assert_eq!(watch.recording(reading(70, 10)), Ok(at(70)));
        let suspect = ClockSuspect::Jumped { wall: at(1000), expected: at(80) };
        assert_eq!(watch.recording(reading(1000, 20)), Err(suspect));
    }
}
