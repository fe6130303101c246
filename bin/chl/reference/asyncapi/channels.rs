//! The subjects: each with its parameters, what travels on it, and what the ledger does there.

use super::messages::{ANSWER, FED, FEED_QUESTION, PARKED, QUESTION, RESULT, ROWS};
use crate::{nats::FEED, reads::view_names, reference::shapes::joined};
use chl_commands::Command;
use chl_events::Event;
use serde_json::{Map, Value, json};

/// What travels on a channel.
enum Travels {
    Commands,
    Events,
    These(&'static [&'static str]),
}

/// A channel: its name, subject, what it is, what travels on it.
type Channel = (&'static str, Option<&'static str>, &'static str, Travels);

/// Every channel, as `docs/bus.md` has it.
const CHANNELS: &[Channel] = &[
    (
        "commands",
        Some("chl.{ledger}.as.{actor}.cmd.{command}"),
        "A command, answered by reply.",
        Travels::Commands,
    ),
    (
        "queries",
        Some("chl.{ledger}.as.{actor}.query.{view}"),
        "A question to a read model, answered by reply.",
        Travels::These(&[QUESTION, FEED_QUESTION]),
    ),
    (
        "queue",
        Some("chl.{ledger}.as.{actor}.queue.{command}"),
        "A command to publish and go: kept on disk until it is decided.",
        Travels::Commands,
    ),
    (
        "results",
        Some("chl.{ledger}.as.{actor}.result.{command}"),
        "The answers to commands of the queue, kept for seven days.",
        Travels::These(&[RESULT]),
    ),
    (
        "parked",
        Some("chl.{ledger}.parked.{actor}.{command}"),
        "What came through the queue and is no command.",
        Travels::These(&[PARKED]),
    ),
    (
        "events",
        Some("chl.{ledger}.event.{event}.{stream}"),
        "What was recorded, in the order of the log.",
        Travels::Events,
    ),
    (
        "feeds",
        Some("chl.{ledger}.partner.{partner}.{event}"),
        "What was recorded and concerns one partner, as far as it may see it.",
        Travels::These(&[FED]),
    ),
    (
        "trusted",
        Some("chl.{ledger}.cmd.{command}"),
        "A command whose claims are believed; only with --trust-bus.",
        Travels::Commands,
    ),
    ("answers", None, "The inbox a request names.", Travels::These(&[ANSWER])),
    ("rows", None, "The inbox a question names.", Travels::These(&[ROWS])),
];

/// What the ledger does: its name, whether it receives or sends, the channel, the channel of the
/// reply.
const OPERATIONS: &[(&str, &str, &str, Option<&str>)] = &[
    ("decide", "receive", "commands", Some("answers")),
    ("decideTrusted", "receive", "trusted", Some("answers")),
    ("answerQuestion", "receive", "queries", Some("rows")),
    ("decideQueued", "receive", "queue", None),
    ("keepResult", "send", "results", None),
    ("park", "send", "parked", None),
    ("publishEvent", "send", "events", None),
    ("feedPartner", "send", "feeds", None),
];

/// The channels, by name.
pub(super) fn channels() -> Map<String, Value> {
    let one = |(name, address, does, travels): &Channel| {
        let channel = json!({
            "address": address,
            "description": does,
            "parameters": address.map(parameters).unwrap_or_default(),
            "messages": travels.messages(),
        });
        ((*name).to_owned(), channel)
    };
    CHANNELS.iter().map(one).collect()
}

impl Travels {
    fn names(&self) -> Vec<&'static str> {
        match self {
            Self::Commands => Command::kinds().map(|kind| kind.name).collect(),
            Self::Events => Event::kinds().map(|kind| kind.name).collect(),
            Self::These(names) => names.to_vec(),
        }
    }

    fn messages(&self) -> Map<String, Value> {
        let at = |name: &str| json!({ "$ref": format!("#/components/messages/{name}") });
        self.names().into_iter().map(|name| (name.to_owned(), at(name))).collect()
    }
}

/// The parameters that stand in an address.
fn parameters(address: &str) -> Map<String, Value> {
    let names = address.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    names.map(|name| (name.to_owned(), parameter(name))).collect()
}

fn parameter(name: &str) -> Value {
    let of = |does: &str, known: Vec<&str>| json!({ "description": does, "enum": known });
    match name {
        "ledger" => json!({ "description": "The ledger's name.", "default": "main" }),
        "actor" => json!({ "description": "Who sends; the servers' permissions guard it." }),
        "view" => of("A read model; a partner's feed.", view_names().chain([FEED]).collect()),
        "partner" => json!({ "description": "Whose feed it is; permissions guard it." }),
        "command" => of("The command's type.", Travels::Commands.names()),
        "event" => of("The event's type.", Travels::Events.names()),
        _ => json!({ "description": "The stream's name, a token for each of its parts." }),
    }
}

/// The operations, by name.
pub(super) fn operations() -> Map<String, Value> {
    let at = |channel: &str| json!({ "$ref": format!("#/channels/{channel}") });
    let one = |(name, action, channel, reply): &(&str, &str, &str, Option<&str>)| {
        let operation = json!({ "action": action, "channel": at(channel) });
        let reply = reply.map(|reply| json!({ "reply": { "channel": at(reply) } }));
        ((*name).to_owned(), joined(operation, reply.unwrap_or_default()))
    };
    OPERATIONS.iter().map(one).collect()
}
