//! What the door leads to: the ledgers of this process, who may call, and how much is under way.

use super::{
    problem::Problem,
    remembered::Remembered,
    sessions::Sessions,
    standing::{Opened, Standings},
};
use axum::http::Uri;
use chl_bus::{Actor, Actors, Asker, Refusal, Unanswered};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Commands between their arrival and their answer.
const COMMANDS: usize = 4096;
/// Questions being answered.
const QUESTIONS: usize = 8;
/// Streams that are followed, each by a thread of its own.
const STREAMS: usize = 64;

/// The name of the one query parameter that every address takes.
pub(super) const LEDGER: &str = "ledger";

/// What the door leads to.
#[derive(Clone)]
pub(super) struct Behind {
    pub(super) standings: Standings,
    pub(super) actors: Arc<Actors>,
    pub(super) sessions: Sessions,
    pub(super) remembered: Remembered,
    commands: Room,
    questions: Room,
    streams: Room,
}

/// Room for so many at once.
#[derive(Clone)]
struct Room {
    places: Arc<Semaphore>,
    size: usize,
}

impl Room {
    fn of(size: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(size)), size }
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Busy(self.size))
    }
}

impl Behind {
    /// With ledgers that are still to be opened.
    pub(super) fn new(standings: Standings, actors: Arc<Actors>) -> Self {
        let (commands, questions) = (Room::of(COMMANDS), Room::of(QUESTIONS));
        let (sessions, streams) = (Sessions::default(), Room::of(STREAMS));
        let remembered = Remembered::default();
        Self { standings, actors, sessions, remembered, commands, questions, streams }
    }

    /// Takes a command in, if there is room and the actor's quota allows it.
    pub(super) fn admit(&self, actor: &Actor) -> Result<OwnedSemaphorePermit, Refusal> {
        let place = self.commands.enter()?;
        self.actors.take(actor)?;
        Ok(place)
    }

    /// Takes in one more who follows, if there is room.
    pub(super) fn follow(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        self.streams.enter()
    }

    /// The ledger that an address is about.
    pub(super) fn ledger(&self, uri: &Uri) -> Result<Opened, Problem> {
        let named = pairs(uri).find(|(name, _)| name == LEDGER).map(|(_, value)| value);
        Ok(self.standings.opened(named.as_deref())?)
    }

    /// Asks a ledger something that may take its time: aside, and not too many at once.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        ledger: Opened,
        actor: &Actor,
        question: impl FnOnce(&Opened, &Asker) -> Result<T, Unanswered> + Send + 'static,
    ) -> Result<T, Problem> {
        let place = self.questions.enter()?;
        let asker = Asker::from(&actor.connection);
        let answered = tokio::task::spawn_blocking(move || {
            let answer = question(&ledger, &asker);
            drop(place);
            answer
        });
        let answer = answered.await.map_err(|error| Refusal::Broken(error.to_string()))?;
        Ok(answer?)
    }
}

/// The parameters of an address, decoded.
pub(super) fn pairs(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_room_says_so_and_a_place_is_free_again() {
        let room = Room::of(1);
        let place = room.enter();
        assert!(place.is_ok());
        assert_eq!(room.enter().map(drop), Err(Refusal::Busy(1)));
        drop(place);
        assert!(room.enter().is_ok());
    }
}
