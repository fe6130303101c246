//! What travels: commands and their answers, questions and theirs, results, events.

use super::schemas::Schemas;
use crate::{nats::AskedOfFeed, reads::Asked};
use chl_bus_nats::{DEADLINE, REPLY_TO, TRACE};
use chl_commands::{Command, CommandKind, MAX_SOURCE_CHARS};
use chl_events::{Event, EventKind, Role};
use schemars::{Schema, schema_for};
use serde_json::{Map, Value, json};

/// The form of a `traceparent` (W3C Trace Context).
const TRACE_FORM: &str = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}";

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
    schemas.put("Envelope", envelope());
    for kind in Command::kinds() {
        all.insert(kind.name.to_owned(), command(kind, schemas));
    }
    schemas.put("Answer", answer());
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
    schemas.put(FED, fed());
    let told = "What concerns a partner: nothing in it shows others' doings.";
    all.insert(FED.into(), message(FED, told, "EventHeaders", FED));
    schemas.put("EventHeaders", event_headers());
    schemas.put("EventEnvelope", event_envelope());
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
    let data = schemas.list(kind.name, (kind.schema)());
    let document = format!("{}Document", kind.name);
    let typed = json!({ "type": { "const": kind.name }, "data": data });
    schemas.put(&document, extended("Envelope", typed, &["id", "type", "data"]));
    let does = kind.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = message(kind.name, &does, "CommandHeaders", &document);
    let roles = Role::ALL.iter().filter(|role| kind.allows(**role)).map(|role| role.as_str());
    let own = json!({ "x-roles": roles.collect::<Vec<_>>(), "x-area": kind.area });
    joined(message, own)
}

fn event(kind: EventKind, schema: Schema, schemas: &mut Schemas) -> Value {
    let data = schemas.list(kind.name, schema);
    let document = format!("{}Document", kind.name);
    let typed = json!({ "type": { "const": kind.name }, "data": data });
    schemas.put(&document, extended("EventEnvelope", typed, &["type", "data"]));
    message(kind.name, "What was recorded.", "EventHeaders", &document)
}

