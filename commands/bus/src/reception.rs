//! The reception behind every door: a document is read, sent on to the ledger, and its answer shown
//! as its sender may see it.

use crate::{
    answer::Answer,
    authorise::Connection,
    client::Client,
    clock::{Clock, SystemClock},
    prepare::Prepared,
    refusal::Refusal,
    show::{Viewer, holds_sealed, show},
    trace::TraceParent,
    vault::Vault,
};
use chl_events::{Instant, PartnerId, Role};
use std::sync::Arc;

/// What decides commands for a door.
pub struct Reception {
    client: Client,
    vault: Option<Arc<Vault>>,
    clock: SystemClock,
}

/// A document that was read: a command, or what was wrong with it; and who may see what of its
/// answer.
pub struct Received {
    read: Result<Box<Prepared>, Box<Answer>>,
    role: Role,
    partner: Option<PartnerId>,
    trace: Option<TraceParent>,
}

/// The answer to a document on its way, as one JSON document.
pub struct Answered {
    /// The answer, or what the door said.
    pub outcome: Result<Answer, Refusal>,
    /// The document.
    pub body: Vec<u8>,
    /// The trace it belongs to.
    pub trace: Option<TraceParent>,
}

impl Received {
    /// The command's name in the catalog; none of what is no command.
    pub fn command_name(&self) -> Option<&'static str> {
        self.read.as_ref().ok().map(|prepared| prepared.command_name())
    }

    /// The trace it belongs to.
    pub fn trace(&self) -> Option<TraceParent> {
        self.trace
    }
}

impl Answered {
    /// What the door answers by itself.
    pub fn refused(refusal: Refusal, trace: Option<TraceParent>) -> Self {
        let body = refusal.answer(None).to_string().into_bytes();
        Self { outcome: Err(refusal), body, trace }
    }
}

impl Reception {
    /// In front of a ledger; the vault opens sealed texts for those who may read them.
    pub fn new(client: Client, vault: Option<Arc<Vault>>) -> Self {
        Self { client, vault, clock: SystemClock::new() }
    }

    /// The time at the door.
    pub fn now(&self) -> Instant {
        self.clock.read().wall
    }

    /// Reads a document that came over a connection, on the trace its transport names.
    pub fn receive(
        &self,
        document: &[u8],
        connection: &Connection,
        trace: Option<TraceParent>,
    ) -> Received {
        match self.client.prepare(document, connection, self.now()) {
            Ok(prepared) => {
                let prepared = prepared.within(trace);
                let (origin, trace) = (prepared.origin(), prepared.trace());
                let (role, partner) = (origin.role, origin.partner.clone());
                Received { read: Ok(Box::new(prepared)), role, partner, trace }
            }
            Err(answer) => {
                let (role, partner) = (connection.role, connection.partner.clone());
                Received { read: Err(answer), role, partner, trace }
            }
        }
    }

    /// Sends documents on to the ledger in one piece, now; their answers come later, in order.
    pub fn decide(
        &self,
        piece: Vec<Received>,
    ) -> impl Future<Output = Vec<Answered>> + Send + use<> {
        let vault = self.vault.clone();
        let mut commands = Vec::with_capacity(piece.len());
        let mut places = Vec::with_capacity(piece.len());
        for Received { read, role, partner, trace } in piece {
            let refused = read.map(|prepared| commands.push(*prepared)).err();
            places.push((refused, role, partner, trace));
        }
        let decided = (!commands.is_empty()).then(|| self.client.submit_piece(commands));
        async move {
            let decided = match decided {
                Some(decided) => decided.await,
                None => Vec::new(),
            };
            let mut decided = decided.into_iter();
            let mut answered = Vec::with_capacity(places.len());
            for (refused, role, partner, trace) in places {
                let answer = refused.map(|answer| *answer).or_else(|| decided.next());
                let answer = answer.expect("each command has an answer");
                let (outcome, body) = shown(answer, role, partner, vault.clone()).await;
                answered.push(Answered { outcome, body, trace });
            }
            answered
        }
    }
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
