//! `chl submit --as`: lines over the bus, through whichever process takes the ledger's commands.

use super::{
    answers::Tally,
    decide::{Numbered, sheet},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    output::Sink,
    place::Place,
};
use chl_bus_nats::{ClientError, LedgerClient};
use chl_events::{ActorId, Code};
use chl_log_nats::Connection;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use std::{pin::pin, thread};
use tokio::sync::mpsc::channel;

/// How many lines wait for their answers at most.
const IN_FLIGHT: usize = 256;
/// The type of a line that names none: the ledger says what is wrong with it.
const NO_TYPE: &str = "none";

/// What of a line says where it goes.
#[derive(Deserialize)]
struct Named {
    id: Option<String>,
    #[serde(rename = "type")]
    name: Option<Code>,
}

/// Sends lines under an actor's name and writes their answers, in input order.
pub(super) fn send_over_bus(
    place: &Place,
    connection: &Connection,
    actor: ActorId,
    lines: impl Iterator<Item = Outcome<Numbered>> + Send,
    sink: &mut dyn Sink,
) -> Outcome<Exit> {
    sink.begin(&sheet())?;
    let ledger = Code::new(place.ledger()).or_exit(Exit::Usage, "--ledger")?;
    let client = LedgerClient::new(connection.client(), ledger, actor);
    let (feed, fed) = channel::<Outcome<Numbered>>(IN_FLIGHT);
    let (tell, mut told) = channel::<Outcome<(u64, String)>>(IN_FLIGHT);
    let sending = async move {
        let fed = stream::unfold(fed, async |mut fed| fed.recv().await.map(|line| (line, fed)));
        let mut answers = pin!(fed.map(|line| answered(&client, line)).buffered(IN_FLIGHT));
        while let Some(answer) = answers.next().await {
            if tell.send(answer).await.is_err() {
                break;
            }
        }
    };
    let mut tally = Tally::default();
    thread::scope(|scope| {
        scope.spawn(move || {
            for line in lines {
                let broken = line.is_err();
                // The other side ends first only by a failure of its own, which is told there.
                if feed.blocking_send(line).is_err() || broken {
                    break;
                }
            }
        });
        let waiting = scope.spawn(|| connection.wait(sending));
        while let Some(answer) = told.blocking_recv() {
            let (line, text) = answer?;
            let of_line = tally.count_shown(&text)?;
            let named = if of_line { numbered(line, &text) } else { text };
            sink.document(&named)?;
            sink.pass_on()?;
        }
        let ended = waiting.join();
        let ended = ended.map_err(|_| Failure::new(Exit::Internal, "sending over the bus"))?;
        ended.or_exit(Exit::Unavailable, "the bus")
    })?;
    sink.note(&tally.to_string())?;
    Ok(tally.exit())
}

/// The answer to a line, as it came; of one that is not answered in time, that.
async fn answered(client: &LedgerClient, line: Outcome<Numbered>) -> Outcome<(u64, String)> {
    let (number, bytes) = line?;
    let text = String::from_utf8_lossy(&bytes);
    let named = serde_json::from_str(&text).unwrap_or(Named { id: None, name: None });
    let kind = named.name.as_ref().map_or(NO_TYPE, Code::as_str);
    match client.send(kind, &text).await {
        Ok(answer) => Ok((number, answer)),
        Err(error @ ClientError::Unanswered(_)) => {
            let failed = json!({ "id": named.id, "outcome": "failed", "code": "bus.unanswered",
                "message": error.to_string(), "retry": true });
            Ok((number, failed.to_string()))
        }
        Err(
            error
            @ (ClientError::Refused { .. } | ClientError::Document(_) | ClientError::Queue(_)),
        ) => Err(error).or_exit(Exit::Internal, "an answer of the bus"),
    }
}

/// An answer that names the line it is of, where its document has no name of its own.
fn numbered(line: u64, text: &str) -> String {
    let fields = text.strip_prefix('{');
    fields.map_or_else(|| text.to_owned(), |fields| format!("{{\"line\":{line},{fields}"))
}