/// An object with the fields of another one, too.
pub(super) fn joined(object: Value, more: Value) -> Value {
    let fields = |value: Value| match value {
        Value::Object(fields) => fields,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    fields(object).into_iter().chain(fields(more)).collect()
}

fn extended(base: &str, properties: Value, required: &[&str]) -> Value {
    let own = json!({ "type": "object", "properties": properties, "required": required });
    json!({ "allOf": [{ "$ref": format!("#/components/schemas/{base}") }, own] })
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

/// The envelope of a command; `data` is strict, here every legal attribute may stand.
fn envelope() -> Value {
    let key = |does: &str| {
        json!({ "type": "string", "minLength": 1, "maxLength": MAX_SOURCE_CHARS,
            "description": does })
    };
    let text = |does: &str| json!({ "type": "string", "description": does });
    let instant = json!({ "type": "string", "format": "date-time",
        "description": "When it happened; believed only from operators." });
    json!({
        "type": "object",
        "description": "CloudEvents 1.0, structured, at most 32 KiB.",
        "properties": {
            "specversion": { "const": "1.0" },
            "id": key("With `source` the idempotency key, for ever."),
            "source": key("Where it comes from; without it the actor's first source."),
            "time": instant,
            "actor": text("Who sends it; the subject decides, a claim that differs is refused."),
            "role": { "enum": Role::ALL.iter().map(|role| role.as_str()).collect::<Vec<_>>() },
            "partner": text("The partner the sender belongs to."),
            "level": { "type": "integer", "minimum": 0, "maximum": u8::MAX },
            "onbehalfof": text("In whose name, from operators and services."),
            "expectedversion": { "type": "integer", "minimum": 0 },
            "backfill": { "type": "boolean" },
            "reason": text("Why, in words; sealed."),
            "correlationid": key("Kept with the commit."),
            "causationid": key("Kept with the commit."),
            "traceparent": { "type": "string", "pattern": TRACE_FORM },
        },
    })
}

fn answer() -> Value {
    let id = json!({ "type": ["string", "null"] });
    let recorded = json!({ "type": "object", "required": ["type", "data"], "properties": {
        "type": { "enum": Event::kinds().map(|kind| kind.name).collect::<Vec<_>>() },
        "data": { "type": "object" },
    }});
    let one = |outcome: &str, mut fields: Map<String, Value>, required: &[&str]| {
        fields.insert("id".into(), id.clone());
        fields.insert("outcome".into(), json!({ "const": outcome }));
        let required: Vec<&str> = ["id", "outcome"].iter().chain(required).copied().collect();
        json!({ "type": "object", "properties": fields, "required": required })
    };
    let fields = |value: Value| value.as_object().cloned().unwrap_or_default();
    let accepted = fields(json!({
        "duplicate": { "type": "boolean" },
        "position": { "type": ["integer", "null"], "description": "Hidden from partners on streams they share." },
        "stream": { "type": "string" },
        "version": { "type": "integer", "description": "Hidden like the position." },
        "recorded_at": { "type": "string", "format": "date-time" },
        "events": { "type": "array", "items": recorded },
    }));
    let refused = json!({ "code": { "type": "string" }, "message": { "type": "string" } });
    let with = |name: &str, schema: Value| {
        let mut refused = fields(refused.clone());
        refused.insert(name.to_owned(), schema);
        refused
    };
    let details = with("details", json!({ "type": "object" }));
    let retry = with("retry", json!({ "type": "boolean" }));
    json!({ "oneOf": [
        one("accepted", accepted, &["duplicate", "stream", "recorded_at", "events"]),
        one("rejected", details, &["code", "message", "details"]),
        one("failed", retry, &["code", "message", "retry"]),
    ]})
}

/// Rows, events of a feed, or a refusal in the form every answer has.
fn rows() -> Value {
    json!({ "oneOf": [
        {
            "type": "object",
            "required": ["view", "rows", "notes"],
            "properties": {
                "view": { "type": "string" },
                "rows": { "type": "array", "items": { "type": "object" } },
                "notes": { "type": "array", "items": { "type": "string" } },
            },
        },
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

/// An event as one partner may see it.
fn fed() -> Value {
    let text = |does: &str| json!({ "type": "string", "description": does });
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text("Stays the same whenever it leaves, and is no number."),
            "source": text("/chl/LEDGER"),
            "type": { "enum": Event::kinds().map(|kind| kind.name).collect::<Vec<_>>() },
            "subject": text("The stream, or of a conflict its id."),
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "const": "application/json" },
            "effectiveon": { "type": "string", "format": "date" },
            "actor": text("Of the partner's own commands: who acted."),
            "commandid": text("Of the partner's own commands: the id."),
            "commandsource": text("Of the partner's own commands: the source."),
            "correlationid": { "type": ["string", "null"] },
            "data": { "type": "object" },
        },
    })
}

/// The envelope of an event.
fn event_envelope() -> Value {
    let text = |does: &str| json!({ "type": "string", "description": does });
    let instant = json!({ "type": "string", "format": "date-time" });
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "position", "data"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": text("Position and index, such as 1841.0: nobody takes one twice."),
            "source": text("/chl/LEDGER"),
            "subject": text("The stream of the ledger it is on."),
            "time": instant,
            "datacontenttype": { "const": "application/json" },
            "position": { "type": "integer", "minimum": 0 },
            "streamversion": { "type": "integer", "minimum": 1 },
            "effectiveon": { "type": "string", "format": "date" },
            "recordedtime": instant,
            "actor": text("Who acted."),
            "commandid": text("The id of the command."),
            "commandsource": text("The source of the command."),
            "correlationid": { "type": ["string", "null"] },
            "traceparent": { "type": "string", "pattern": TRACE_FORM,
                "description": "The trace of the command, where the publishing node took it." },
        },
    })
}
