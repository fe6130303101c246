//! A pace: so many events a second and no more, so that a long build leaves room for others, and
//! gives up when it is told to.

use std::{
    num::NonZeroU64,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// How often a build that waits looks whether it is to give up.
const GLANCE: Duration = Duration::from_millis(50);

/// How fast events may be folded, and for how long.
#[derive(Clone)]
pub struct Pace {
    per_second: Option<NonZeroU64>,
    given_up: Arc<dyn Fn() -> bool + Send + Sync>,
    began: Option<Instant>,
    passed: u64,
}

/// Says that a build was told to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the build was given up")]
pub struct GivenUp;

impl std::fmt::Debug for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pace").field("per_second", &self.per_second).finish_non_exhaustive()
    }
}

impl Pace {
    /// So many events a second, without a number as many as can be; until it is to give up.
    pub fn new(
        per_second: Option<NonZeroU64>,
        given_up: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { per_second, given_up: Arc::new(given_up), began: None, passed: 0 }
    }

    /// Waits after so many more events, until no more have passed than may have.
    pub(crate) fn pass(&mut self, events: u64) -> Result<(), GivenUp> {
        let began = *self.began.get_or_insert_with(Instant::now);
        self.passed = self.passed.saturating_add(events);
        loop {
            if (self.given_up)() {
                return Err(GivenUp);
            }
            let Some(wait) = self.due().checked_sub(began.elapsed()) else { return Ok(()) };
            thread::sleep(wait.min(GLANCE));
        }
    }

    /// How long what has passed should have taken.
    fn due(&self) -> Duration {
        let Some(per_second) = self.per_second else { return Duration::ZERO };
        let (seconds, rest) = (self.passed / per_second, self.passed % per_second);
        let nanos = u128::from(rest) * 1_000_000_000 / u128::from(per_second.get());
        Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::{GivenUp, Pace};
    use std::{num::NonZeroU64, time::Duration};

    fn thousand(given_up: bool) -> Pace {
        Pace::new(NonZeroU64::new(1_000), move || given_up)
    }

    #[test]
    fn what_has_passed_is_due_at_its_pace() {
        let mut pace = thousand(false);
        pace.passed = 2_500;
        assert_eq!(pace.due(), Duration::from_millis(2_500));
        assert_eq!(Pace { per_second: None, ..pace }.due(), Duration::ZERO);
    }

    #[test]
    fn events_take_their_time_unless_it_is_to_give_up() {
        let mut pace = thousand(false);
        let began = std::time::Instant::now();
        (0..10).for_each(|_| pace.pass(5).expect("it goes on"));
        assert!(began.elapsed() >= pace.due(), "it went too fast");
        assert_eq!(thousand(true).pass(u64::MAX), Err(GivenUp));
    }
}
