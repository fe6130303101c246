//! Events as they are recorded, in the order of the log: all of them as they leave on the bus, or,
//! for a partner, what concerns it as its feed has it.

use super::{
    behind::{Behind, pairs},
    caller::Caller,
    problem::Problem,
    standing::{Opened, Standings},
    stream::{self, Gone, HEARTBEAT, Outlet, Told},
};
use crate::reads::InReadModels;
use axum::{
    Router,
    extract::State,
    http::{HeaderMap, HeaderName, Uri},
    response::Response,
    routing::get,
};
use chl_bus::{
    Bookmarks, EventAt, RedactError, Redaction, Refusal, Traces, Unanswered, event_document,
};
use chl_events::{Code, Commit, PartnerId, Role};
use chl_log::{ReadError, ReadLog};
use std::sync::Arc;

/// The id of the last event a caller has, as browsers send it.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Where to begin, for those who have none.
const FROM: &str = "from";

/// The route of events.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/v1/events", get(follow))
}

async fn follow(
    State(behind): State<Behind>,
    Caller(actor): Caller,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let ledger = behind.ledger(&uri)?;
    let asked = {
        let last = headers.get(LAST_EVENT_ID).map(|id| id.to_str().unwrap_or_default().to_owned());
        let from = pairs(&uri).find(|(name, _)| name == FROM).map(|(_, value)| value);
        last.map(Begin::Behind).or(from.map(Begin::From)).unwrap_or(Begin::Now)
    };
    let partner =
        actor.connection.partner.clone().filter(|_| actor.connection.role == Role::Partner);
    let teller = Teller::new(&ledger, partner)?;
    let next = teller.begin(&asked, ledger.reading.log.head().next)?;
    let following =
        Following { standings: behind.standings.clone(), ledger: ledger.ledger, teller, next };
    Ok(stream::begin(&behind, actor, move |outlet| following.run(outlet))?)
}

/// Where a caller wants to begin.
enum Begin {
    /// With what is recorded next.
    Now,
    /// Behind the event of an id.
    Behind(String),
    /// At the start, now, or at a position.
    From(String),
}

/// Says what there is to tell of a commit, for all or for one partner.
enum Teller {
    All { ledger: String, traces: Option<Arc<Traces>> },
    One { partner: PartnerId, bookmarks: Bookmarks, redaction: Box<Redaction> },
}

/// Why a stream ends before its caller has gone.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error(transparent)]
    Log(#[from] ReadError),
    #[error(transparent)]
    Redact(#[from] RedactError),
    #[error(transparent)]
    Commit(#[from] chl_events::CommitError),
    #[error("an event cannot be shown: {0}")]
    Show(#[from] serde_json::Error),
    #[error("nobody hears any more")]
    Gone,
}

impl From<Gone> for Ended {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

impl Teller {
    fn new(opened: &Opened, partner: Option<PartnerId>) -> Result<Self, Problem> {
        let ledger = opened.ledger.clone();
        let Some(partner) = partner else {
            let traces = opened.client.as_ref().map(chl_bus::Client::traces);
            return Ok(Self::All { ledger, traces });
        };
        let id = opened.reading.log.head().ledger;
        let name = Code::new(&ledger).map_err(|error| Refusal::Broken(error.to_string()))?;
        let parties = Arc::new(InReadModels(Arc::clone(&opened.reading)));
        let redaction = Box::new(Redaction::new(name, id, parties));
        let bookmarks = Bookmarks::of(id, &partner);
        Ok(Self::One { partner, bookmarks, redaction })
    }

    /// Where to begin. A partner names no position: it would learn how much lies between two of its
    /// own.
    fn begin(&self, asked: &Begin, head: u64) -> Result<EventAt, Unanswered> {
        let unknown = |what: String| Unanswered::refused("events.unknown_place", what);
        let next = match asked {
            Begin::Now => EventAt::first_of(head),
            Begin::Behind(id) => {
                let at = match self {
                    Self::All { .. } => id.parse(),
                    Self::One { bookmarks, .. } => bookmarks.read(id),
                };
                let at = at.map(EventAt::behind);
                at.map_err(|_| unknown("Last-Event-ID: no event here has this id".into()))?
            }
            Begin::From(text) => match (text.as_str(), self) {
                ("start", _) => EventAt::first_of(0),
                ("now", _) => EventAt::first_of(head),
                (position, Self::All { .. }) => {
                    let at = position.parse().map(EventAt::first_of);
                    at.map_err(|_| unknown("from: write start, now or a position".into()))?
                }
                (_, Self::One { .. }) => {
                    return Err(unknown("from: write start or now".into()));
                }
            },
        };
        if next.position > head {
            return Err(unknown("the log has not come so far".into()));
        }
        Ok(next)
    }

    /// What there is to tell of the commit at a position, each with its place in it.
    fn tell(&mut self, position: u64, bytes: &[u8]) -> Result<Vec<(EventAt, Told)>, Ended> {
        let mut at = EventAt::first_of(position);
        let mut all = Vec::new();
        let mut add = |id: String, kind, data: String| {
            all.push((at, Told { id, kind, data }));
            at = at.behind();
        };
        match self {
            Self::All { ledger, traces } => {
                let commit = Commit::decode(bytes)?;
                let trace = traces.as_ref().and_then(|traces| traces.of(position));
                for (index, recorded) in commit.events.iter().enumerate() {
                    let at = EventAt { position, index };
                    let document = event_document(ledger, at, &commit, (recorded, trace))?;
                    add(at.to_string(), recorded.event.kind().name, document.to_string());
                }
            }
            Self::One { partner, bookmarks, redaction } => {
                let own = redaction.events(bytes)?.into_iter();
                for (index, event) in own.filter(|event| event.partner == *partner).enumerate() {
                    let id = bookmarks.write(EventAt { position, index });
                    add(id, event.kind, event.document.to_string());
                }
            }
        }
        Ok(all)
    }
}

/// A stream of events under way.
struct Following {
    standings: Standings,
    ledger: String,
    teller: Teller,
    next: EventAt,
}

impl Following {
    fn run(mut self, outlet: &Outlet) {
        while outlet.is_heard() {
            // A ledger that is closed is another one's from now on: the caller comes again.
            let Ok(opened) = self.standings.opened(Some(&self.ledger)) else { return };
            match self.look(opened.reading.log.as_ref(), outlet) {
                Ok(()) => {}
                Err(Ended::Gone | Ended::Log(ReadError::Closed)) => return,
                Err(error) => {
                    tracing::warn!(%error, at = %self.next, "a stream of events ended");
                    return;
                }
            }
        }
    }

    /// Tells what has been recorded meanwhile, or waits a little.
    fn look(&mut self, log: &dyn ReadLog, outlet: &Outlet) -> Result<(), Ended> {
        if log.wait_beyond(self.next.position, HEARTBEAT)?.next <= self.next.position {
            return Ok(());
        }
        for block in log.read(self.next.position)? {
            let block = block?;
            for (position, bytes) in (block.first()..).zip(block.commits()) {
                if position < self.next.position {
                    continue;
                }
                for (at, told) in self.teller.tell(position, bytes)? {
                    if at >= self.next {
                        outlet.tell(told)?;
                        self.next = at.behind();
                    }
                }
                self.next = EventAt::first_of(position.saturating_add(1));
            }
            if !outlet.is_heard() {
                return Err(Ended::Gone);
            }
        }
        Ok(())
    }
}
