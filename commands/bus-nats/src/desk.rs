//! The desk behind the door and the queue: who sent a message, may it now, and what is answered.

use crate::{
    actors::{Actor, Actors},
    counts::Counts,
    quota::Quotas,
    refusal::Refusal,
    subject,
};
use async_nats::{HeaderMap, Message};
use chl_bus::{
    Answer, Client, Clock, Connection, Prepared, SystemClock, TraceParent, Vault, Viewer,
    holds_sealed, show,
};
use chl_events::{Code, Instant, PartnerId, Role};
use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

/// The header in which a sender says until when it waits: an instant.
pub const DEADLINE: &str = "Chl-Deadline";

/// The header that names the trace a message belongs to (W3C Trace Context), on its way in and on
/// the way of its answer out. A `traceparent` of the document itself counts before it.
pub const TRACE: &str = "traceparent";

/// What decides commands and who may send them.
pub(crate) struct Desk {
    client: Client,
    vault: Option<Arc<Vault>>,
    actors: Arc<Actors>,
    quotas: Mutex<Quotas>,
    clock: SystemClock,
    pub(crate) counts: Counts,
}

/// What a message holds, and who may see what of its answer: a command, or what was wrong with it.
type Read = (Result<Box<Prepared>, Box<Answer>>, Role, Option<PartnerId>);

/// A message that was looked at.
pub(crate) struct Admitted {
    read: Result<Read, Refusal>,
    trace: Option<TraceParent>,
}

/// The answer to a command on its way, as one JSON document.
pub(crate) struct Answered {
    /// The answer, or what the door said.
    pub(crate) outcome: Result<Answer, Refusal>,
    /// The document.
    pub(crate) body: Vec<u8>,
    /// The trace it belongs to.
    pub(crate) trace: Option<TraceParent>,
}

impl Desk {
    /// Puts a ledger and its list of actors together.
    pub(crate) fn new(
        ledger: &Code,
        client: Client,
        vault: Option<Arc<Vault>>,
        actors: Arc<Actors>,
    ) -> Self {
        let (quotas, clock, counts) = (Mutex::default(), SystemClock::new(), Counts::of(ledger));
        Self { client, vault, actors, quotas, clock, counts }
    }

    fn now(&self) -> Instant {
        self.clock.read().wall
    }

    fn actor(&self, message: &Message) -> Result<&Actor, Refusal> {
        let subject = message.subject.as_str();
        let id = subject::sender(subject).ok_or_else(|| Refusal::NoActor(subject.into()))?;
        self.actors.get(&id).ok_or(Refusal::UnknownActor(id))
    }

    /// Sends a message's command on to the ledger, now; its answer comes later.
    pub(crate) fn take(
        self: &Arc<Self>,
        message: &Message,
        connection: Result<Connection, Refusal>,
    ) -> impl Future<Output = Answered> + Send + use<> {
        let answered = self.take_piece(vec![self.admit(message, connection)]);
        async move { answered.await.pop().expect("one command has one answer") }
    }

    /// Reads a message's command, if its sender may send it.
    pub(crate) fn admit(
        &self,
        message: &Message,
        connection: Result<Connection, Refusal>,
    ) -> Admitted {
        let mut trace = named_trace(message.headers.as_ref());
        let read = connection.and_then(|connection| {
            self.in_time(message.headers.as_ref())?;
            match self.client.prepare(&message.payload, &connection, self.now()) {
                Ok(prepared) => {
                    let prepared = prepared.within(trace);
                    trace = prepared.trace();
                    same_type(message.subject.as_str(), &prepared)?;
                    let origin = prepared.origin();
                    let (role, partner) = (origin.role, origin.partner.clone());
                    Ok((Ok(Box::new(prepared)), role, partner))
                }
                Err(answer) => Ok((Err(answer), connection.role, connection.partner)),
            }
        });
        Admitted { read, trace }
    }

