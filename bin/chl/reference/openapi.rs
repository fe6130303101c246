//! `docs/openapi.json`: what a ledger speaks over HTTP, as an OpenAPI 3.1 document, made of the
//! catalogs of commands and events and of what a question may ask.

use super::{
    schemas::Schemas,
    shapes::{self, TRACE_FORM, joined},
};
use crate::reads::{Asked, view_names};
use chl_commands::Command;
use schemars::schema_for;
use serde_json::{Map, Value, json};

/// What the document is about, for people.
const ABOUT: &str = "Commands, questions and events of a channel ledger over HTTP. A command is \
    answered once it is on disk; the same id may be sent again as often as one likes and is done \
    once. Who calls says the bearer token; a partner sees its own alone.";

/// The statuses a command can be answered with besides 200, and what each says.
const OUTCOMES: &[(&str, &str)] = &[
    ("400", "The document is no command; the message names the place."),
    ("403", "The caller may not send this."),
    ("409", "The id was used with other content, or the stream has another version."),
    ("413", "More than 32 KiB."),
    ("422", "The business answer is no."),
    ("500", "The ledger cannot decide it; it must not be sent again."),
    ("503", "Not now; the same document may be sent again."),
];

/// The document.
pub(crate) fn document() -> Value {
    let mut schemas = Schemas::default();
    let commands = commands(&mut schemas);
    let question = question(&mut schemas);
    schemas.put("Answer", shapes::answer());
    schemas.put("Page", shapes::page());
    schemas.put("Fed", shapes::fed());
    schemas.put("Problem", problem());
    schemas.put(shapes::EVENT_ENVELOPE, shapes::event_envelope());
    let views: Vec<&str> = view_names().collect();
    let view = json!({ "name": "view", "in": "path", "required": true,
        "schema": { "enum": views }, "description": "The read model." });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Channel Ledger",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "bearer": [] }],
        "paths": {
            "/health/live": { "get": monitored("live", "Whether the process runs.") },
            "/health/ready": { "get": monitored("ready", "Whether each ledger is answered for.") },
            "/metrics": { "get": monitored("metrics", "What was counted, as Prometheus text.") },
            "/v1/commands": { "post": commands },
            "/v1/events": { "get": events() },
            "/v1/changes": { "get": changes() },
            "/v1/openapi.json": { "get": described() },
            "/v1/{view}": { "get": rows(question, view) },
        },
        "components": {
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas.into_list(),
        },
    })
}

