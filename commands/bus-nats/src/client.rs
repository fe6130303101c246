//! A client of the bus: commands that are sent until they are answered, questions, publish and go.

use crate::subject::{Lane, Subjects};
use async_nats::jetstream;
use chl_commands::Command;
use chl_events::{ActorId, Code};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The first pause before a command is sent again; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// One ledger, as one actor sees it.
#[derive(Debug, Clone)]
pub struct LedgerClient {
    nats: async_nats::Client,
    subjects: Subjects,
    actor: ActorId,
    /// How long one answer may take.
    pub timeout: Duration,
    /// How long a command is sent again and again, before it is given up.
    pub patience: Duration,
}

/// The answer to a command, for good.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Reply {
    /// It is in the ledger, on disk.
    Accepted {
        /// Whether it had been accepted before: this is the first answer again.
        duplicate: bool,
        /// Its position; hidden from partners on streams they share with others.
        position: Option<u64>,
        /// The stream it is on.
        stream: String,
        /// The stream's version after it; hidden like the position.
        version: Option<u64>,
        /// What was recorded, as JSON.
        events: Vec<Value>,
    },
    /// The business answer is no, or the document is none.
    Rejected {
        /// The stable code.
        code: String,
        /// The same for people.
        message: String,
        /// The offending values.
        details: Value,
    },
}

/// Whether a document is to be sent again.
#[derive(Deserialize)]
struct Again {
    #[serde(default)]
    retry: bool,
}

/// Says why a command or a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It was not answered for good in time; a command may be in the ledger all the same, and may
    /// be sent again under its id.
    #[error("no answer yet: {0}")]
    Unanswered(String),
    /// The question cannot be answered.
    #[error("{code}: {message}")]
    Refused {
        /// The stable code.
        code: String,
        /// The same for people.
        message: String,
    },
    /// The answer, or the command, is no JSON as it should be.
    #[error("a document cannot be read or written: {0}")]
    Document(#[from] serde_json::Error),
    /// The queue did not take it.
    #[error("the queue did not take it: {0}")]
    Queue(#[from] jetstream::context::PublishError),
}

impl LedgerClient {
    /// A ledger's client under an actor's name.
    pub fn new(nats: async_nats::Client, ledger: Code, actor: ActorId) -> Self {
        Self {
            nats,
            subjects: Subjects::of(ledger),
            actor,
            timeout: Duration::from_secs(5),
            patience: Duration::from_secs(60),
        }
    }

    /// Sends a command under an id until it is answered for good. The id makes it harmless to send
    /// it again, here or later.
    pub async fn command(&self, id: &str, command: &Command) -> Result<Reply, ClientError> {
        let answer = self.send(command.kind().name, &document(id, command)?).await?;
        Ok(serde_json::from_str(&answer)?)
    }

    /// Sends a document of a type until it is answered for good, and gives the answer as it came.
    /// Whatever the document is, it gets one; its id makes it harmless to send it again.
    pub async fn send(&self, kind: &str, document: &str) -> Result<String, ClientError> {
        let subject = self.subject(Lane::Command, kind);
        let (began, mut pause) = (Instant::now(), FIRST_PAUSE);
        loop {
            let why = match self.request(&subject, document).await {
                Ok(answer) if !serde_json::from_str::<Again>(&answer)?.retry => return Ok(answer),
                Ok(answer) => answer,
                Err(why) => why,
            };
            if began.elapsed() + pause > self.patience {
                return Err(ClientError::Unanswered(why));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Publishes a command and goes: when this returns, the queue has it on disk.
    pub async fn publish(&self, id: &str, command: &Command) -> Result<(), ClientError> {
        let subject = self.subject(Lane::Queue, command.kind().name);
        let context = jetstream::new(self.nats.clone());
        let sent = context.publish(subject, document(id, command)?.into()).await?;
        sent.await?;
        Ok(())
    }

    /// Asks a read model; the filters are those of `chl query`, as one object.
    pub async fn query(&self, view: &str, filters: &Value) -> Result<Vec<Value>, ClientError> {
        let subject = self.subject(Lane::Query, view);
        let asked = self.request(&subject, &filters.to_string()).await;
        let mut answer: Value = serde_json::from_str(&asked.map_err(ClientError::Unanswered)?)?;
        let text =
            |field: &str| answer.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let refused = ClientError::Refused { code: text("code"), message: text("message") };
        match answer.get_mut("rows").map(Value::take) {
            Some(rows) => Ok(serde_json::from_value(rows)?),
            None => Err(refused),
        }
    }

    fn subject(&self, lane: Lane, name: &str) -> String {
        self.subjects.one(lane, self.actor.as_str(), name)
    }

    /// One request; what went wrong as text, since all of it means the same: ask again.
    async fn request(&self, subject: &str, body: &str) -> Result<String, String> {
        let asking = self.nats.request(subject.to_owned(), body.to_owned().into());
        let answer = tokio::time::timeout(self.timeout, asking).await;
        let answer = answer.map_err(|_| format!("nothing came within {:?}", self.timeout))?;
        let answer = answer.map_err(|error| error.to_string())?;
        String::from_utf8(answer.payload.to_vec()).map_err(|error| error.to_string())
    }
}

fn document(id: &str, command: &Command) -> Result<String, serde_json::Error> {
    let data = serde_json::to_value(command)?;
    Ok(json!({ "id": id, "type": command.kind().name, "data": data }).to_string())
}