    /// Sends commands on to the ledger in one piece, now; their answers come later, in order.
    pub(crate) fn take_piece(
        self: &Arc<Self>,
        piece: Vec<Admitted>,
    ) -> impl Future<Output = Vec<Answered>> + Send + use<> {
        let desk = Arc::clone(self);
        let mut commands = Vec::with_capacity(piece.len());
        let mut places = Vec::with_capacity(piece.len());
        for Admitted { read, trace } in piece {
            let place = read.map(|(read, role, partner)| {
                let refused = read.map(|prepared| commands.push(*prepared)).err();
                (refused, role, partner)
            });
            places.push((place, trace));
        }
        let decided = (!commands.is_empty()).then(|| self.client.submit_piece(commands));
        async move {
            let decided = match decided {
                Some(decided) => decided.await,
                None => Vec::new(),
            };
            let mut decided = decided.into_iter();
            let mut answered = Vec::with_capacity(places.len());
            for (place, trace) in places {
                answered.push(match place {
                    Ok((refused, role, partner)) => {
                        let answer = refused.map(|answer| *answer).or_else(|| decided.next());
                        let answer = answer.expect("each command has an answer");
                        let (outcome, body) =
                            shown(answer, role, partner, desk.vault.clone()).await;
                        Answered { outcome, body, trace }
                    }
                    Err(refusal) => {
                        desk.counts.refused(&refusal);
                        let body = refusal.answer(None).to_string().into_bytes();
                        Answered { outcome: Err(refusal), body, trace }
                    }
                });
            }
            answered
        }
    }

    fn in_time(&self, headers: Option<&HeaderMap>) -> Result<(), Refusal> {
        let Some(text) = headers.and_then(|headers| headers.get(DEADLINE)) else { return Ok(()) };
        let deadline: Instant =
            text.as_str().parse().map_err(|_| Refusal::Deadline(text.to_string()))?;
        if self.now() < deadline { Ok(()) } else { Err(Refusal::Late(deadline.to_string())) }
    }

    /// The connection of a message's actor, without a look at its quota.
    pub(crate) fn connection(&self, message: &Message) -> Result<Connection, Refusal> {
        self.actor(message).map(|actor| actor.connection.clone())
    }

    /// The connection of a message's actor, if it may send one more now.
    pub(crate) fn within_quota(&self, message: &Message) -> Result<Connection, Refusal> {
        let actor = self.actor(message)?;
        let id = &actor.connection.actor;
        if let Some(per_second) = actor.per_second {
            let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
            if !quotas.take(id, per_second, std::time::Instant::now()) {
                return Err(Refusal::Quota { per_second });
            }
        }
        Ok(actor.connection.clone())
    }
}

/// The trace that a message's headers name.
pub(crate) fn named_trace(headers: Option<&HeaderMap>) -> Option<TraceParent> {
    headers?.get(TRACE)?.as_str().parse().ok()
}

/// The headers of an answer.
pub(crate) fn traced(mut headers: HeaderMap, trace: Option<TraceParent>) -> HeaderMap {
    if let Some(trace) = trace {
        headers.insert(TRACE, trace.to_string().as_str());
    }
    headers
}

/// Shows an answer as its sender may see it. A vault may have to ask servers for a key and waits for
/// them, which no task of the runtime may do: so it is asked aside, and only where a text is sealed.
async fn shown(
    answer: Answer,
    role: Role,
    partner: Option<PartnerId>,
    vault: Option<Arc<Vault>>,
) -> (Result<Answer, Refusal>, Vec<u8>) {
    let closed = Viewer { role, partner: partner.as_ref(), vault: None };
    let body = body(&answer, &closed);
    if vault.is_none() || !closed.may_open() || !holds_sealed(&body) {
        return (Ok(answer), body.into_bytes());
    }
    let open = move || {
        let viewer = Viewer { role, partner: partner.as_ref(), vault: vault.as_deref() };
        let body = self::body(&answer, &viewer);
        (Ok(answer), body.into_bytes())
    };
    tokio::task::spawn_blocking(open).await.unwrap_or_else(|error| {
        let refusal = Refusal::Broken(error.to_string());
        let body = refusal.answer(None).to_string().into_bytes();
        (Err(refusal), body)
    })
}

fn body(answer: &Answer, viewer: &Viewer<'_>) -> String {
    show(answer, viewer).unwrap_or_else(|error| unshown(answer.id(), &error))
}

fn unshown(id: Option<&str>, error: &serde_json::Error) -> String {
    tracing::error!(%error, "an answer cannot be shown");
    Refusal::Broken(error.to_string()).answer(id).to_string()
}

/// The type in the subject is what permissions can guard: it must be the document's.
fn same_type(subject: &str, prepared: &Prepared) -> Result<(), Refusal> {
    let (named, kind) = (subject::name(subject), prepared.command_name());
    if named == kind {
        return Ok(());
    }
    Err(Refusal::TypeDiffers { subject: named.into(), document: kind.into() })
}