fn at(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn content(kind: &str, schema: Value) -> Value {
    json!({ kind: { "schema": schema } })
}

fn answered(says: &str, kind: &str, schema: Value) -> Value {
    json!({ "description": says, "content": content(kind, schema) })
}

/// The responses of an operation: what it gives, and the problems that every one can have.
fn responses(own: Value) -> Value {
    let told = |says: &str| answered(says, "application/problem+json", at("Problem"));
    let problems = json!({
        "401": told("No bearer token, or nobody's."),
        "429": told("More than the caller's quota; again after Retry-After seconds."),
    });
    joined(problems, own)
}

fn which_ledger() -> Value {
    json!({ "name": "ledger", "in": "query", "schema": { "type": "string" },
        "description": "Which ledger, where the process serves several." })
}

fn trace(place: &str) -> Value {
    let schema = json!({ "type": "string", "pattern": TRACE_FORM });
    let does = "The trace it belongs to (W3C Trace Context).";
    match place {
        "header" => json!({ "name": "traceparent", "in": "header", "schema": schema,
            "description": does }),
        _ => json!({ "schema": schema, "description": does }),
    }
}

fn waits() -> Value {
    json!({ "name": "wait", "in": "query", "schema": { "type": "array", "items": { "type": "string" } },
        "description": "Read models whose file is to hold what is answered before the answer leaves." })
}

fn commands(schemas: &mut Schemas) -> Value {
    schemas.put(shapes::ENVELOPE, shapes::envelope());
    let mut documents = Vec::new();
    let mut by_type = Map::new();
    for kind in Command::kinds() {
        let name = shapes::command(kind, schemas);
        by_type.insert(kind.name.to_owned(), json!(format!("#/components/schemas/{name}")));
        documents.push(at(&name));
    }
    let one = json!({ "oneOf": documents,
        "discriminator": { "propertyName": "type", "mapping": by_type } });
    let answer = |says: &str| answered(says, "application/json", at("Answer"));
    let accepted = joined(
        answer("It is in the ledger, on disk; now, or already before."),
        json!({ "headers": { "traceparent": trace("answer") } }),
    );
    let refused = OUTCOMES.iter().map(|(status, says)| ((*status).to_owned(), answer(says)));
    let outcomes: Map<String, Value> = refused.chain([("200".to_owned(), accepted)]).collect();
    json!({
        "operationId": "sendCommand",
        "summary": "Sends a command and waits for its answer.",
        "parameters": [waits(), which_ledger(), trace("header")],
        "requestBody": { "required": true, "content": {
            "application/json": { "schema": one },
            "application/cloudevents+json": { "schema": one },
        }},
        "responses": responses(Value::Object(outcomes)),
    })
}

/// The parameters of a question, as it is read.
fn question(schemas: &mut Schemas) -> Vec<Value> {
    let mut asked = Value::from(schema_for!(Asked));
    let mut take = |field: &str| asked.get_mut(field).map(Value::take).unwrap_or_default();
    if let Value::Object(parts) = take("$defs") {
        for (name, part) in parts {
            schemas.put(&name, part);
        }
    }
    let Value::Object(properties) = take("properties") else { return Vec::new() };
    let parameter = |(name, mut schema): (String, Value)| {
        let own = schema.as_object_mut();
        let does = own.and_then(|own| {
            own.remove("default");
            own.remove("description")
        });
        super::schemas::point_to_the_list(&mut schema);
        json!({ "name": name, "in": "query", "schema": schema, "description": does })
    };
    properties.into_iter().map(parameter).chain([which_ledger()]).collect()
}

fn rows(question: Vec<Value>, view: Value) -> Value {
    let known = json!({ "name": "If-None-Match", "in": "header", "schema": { "type": "string" },
        "description": "Tags of answers the caller has." });
    let told = |says: &str| answered(says, "application/problem+json", at("Problem"));
    let page = joined(
        answered(
            "The rows, as `chl query --output json` gives them.",
            "application/json",
            at("Page"),
        ),
        json!({ "headers": { "ETag": { "schema": { "type": "string" } } } }),
    );
    let parameters: Vec<Value> = [view].into_iter().chain(question).chain([known]).collect();
    json!({
        "operationId": "queryView",
        "summary": "Asks a read model.",
        "parameters": parameters,
        "responses": responses(json!({
            "200": page,
            "304": { "description": "As the tag says." },
            "400": told("A parameter that cannot be, by its name."),
            "403": told("The caller may not ask this."),
            "404": told("There is no such read model or ledger."),
            "503": told("Not now; again after Retry-After seconds."),
        })),
    })
}

fn streamed(id: &str, summary: &str, says: &str, parameters: Value) -> Value {
    let told = |says: &str| answered(says, "application/problem+json", at("Problem"));
    json!({
        "operationId": id,
        "summary": summary,
        "parameters": parameters,
        "responses": responses(json!({
            "200": answered(says, "text/event-stream", json!({ "type": "string" })),
            "400": told("The place to begin at is none."),
            "403": told("The caller may not follow this."),
            "404": told("There is no such ledger."),
            "503": told("Too many follow, or the ledger is not open; again after Retry-After."),
        })),
    })
}

fn events() -> Value {
    let last = json!({ "name": "Last-Event-ID", "in": "header", "schema": { "type": "string" },
        "description": "The id of the last event the caller has: the stream goes on behind it." });
    let from = json!({ "name": "from", "in": "query", "schema": { "type": "string" },
        "description": "`start`, `now` (without it), or, except for partners, a position." });
    let says = "Server-sent events: the type in `event`, the place in `id`, and in `data` a \
        CloudEvent (EventEnvelope; for a partner Fed).";
    let summary = "Follows what is recorded, in order, as far as the caller may see it.";
    streamed("followEvents", summary, says, json!([last, from, which_ledger()]))
}

fn changes() -> Value {
    let says = "Server-sent events of type `moved`, whose `data` is `{\"position\": …}`.";
    let summary = "Follows the position, to look again when something was recorded.";
    streamed("followChanges", summary, says, json!([which_ledger()]))
}

fn described() -> Value {
    json!({
        "operationId": "describe",
        "summary": "This document.",
        "responses": responses(json!({
            "200": answered("This document.", "application/json", json!({ "type": "object" })),
        })),
    })
}

fn monitored(id: &str, summary: &str) -> Value {
    json!({
        "operationId": id,
        "summary": summary,
        "security": [],
        "responses": {
            "200": { "description": "It is so." },
            "503": { "description": "It is not." },
        },
    })
}

fn problem() -> Value {
    let text = |does: &str| json!({ "type": "string", "description": does });
    json!({
        "type": "object",
        "description": "RFC 9457.",
        "required": ["type", "title", "status", "code", "detail"],
        "properties": {
            "type": text("about:blank"),
            "title": text("The status in words."),
            "status": { "type": "integer" },
            "code": text("The stable code of the rule."),
            "detail": text("What is wrong, for people."),
        },
    })
}
