//! Sessions: who has signed in to the console, and for how long.

use chl_bus::TokenDigest;
use chl_events::ActorId;
use data_encoding::BASE64URL_NOPAD;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a session lasts.
pub(super) const LASTS: Duration = Duration::from_secs(12 * 3600);
/// So many at most; the one that ends first makes room.
const MOST: usize = 10_000;

/// Those who have signed in, by the digest of what their cookie holds.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<HashMap<String, Session>>>);

/// One of them.
#[derive(Clone)]
pub(super) struct Session {
    /// Who has signed in.
    pub(super) actor: ActorId,
    /// By which token.
    pub(super) token: TokenDigest,
    /// The ledger to look at, where there are several.
    pub(super) ledger: Option<String>,
    /// What its forms bring back.
    pub(super) form: String,
    ends: Instant,
}

impl Sessions {
    fn held(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one of an actor by a token, and returns what its cookie holds.
    pub(super) fn begin(
        &self,
        (actor, token): (ActorId, TokenDigest),
        ledger: Option<String>,
        now: Instant,
    ) -> String {
        let (cookie, form) = (random(), random());
        let mut held = self.held();
        held.retain(|_, session| session.ends > now);
        if held.len() >= MOST {
            let first = held.iter().min_by_key(|(_, session)| session.ends);
            let first = first.map(|(digest, _)| digest.clone());
            first.and_then(|digest| held.remove(&digest));
        }
        let session = Session { actor, token, ledger, form, ends: now + LASTS };
        held.insert(TokenDigest::of(&cookie).to_string(), session);
        cookie
    }

    /// Ends one.
    pub(super) fn end(&self, cookie: &str) {
        self.held().remove(&TokenDigest::of(cookie).to_string());
    }

    /// The session of a cookie that has not ended.
    pub(super) fn find(&self, cookie: &str, now: Instant) -> Option<Session> {
        let held = self.held();
        held.get(&TokenDigest::of(cookie).to_string()).filter(|session| session.ends > now).cloned()
    }
}

/// A word nobody guesses.
pub(super) fn random() -> String {
    let random: [u8; 32] = rand::random();
    BASE64URL_NOPAD.encode(&random)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_session_ends_when_it_is_told_to_or_its_time_is_over() {
        let (sessions, now): (Sessions, _) = (Sessions::default(), Instant::now());
        let who = ("a".parse().unwrap(), TokenDigest::of("a token"));
        let one = sessions.begin(who.clone(), None, now);
        let other = sessions.begin(who, None, now);
        assert_ne!(one, other);
        assert!(sessions.find(&one, now).is_some());
        assert!(sessions.find(&one, now + LASTS).is_none());
        assert!(sessions.find("guessed", now).is_none());
        sessions.end(&one);
        assert!(sessions.find(&one, now).is_none() && sessions.find(&other, now).is_some());
    }
}
