//! What travels: commands and their answers, questions and theirs, results, events.

use crate::{
    nats::AskedOfFeed,
    reads::Asked,
    reference::{
        schemas::Schemas,
        shapes::{self, TRACE_FORM, joined},
    },
};
use chl_bus_nats::{DEADLINE, REPLY_TO, TRACE};
use chl_commands::{Command, CommandKind};
use chl_events::{Event, EventKind};
use schemars::{Schema, schema_for};
use serde_json::{Map, Value, json};

/// The names of messages that are not a type's own.
pub(super) const ANSWER: &str = "Answer";
pub(super) const RESULT: &str = "Result";
pub(super) const PARKED: &str = "Parked";
pub(super) const QUESTION: &str = "Question";
pub(super) const FEED_QUESTION: &str = "FeedQuestion";
pub(super) const ROWS: &str = "Rows";
pub(super) const FED: &str = "Fed";

/// The messages of a document, by name, and the schemas they need.
pub(super) fn messages(schemas: &mut Schemas) -> Map<String, Value> {
    let mut all = Map::new();
    schemas.put("CommandHeaders", command_headers());
    schemas.put("Traced", headers(&[trace()]));
    schemas.put(shapes::ENVELOPE, shapes::envelope());
    for kind in Command::kinds() {
        all.insert(kind.name.to_owned(), command(kind, schemas));
    }
    schemas.put(ANSWER, shapes::answer());
    let answered = "What became of a command. `failed` with `retry` may be sent again.";
    all.insert(ANSWER.into(), message(ANSWER, answered, "Traced", "Answer"));
    let kept = "The answer to a command of the queue.";
    all.insert(RESULT.into(), message(RESULT, kept, "Traced", "Answer"));
    schemas.put("ParkedHeaders", parked_headers());
    schemas.put("Anything", json!({ "description": "As it was sent." }));
    let parked = "What came through the queue and is no command, with the reason in its headers.";
    all.insert(PARKED.into(), message(PARKED, parked, "ParkedHeaders", "Anything"));
    schemas.list("Question", schema_for!(Asked));
    all.insert(
        QUESTION.into(),
        message(QUESTION, "The filters of a question.", "Traced", QUESTION),
    );
    schemas.list(FEED_QUESTION, schema_for!(AskedOfFeed));
    let missed = "What a partner asks of its feed, as `query.feed`.";
    all.insert(FEED_QUESTION.into(), message(FEED_QUESTION, missed, "Traced", FEED_QUESTION));
    schemas.put("Rows", rows());
    all.insert(ROWS.into(), message(ROWS, "The answer to a question.", "Traced", ROWS));
    schemas.put(FED, shapes::fed());
    let told = "What concerns a partner: nothing in it shows others' doings.";
    all.insert(FED.into(), message(FED, told, "EventHeaders", FED));
    schemas.put("EventHeaders", event_headers());
    schemas.put(shapes::EVENT_ENVELOPE, shapes::event_envelope());
    for (kind, schema) in Event::schemas() {
        all.insert(kind.name.to_owned(), event(kind, schema, schemas));
    }
    all
}

fn message(name: &str, summary: &str, headers: &str, payload: &str) -> Value {
    let at = |schema: &str| json!({ "$ref": format!("#/components/schemas/{schema}") });
    json!({
        "name": name,
        "summary": summary,
        "contentType": "application/json",
        "headers": at(headers),
        "payload": at(payload),
    })
}

fn command(kind: &CommandKind, schemas: &mut Schemas) -> Value {
    let document = shapes::command(kind, schemas);
    let message = message(kind.name, &shapes::does(kind), "CommandHeaders", &document);
    joined(message, shapes::who(kind))
}

fn event(kind: EventKind, schema: Schema, schemas: &mut Schemas) -> Value {
    let document = shapes::event(kind, schema, schemas);
    message(kind.name, "What was recorded.", "EventHeaders", &document)
}

fn headers(of: &[(&str, Value)]) -> Value {
    let fields: Map<String, Value> =
        of.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "properties": fields })
}

fn trace() -> (&'static str, Value) {
    let does = "The trace it belongs to (W3C Trace Context); one in the document counts before it.";
    (TRACE, json!({ "type": "string", "pattern": TRACE_FORM, "description": does }))
}

fn command_headers() -> Value {
    let until = "Until when the sender waits; a command that is late is not decided.";
    let inbox = "Queue only: an inbox to be answered at as well.";
    headers(&[
        (DEADLINE, json!({ "type": "string", "format": "date-time", "description": until })),
        (REPLY_TO, json!({ "type": "string", "pattern": "^_INBOX\\.", "description": inbox })),
        trace(),
    ])
}

fn parked_headers() -> Value {
    headers(&[
        ("Chl-Code", json!({ "type": "string", "description": "The stable code." })),
        ("Chl-Message", json!({ "type": "string", "description": "The same for people." })),
        trace(),
    ])
}

fn event_headers() -> Value {
    let id = "The id again, by which a stream takes an event once.";
    headers(&[("Nats-Msg-Id", json!({ "type": "string", "description": id }))])
}

/// Rows, events of a feed, or a refusal in the form every answer has.
fn rows() -> Value {
    json!({ "oneOf": [
        shapes::page(),
        {
            "type": "object",
            "required": ["events", "more"],
            "properties": {
                "events": { "type": "array", "items": { "$ref": "#/components/schemas/Fed" } },
                "more": { "type": "boolean" },
            },
        },
        {
            "type": "object",
            "required": ["outcome", "code", "message"],
            "properties": {
                "outcome": { "enum": ["rejected", "failed"] },
                "code": { "type": "string" },
                "message": { "type": "string" },
                "retry": { "type": "boolean" },
            },
        },
    ]})
}
