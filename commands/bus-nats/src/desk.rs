//! The desk behind the door and the queue: who sent a message, may it now, and what is answered.

use crate::{counts::Counts, subject};
use async_nats::{HeaderMap, Message};
use chl_bus::{
    Actor, Actors, Answered, Client, Connection, Received, Reception, Refusal, TraceParent, Vault,
};
use chl_events::{Code, Instant};
use std::{future::Future, sync::Arc};

/// The header in which a sender says until when it waits: an instant.
pub const DEADLINE: &str = "Chl-Deadline";

/// The header that names the trace a message belongs to (W3C Trace Context), on its way in and on
/// the way of its answer out. A `traceparent` of the document itself counts before it.
pub const TRACE: &str = "traceparent";

/// What decides commands and who may send them.
pub(crate) struct Desk {
    reception: Reception,
    actors: Arc<Actors>,
    pub(crate) counts: Counts,
}

/// A message that was looked at.
pub(crate) struct Admitted {
    received: Result<Received, Refusal>,
    trace: Option<TraceParent>,
}

impl Desk {
    /// Puts a ledger and its list of actors together.
    pub(crate) fn new(
        ledger: &Code,
        client: Client,
        vault: Option<Arc<Vault>>,
        actors: Arc<Actors>,
    ) -> Self {
        Self { reception: Reception::new(client, vault), actors, counts: Counts::of(ledger) }
    }

    fn actor(&self, message: &Message) -> Result<Arc<Actor>, Refusal> {
        let subject = message.subject.as_str();
        let id = subject::sender(subject).ok_or_else(|| Refusal::NoActor(subject.into()))?;
        self.actors.get(&id).ok_or(Refusal::UnknownActor(id))
    }

    /// Sends a message's command on to the ledger, now; its answer comes later.
    pub(crate) fn take(
        &self,
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
        let received = connection.and_then(|connection| {
            self.in_time(message.headers.as_ref())?;
            let received = self.reception.receive(&message.payload, &connection, trace);
            trace = received.trace();
            same_type(message.subject.as_str(), &received)?;
            Ok(received)
        });
        Admitted { received, trace }
    }

    /// Sends commands on to the ledger in one piece, now; their answers come later, in order.
    pub(crate) fn take_piece(
        &self,
        piece: Vec<Admitted>,
    ) -> impl Future<Output = Vec<Answered>> + Send + use<> {
        let mut documents = Vec::with_capacity(piece.len());
        let mut places = Vec::with_capacity(piece.len());
        for Admitted { received, trace } in piece {
            let refused = received.map(|document| documents.push(document)).err();
            places.push(refused.map(|refusal| (refusal, trace)));
        }
        let (decided, counts) = (self.reception.decide(documents), self.counts.clone());
        async move {
            let mut decided = decided.await.into_iter();
            let answered = places.into_iter().map(|refused| match refused {
                Some((refusal, trace)) => {
                    counts.refused(&refusal);
                    Answered::refused(refusal, trace)
                }
                None => decided.next().expect("each command has an answer"),
            });
            answered.collect()
        }
    }

    fn in_time(&self, headers: Option<&HeaderMap>) -> Result<(), Refusal> {
        let Some(text) = headers.and_then(|headers| headers.get(DEADLINE)) else { return Ok(()) };
        let deadline: Instant =
            text.as_str().parse().map_err(|_| Refusal::Deadline(text.to_string()))?;
        let in_time = self.reception.now() < deadline;
        if in_time { Ok(()) } else { Err(Refusal::Late(deadline.to_string())) }
    }

    /// The connection of a message's actor, without a look at its quota.
    pub(crate) fn connection(&self, message: &Message) -> Result<Connection, Refusal> {
        self.actor(message).map(|actor| actor.connection.clone())
    }

    /// The connection of a message's actor, if it may send one more now.
    pub(crate) fn within_quota(&self, message: &Message) -> Result<Connection, Refusal> {
        let actor = self.actor(message)?;
        self.actors.take(&actor)?;
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

/// The type in the subject is what permissions can guard: it must be the document's.
fn same_type(subject: &str, received: &Received) -> Result<(), Refusal> {
    let named = subject::name(subject);
    match received.command_name() {
        Some(kind) if kind != named => {
            Err(Refusal::TypeDiffers { subject: named.into(), document: kind.into() })
        }
        Some(_) | None => Ok(()),
    }
}
