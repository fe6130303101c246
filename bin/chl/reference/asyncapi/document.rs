//! The document as a whole.

use super::{
    channels::{channels, operations},
    messages::messages,
};
use crate::reference::schemas::Schemas;
use serde_json::{Value, json};

/// What the document is about, for people.
const ABOUT: &str = "Commands, questions and events of a channel ledger over NATS. A command is \
    sent under its sender's own subject and answered once it is on disk; the same id may be sent \
    again as often as one likes and is done once.";

/// The document.
pub(in crate::reference) fn document() -> Value {
    let mut schemas = Schemas::default();
    let messages = messages(&mut schemas);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Channel Ledger",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": channels(),
        "operations": operations(),
        "components": { "messages": messages, "schemas": schemas.into_list() },
    })
}
