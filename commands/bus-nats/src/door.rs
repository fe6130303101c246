//! The door: commands and questions by request and reply, as a NATS service.
//!
//! Messages are sent on to the ledger in the order they arrive, before the next one is looked at;
//! answers leave as they become durable. What the door cannot take is answered at once and may be
//! sent again: nothing waits in a queue without a bound.

use crate::{
    actors::{Actor, Actors},
    quota::Quotas,
    refusal::Refusal,
    subject::{self, Lane, Subjects},
};
use async_nats::{
    HeaderMap, Message,
    service::{Service, ServiceExt, endpoint::Endpoint},
};
use chl_bus::{Answer, Client, Clock, Connection, Prepared, SystemClock, Vault, Viewer, show};
use chl_events::{ActorId, Code, Instant, PartnerId, Role};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::Semaphore, task::JoinHandle};

/// The header in which a sender says until when it waits: an instant.
pub const DEADLINE: &str = "Chl-Deadline";

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

/// Who asks a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Who it is.
    pub actor: ActorId,
    /// What it is to the ledger.
    pub role: Role,
    /// The partner it belongs to, for role partner.
    pub partner: Option<PartnerId>,
}

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unanswered {
    /// The stable code.
    pub code: &'static str,
    /// What is wrong, for people.
    pub message: String,
    /// Whether the same question may be answered when it is asked again.
    pub retry: bool,
}

/// What answers questions; it may take its time, several are asked at once.
pub trait Questions: Send + Sync + 'static {
    /// Answers a question with one JSON document, as far as the asker may see it.
    fn ask(&self, name: &str, body: &[u8], asker: &Asker) -> Result<Vec<u8>, Unanswered>;
}

/// What decides commands and who may send them.
pub(crate) struct Desk {
    client: Client,
    vault: Option<Arc<Vault>>,
    actors: Arc<Actors>,
    quotas: Mutex<Quotas>,
    clock: SystemClock,
}

/// The answer to a command on its way, as one JSON document.
pub(crate) struct Answered {
    /// The answer, or what the door said.
    pub(crate) outcome: Result<Answer, Refusal>,
    /// The document.
    pub(crate) body: Vec<u8>,
}

impl Desk {
    /// Puts a ledger and its list of actors together.
    pub(crate) fn new(client: Client, vault: Option<Arc<Vault>>, actors: Arc<Actors>) -> Self {
        let (quotas, clock) = (Mutex::default(), SystemClock::new());
        Self { client, vault, actors, quotas, clock }
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
        let desk = Arc::clone(self);
        let taken = connection.and_then(|connection| {
            self.in_time(message.headers.as_ref())?;
            let prepared = self.client.prepare(&message.payload, &connection, self.now());
            match prepared {
                Ok(prepared) => {
                    same_type(message.subject.as_str(), &prepared)?;
                    let seen_by = prepared.origin().clone();
                    Ok(Ok((self.client.submit(prepared), seen_by.role, seen_by.partner)))
                }
                Err(answer) => Ok(Err((*answer, connection.role, connection.partner))),
            }
        });
        async move {
            let (answer, role, partner) = match taken {
                Ok(Ok((answer, role, partner))) => (answer.await, role, partner),
                Ok(Err(refused)) => refused,
                Err(refusal) => {
                    let body = refusal.answer(None).to_string().into_bytes();
                    return Answered { outcome: Err(refusal), body };
                }
            };
            shown(answer, role, partner, desk.vault.clone()).await
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
    fn within_quota(&self, message: &Message) -> Result<Connection, Refusal> {
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

/// Shows an answer as its sender may see it. A vault may have to ask servers for a key and waits for
/// them, which no task of the runtime may do.
async fn shown(
    answer: Answer,
    role: Role,
    partner: Option<PartnerId>,
    vault: Option<Arc<Vault>>,
) -> Answered {
    let opens = Viewer { role, partner: None, vault: None }.may_open() && vault.is_some();
    let show = move || {
        let viewer = Viewer { role, partner: partner.as_ref(), vault: vault.as_deref() };
        let body = show(&answer, &viewer).unwrap_or_else(|error| unshown(answer.id(), &error));
        Answered { outcome: Ok(answer), body: body.into_bytes() }
    };
    if !opens {
        return show();
    }
    tokio::task::spawn_blocking(show).await.unwrap_or_else(|error| {
        let refusal = Refusal::Broken(error.to_string());
        Answered { body: refusal.answer(None).to_string().into_bytes(), outcome: Err(refusal) }
    })
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
        let subjects = Subjects::of(ledger);
        let service = nats
            .service_builder()
            .description("Commands of a channel ledger and questions to it")
            .metadata(HashMap::from([("ledger".to_owned(), subjects.ledger().to_owned())]))
            .start(subjects.stream("ledger"), env!("CARGO_PKG_VERSION"))
            .await
            .map_err(DoorError)?;
        let room = Arc::new(Semaphore::new(limits.commands));
        let desk = Arc::new(Desk::new(client, vault, actors));
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
    while let Some(request) = lane.next().await {
        let place = Arc::clone(&room).try_acquire_owned();
        let connection = match (&place, trusted) {
            (Err(_), _) => Err(Refusal::Busy(limits.commands)),
            (Ok(_), true) => Ok(believed()),
            (Ok(_), false) => desk.within_quota(&request.message),
        };
        let answered = desk.take(&request.message, connection);
        tokio::spawn(async move {
            let body = answered.await.body;
            reply(&request, body).await;
            drop(place);
        });
    }
}

/// The connection of those whose claims are believed.
fn believed() -> Connection {
    let nobody = ActorId::new("bus").expect("a word is an identifier");
    Connection { trust_claims: true, ..Connection::operator(nobody) }
}

async fn reply(request: &async_nats::service::Request, body: Vec<u8>) {
    if request.message.reply.is_none() {
        tracing::debug!(subject = %request.message.subject, "nobody waits for an answer");
    } else if let Err(error) = request.respond(Ok(body.into())).await {
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
        let asker = desk.connection(&request.message).and_then(|connection| {
            let Connection { actor, role, partner, .. } = connection;
            place
                .as_ref()
                .map(|_| Asker { actor, role, partner })
                .map_err(|_| Refusal::Busy(at_once))
        });
        let questions = Arc::clone(&questions);
        tokio::task::spawn(async move {
            let body = match asker {
                Ok(asker) => asked(questions, &request.message, asker, largest).await,
                Err(refusal) => refusal.answer(None).to_string().into_bytes(),
            };
            reply(&request, body).await;
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
) -> Vec<u8> {
    let (subject, body) = (message.subject.clone(), message.payload.clone());
    let ask = move || questions.ask(subject::name(subject.as_str()), &body, &asker);
    let unanswered = match tokio::task::spawn_blocking(ask).await {
        Ok(Ok(answer)) if answer.len() <= largest => return answer,
        Ok(Ok(answer)) => Unanswered {
            code: "query.too_large",
            message: format!(
                "the answer has {} bytes, a message holds {largest}: ask with a limit",
                answer.len()
            ),
            retry: false,
        },
        Ok(Err(unanswered)) => unanswered,
        Err(error) => Unanswered { code: "internal", message: error.to_string(), retry: false },
    };
    unanswered.document().to_string().into_bytes()
}

impl Unanswered {
    fn document(&self) -> Value {
        let Self { code, message, retry } = self;
        if *retry {
            json!({ "outcome": "failed", "code": code, "message": message, "retry": true })
        } else {
            json!({ "outcome": "rejected", "code": code, "message": message, "details": {} })
        }
    }
}
