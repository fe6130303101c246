//! Commands: one document in, its answer out, with a status that says the same.

use super::{
    behind::{Behind, pairs},
    caller::Caller,
    problem::{AGAIN, Problem, may_come_again, refused},
    standing::Opened,
};
use crate::{
    ledger::{Waits, behind, named_behind},
    reads::{MALFORMED, unanswered},
};
use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use chl_aggregates::Class;
use chl_bus::{Actor, Answer, Answered, BusRejection, Reception, Refusal, Refused, TraceParent};
use chl_events::Role;
use chl_runtime::View;
use std::time::Duration;
use tokio::time::timeout;

/// No more of a document is read: the ledger refuses one above 32 KiB, and says so.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a document may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names the trace a command belongs to (W3C Trace Context), on its way in and out.
const TRACE: HeaderName = HeaderName::from_static("traceparent");

/// The parameter that names a read model to wait for; it may be given more than once.
const WAIT: &str = "wait";

/// The route of commands.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/v1/commands", post(decide))
}

async fn decide(
    State(behind): State<Behind>,
    Caller(actor): Caller,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let place = behind.admit(&actor)?;
    let ledger = behind.ledger(&uri)?;
    let waits = waits(&uri, &actor, &ledger)?;
    let document = read(body, "command.too_large").await?;
    let trace = headers.get(TRACE).and_then(|trace| trace.to_str().ok()?.parse().ok());
    let mut answered = sent(ledger, &actor, &document, trace).await?;
    if let Some(waits) = waits {
        answered = held(answered, waits).await?;
    }
    drop(place);
    Ok(told(answered))
}

/// What the answer is to wait for.
fn waits(uri: &Uri, actor: &Actor, ledger: &Opened) -> Result<Option<Waits>, Problem> {
    let named = pairs(uri).filter(|(name, _)| name == WAIT).map(|(_, view)| view);
    let named: Vec<String> = named.collect();
    if let Some(wrong) = named.iter().find(|name| View::named(name).is_none()) {
        let text = format_args!("wait: no read model is called {wrong:?}");
        return Err(Problem::new(StatusCode::BAD_REQUEST, MALFORMED, text));
    }
    if !named.is_empty() && actor.connection.role == Role::Partner {
        // What stands still, and where, is not a partner's to see.
        let text = "a partner's questions see what was answered; it has no need to wait";
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_permitted.query", text));
    }
    Ok(Waits::of(&named, &ledger.reading.views))
}

/// Waits until the read models hold what was answered, in their file; one that is frozen does not,
/// and is named in the answer.
async fn held(answered: Answered, waits: Waits) -> Result<Answered, Problem> {
    let waited = tokio::task::spawn_blocking(move || {
        let Answered { outcome, body, trace } = answered;
        let Ok(answer) = &outcome else { return Ok(Answered { outcome, body, trace }) };
        let frozen = waits.wait()?;
        let document = String::from_utf8_lossy(&body).into_owned();
        let body = named_behind(document, &behind(answer, &frozen))?.into_bytes();
        Ok(Answered { outcome, body, trace })
    });
    let waited = waited.await.map_err(|error| Refusal::Broken(error.to_string()))?;
    Ok(waited.map_err(|failure| unanswered(&failure))?)
}

/// Reads a document whole, as long as it is not too long and does not take too long to come.
pub(super) async fn read(body: Body, too_large: &'static str) -> Result<Bytes, Problem> {
    let read = timeout(PATIENCE, to_bytes(body, MAX_BODY_BYTES)).await.map_err(|_| {
        let text = format_args!("the document did not come within {} s", PATIENCE.as_secs());
        Problem::new(StatusCode::REQUEST_TIMEOUT, "http.too_slow", text)
    })?;
    read.map_err(|error| {
        let text = format_args!("the document cannot be read whole: {error}");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, too_large, text)
    })
}

/// Sends a document on to a ledger and waits for its answer. Who does not wait any more gets the
/// same answer when sending it again.
pub(super) async fn sent(
    ledger: Opened,
    actor: &Actor,
    document: &[u8],
    trace: Option<TraceParent>,
) -> Result<Answered, Problem> {
    let client = ledger.client.ok_or_else(|| {
        let text = "this process follows the ledger and takes no commands; another one does";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "ledger.follows", text)
    })?;
    let reception = Reception::new(client, ledger.reading.vault.clone());
    let received = reception.receive(document, &actor.connection, trace);
    let mut answered = reception.decide(vec![received]).await;
    answered.pop().ok_or_else(|| Refusal::Broken("there is no answer".into()).into())
}

fn told(answered: Answered) -> Response {
    let Answered { outcome, body, trace } = answered;
    let status = status(&outcome);
    let json = HeaderValue::from_static("application/json");
    let mut response = (status, [(CONTENT_TYPE, json)], body).into_response();
    let headers = response.headers_mut();
    if may_come_again(status) {
        headers.insert(RETRY_AFTER, AGAIN);
    }
    if let Some(trace) = trace.and_then(|trace| HeaderValue::from_str(&trace.to_string()).ok()) {
        headers.insert(TRACE, trace);
    }
    response
}

/// The status that says of an answer what it is.
pub(super) fn status(outcome: &Result<Answer, Refusal>) -> StatusCode {
    match outcome {
        Ok(Answer::Accepted(_)) => StatusCode::OK,
        Ok(Answer::Rejected { refused, .. }) => rejected(refused),
        Ok(Answer::Failed { failure, .. }) if failure.retry() => StatusCode::SERVICE_UNAVAILABLE,
        Ok(Answer::Failed { .. }) => StatusCode::INTERNAL_SERVER_ERROR,
        Err(refusal) => refused(refusal),
    }
}

fn rejected(refused: &Refused) -> StatusCode {
    if let Refused::Bus(BusRejection::TooLarge { .. }) = refused {
        return StatusCode::PAYLOAD_TOO_LARGE;
    }
    if let Refused::Bus(BusRejection::IdReused { .. } | BusRejection::StreamChanged { .. }) =
        refused
    {
        return StatusCode::CONFLICT;
    }
    match refused.class() {
        Class::Malformed => StatusCode::BAD_REQUEST,
        Class::NotPermitted => StatusCode::FORBIDDEN,
        Class::Unknown | Class::AlreadyDone | Class::WrongState | Class::Terms | Class::Money => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}
