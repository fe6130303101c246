//! The door: commands and questions by request and reply, as a NATS service.
//!
//! Messages are sent on to the ledger in the order they arrive, before the next one is looked at;
//! answers leave as they become durable. What the door cannot take is answered at once and may be
//! sent again: nothing waits in a queue without a bound.

use crate::{
    desk::{Desk, named_trace, traced},
    subject::{self, Lane, Subjects},
};
use async_nats::{
    HeaderMap, Message,
    service::{Service, ServiceExt, endpoint::Endpoint},
};
use chl_bus::{
    Actors, Answered, Asker, Client, Connection, Refusal, TraceParent, Unanswered, Vault,
};
use chl_events::{ActorId, Code};
use futures_util::{FutureExt, StreamExt};
use std::{collections::HashMap, sync::Arc};
use tokio::{sync::Semaphore, task::JoinHandle};

/// How many commands that have come at once are sent on together, at most.
const PIECE: usize = 64;

/// Says why the door could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("the service on NATS could not be started: {0}")]
pub struct DoorError(#[source] async_nats::Error);

/// How much is under way at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Commands between their arrival and their answer.
    pub commands: usize,
    /// Questions being answered.
    pub questions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { commands: 4096, questions: 8 }
    }
}

/// What answers questions; it may take its time, several are asked at once.
pub trait Questions: Send + Sync + 'static {
    /// Answers a question with one JSON document, as far as the asker may see it.
    fn ask(&self, name: &str, body: &[u8], asker: &Asker) -> Result<Vec<u8>, Unanswered>;
}

/// The open door of a ledger.
pub struct Door {
    service: Service,
    room: Arc<Semaphore>,
    limits: Limits,
    lanes: Vec<JoinHandle<()>>,
}

/// What the door leads to.
pub struct Behind {
    /// The ledger's name.
    pub ledger: Code,
    /// Where commands go.
    pub client: Client,
    /// What opens sealed texts for those who may read them.
    pub vault: Option<Arc<Vault>>,
    /// Who may send.
    pub actors: Arc<Actors>,
    /// Who answers questions.
    pub questions: Arc<dyn Questions>,
    /// Whether documents on `chl.LEDGER.cmd.TYPE` are believed: whoever may publish there may do
    /// anything.
    pub trust_bus: bool,
}

impl Door {
    /// Opens the door: from now on commands and questions are taken.
    pub async fn open(
        nats: &async_nats::Client,
        behind: Behind,
        limits: Limits,
    ) -> Result<Self, DoorError> {
        let Behind { ledger, client, vault, actors, questions, trust_bus } = behind;
        let desk = Arc::new(Desk::new(&ledger, client, vault, actors));
        let subjects = Subjects::of(ledger);
        let service = nats
            .service_builder()
            .description("Commands of a channel ledger and questions to it")
            .metadata(HashMap::from([("ledger".to_owned(), subjects.ledger().to_owned())]))
            .start(subjects.stream("ledger"), env!("CARGO_PKG_VERSION"))
            .await
            .map_err(DoorError)?;
        let room = Arc::new(Semaphore::new(limits.commands));
        let mut lanes = Vec::new();
        let endpoint = |name: &str, subject: String| {
            service.endpoint_builder().name(name.to_owned()).add(subject)
        };
        let commands = endpoint("commands", subjects.all(Lane::Command)).await;
        let taken = commands.map_err(DoorError)?;
        lanes.push(tokio::spawn(decide(
            taken,
            Arc::clone(&desk),
            limits,
            Arc::clone(&room),
            false,
        )));
        if trust_bus {
            let trusted = endpoint("trusted", subjects.trusted()).await.map_err(DoorError)?;
            let (desk, room) = (Arc::clone(&desk), Arc::clone(&room));
            lanes.push(tokio::spawn(decide(trusted, desk, limits, room, true)));
        }
        let asked = endpoint("queries", subjects.all(Lane::Query)).await.map_err(DoorError)?;
        let largest = nats.server_info().max_payload;
        lanes.push(tokio::spawn(answer(asked, desk, questions, limits.questions, largest)));
        Ok(Self { service, room, limits, lanes })
    }

    /// Closes the door: nothing more is taken, and what was taken is answered.
    pub async fn close(self) {
        if let Err(error) = self.service.stop().await {
            tracing::warn!(%error, "the service on NATS did not stop properly");
        }
        for lane in self.lanes {
            if let Err(error) = lane.await {
                tracing::error!(%error, "a lane of the door broke");
            }
        }
        let all = u32::try_from(self.limits.commands).unwrap_or(u32::MAX);
        // Each command under way holds a place until its answer has left.
        let _everybody = self.room.acquire_many(all).await;
    }
}

