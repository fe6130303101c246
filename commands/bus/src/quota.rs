//! Quotas: how many commands an actor may send in a second.

use chl_events::ActorId;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The quotas in use: an actor's bucket holds a second's worth and fills evenly.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    /// When each actor's bucket would be full again, had nobody taken anything more.
    full_at: HashMap<ActorId, Instant>,
}

impl Quotas {
    /// Takes one command's worth; false when there is none left.
    pub(crate) fn take(&mut self, actor: &ActorId, per_second: u32, now: Instant) -> bool {
        let one = Duration::from_secs(1) / per_second.max(1);
        let full_at = self.full_at.get(actor).map_or(now, |full_at| (*full_at).max(now));
        let taken = full_at + one;
        if taken > now + Duration::from_secs(1) {
            return false;
        }
        self.full_at.insert(actor.clone(), taken);
        true
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_bucket_holds_a_seconds_worth_and_fills_evenly() {
        let (a, b): (ActorId, ActorId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let (mut quotas, start) = (Quotas::default(), Instant::now());
        let taken = (0..10).filter(|_| quotas.take(&a, 4, start)).count();
        assert_eq!(taken, 4);
        assert!(quotas.take(&b, 1, start), "another's bucket is its own");
        assert!(quotas.take(&a, 4, start + Duration::from_millis(250)));
        assert!(!quotas.take(&a, 4, start + Duration::from_millis(250)));
        let later = start + Duration::from_secs(60);
        assert_eq!((0..10).filter(|_| quotas.take(&a, 4, later)).count(), 4);
    }
}
