//! Commands: one document in, its answer out, with a status that says the same.

use super::{
    behind::Behind,
    caller::Caller,
    problem::{AGAIN, Problem, may_come_again, refused},
    standing::Opened,
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
use std::time::Duration;
use tokio::time::timeout;

/// No more of a document is read: the ledger refuses one above 32 KiB, and says so.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How long a document may take to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Names the trace a command belongs to (W3C Trace Context), on its way in and out.
const TRACE: HeaderName = HeaderName::from_static("traceparent");

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
    let document = read(body, "command.too_large").await?;
    let trace = headers.get(TRACE).and_then(|trace| trace.to_str().ok()?.parse().ok());
    let answered = sent(ledger, &actor, &document, trace).await?;
    drop(place);
    Ok(told(answered))
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
