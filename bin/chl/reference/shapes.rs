//! The shapes of documents, at whichever door they travel: commands and their answers, rows, events.

use super::schemas::Schemas;
use chl_commands::{CommandKind, MAX_SOURCE_CHARS};
use chl_events::{Event, EventKind, Role};
use schemars::Schema;
use serde_json::{Map, Value, json};

/// The form of a `traceparent` (W3C Trace Context).
pub(super) const TRACE_FORM: &str = "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}";

/// The names under which the envelopes are listed.
pub(super) const ENVELOPE: &str = "Envelope";
pub(super) const EVENT_ENVELOPE: &str = "EventEnvelope";

/// Lists the document of a command, and says under which name.
pub(super) fn command(kind: &CommandKind, schemas: &mut Schemas) -> String {
    let data = schemas.list(kind.name, (kind.schema)());
    let document = format!("{}Document", kind.name);
    let typed = json!({ "type": { "const": kind.name }, "data": data });
    schemas.put(&document, extended(ENVELOPE, typed, &["id", "type", "data"]));
    document
}

/// What a command does, on one line.
pub(super) fn does(kind: &CommandKind) -> String {
    kind.doc.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Who may send a command, and the area it belongs to.
pub(super) fn who(kind: &CommandKind) -> Value {
    let roles = Role::ALL.iter().filter(|role| kind.allows(**role)).map(|role| role.as_str());
    json!({ "x-roles": roles.collect::<Vec<_>>(), "x-area": kind.area })
}

/// Lists the document of an event, and says under which name.
pub(super) fn event(kind: EventKind, schema: Schema, schemas: &mut Schemas) -> String {
    let data = schemas.list(kind.name, schema);
    let document = format!("{}Document", kind.name);
    let typed = json!({ "type": { "const": kind.name }, "data": data });
    schemas.put(&document, extended(EVENT_ENVELOPE, typed, &["type", "data"]));
    document
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

/// The envelope of a command; `data` is strict, here every legal attribute may stand.
pub(super) fn envelope() -> Value {
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

/// What became of a command.
pub(super) fn answer() -> Value {
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

/// A piece of a read model.
pub(super) fn page() -> Value {
    json!({
        "type": "object",
        "required": ["view", "rows", "notes"],
        "properties": {
            "view": { "type": "string" },
            "position": { "type": "integer", "minimum": 0,
                "description": "The last position the rows stand for; not told to partners." },
            "recorded_at": { "type": "string", "format": "date-time",
                "description": "When that was recorded; not told to partners." },
            "rows": { "type": "array", "items": { "type": "object" } },
            "notes": { "type": "array", "items": { "type": "string" } },
            "next": { "type": "string",
                "description": "Where there are more rows: the `cursor` of the question for them." },
        },
    })
}

/// An event as one partner may see it.
pub(super) fn fed() -> Value {
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
pub(super) fn event_envelope() -> Value {
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