async fn decide(
    mut lane: Endpoint,
    desk: Arc<Desk>,
    limits: Limits,
    room: Arc<Semaphore>,
    trusted: bool,
) {
    while let Some(first) = lane.next().await {
        let mut piece = vec![first];
        // What has come already goes on together: one waking of the ledger's thread and one of the
        // task that answers, not one for each.
        while piece.len() < PIECE
            && let Some(Some(next)) = lane.next().now_or_never()
        {
            piece.push(next);
        }
        let mut places = Vec::with_capacity(piece.len());
        let mut admitted = Vec::with_capacity(piece.len());
        for request in &piece {
            let place = Arc::clone(&room).try_acquire_owned();
            let connection = match (&place, trusted) {
                (Err(_), _) => Err(Refusal::Busy(limits.commands)),
                (Ok(_), true) => Ok(believed()),
                (Ok(_), false) => desk.within_quota(&request.message),
            };
            admitted.push(desk.admit(&request.message, connection));
            places.push(place);
        }
        let answered = desk.take_piece(admitted);
        tokio::spawn(async move {
            for (request, Answered { body, trace, .. }) in piece.iter().zip(answered.await) {
                reply(request, body, trace).await;
            }
            drop(places);
        });
    }
}

/// The connection of those whose claims are believed.
fn believed() -> Connection {
    let nobody = ActorId::new("bus").expect("a word is an identifier");
    Connection { trust_claims: true, ..Connection::operator(nobody) }
}

async fn reply(request: &async_nats::service::Request, body: Vec<u8>, trace: Option<TraceParent>) {
    let headers = traced(HeaderMap::new(), trace);
    let inbox = request.message.reply.as_ref().filter(|to| subject::is_inbox(to.as_str()));
    if inbox.is_none() {
        tracing::debug!(subject = %request.message.subject, "no inbox waits for an answer");
    } else if let Err(error) = request.respond_with_headers(Ok(body.into()), headers).await {
        // The sender asks again under the same id and gets the same answer.
        tracing::warn!(%error, "an answer could not be sent");
    }
}

async fn answer(
    mut lane: Endpoint,
    desk: Arc<Desk>,
    questions: Arc<dyn Questions>,
    at_once: usize,
    largest: usize,
) {
    let room = Arc::new(Semaphore::new(at_once));
    let all = u32::try_from(at_once).unwrap_or(u32::MAX);
    while let Some(request) = lane.next().await {
        let place = Arc::clone(&room).try_acquire_owned();
        let asker = desk.connection(&request.message).and_then(|connection| match &place {
            Ok(_) => Ok(Asker::from(&connection)),
            Err(_) => Err(Refusal::Busy(at_once)),
        });
        let (questions, counts) = (Arc::clone(&questions), desk.counts.clone());
        tokio::task::spawn(async move {
            let began = std::time::Instant::now();
            let body = match asker {
                Ok(asker) => match asked(questions, &request.message, asker, largest).await {
                    Ok(answer) => {
                        let view = subject::name(request.message.subject.as_str());
                        counts.asked(Ok(view), began.elapsed());
                        answer
                    }
                    Err(unanswered) => {
                        counts.asked(Err(unanswered.code), began.elapsed());
                        unanswered.document().to_string().into_bytes()
                    }
                },
                Err(refusal) => {
                    counts.refused(&refusal);
                    refusal.answer(None).to_string().into_bytes()
                }
            };
            reply(&request, body, named_trace(request.message.headers.as_ref())).await;
            drop(place);
        });
    }
    let _everybody = room.acquire_many(all).await;
}

async fn asked(
    questions: Arc<dyn Questions>,
    message: &Message,
    asker: Asker,
    largest: usize,
) -> Result<Vec<u8>, Unanswered> {
    let (subject, body) = (message.subject.clone(), message.payload.clone());
    let ask = move || questions.ask(subject::name(subject.as_str()), &body, &asker);
    match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(answer)) if answer.len() <= largest => Ok(answer),
        Ok(Ok(answer)) => Err(Unanswered::refused(
            "query.too_large",
            format_args!(
                "the answer has {} bytes, a message holds {largest}: ask with a limit",
                answer.len()
            ),
        )),
        Ok(Err(unanswered)) => Err(unanswered),
        Err(error) => Err(Unanswered::refused("internal", error)),
    }
}
