//! `chl audit person`: what is held of a person.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Reading, commits_from},
    output::{Sheet, Sink},
    reads::{NOBODY, commit_json},
};
use chl_bus::{LEDGER_SOURCE, destroyed_by};
use chl_events::{Commit, Instant, KeyId, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Lists what is held of a person: where texts of theirs stand in the log, and their keys.
///
/// A text is named by the field of the commit it stands in, as `chl log view` shows it, and by the
/// key it is sealed under. A key that was destroyed leaves its texts closed for ever. Beside this the
/// log holds the person's pseudonym, in what they did.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct HeldOf {
    /// The person: actor/ID for who writes, partner/ID for a partner that is a natural person.
    person: Person,
}

const TEXTS: &[&str] = &["position", "recorded_at", "command", "field", "key"];
const KEYS: &[&str] =
    &["key", "texts", "first_text", "first_text_at", "destroyed", "forgotten", "forgotten_at"];

/// What is known of a key.
#[derive(Debug, Default)]
struct Known {
    texts: u64,
    /// The first commit that holds a text under it: where, and when it was recorded.
    first: Option<(u64, Instant)>,
    /// The commit that says it is destroyed.
    forgotten: Option<(u64, Instant)>,
}

type Keys = BTreeMap<KeyId, Known>;

impl HeldOf {
    /// Lists it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let unreadable = "the vault cannot be read";
        let mut keys = Keys::new();
        if let Some(vault) = &ledger.vault {
            let there = vault.keys_of(&self.person).or_exit(Exit::Unavailable, unreadable)?;
            keys.extend(there.into_iter().map(|key| (key, Known::default())));
        }
        let sheet = Sheet::new("texts", TEXTS);
        sink.begin(&sheet)?;
        for commit in commits_from(ledger.log.as_ref(), 0)? {
            let commit = commit?;
            for (field, key) in self.texts(&commit, &mut keys)? {
                sink.row(sheet.values(json!({
                    "position": commit.position, "recorded_at": commit.recorded_at,
                    "command": command(&commit), "field": field, "key": key,
                })))?;
            }
        }
        if keys.is_empty() {
            return Err(Failure::usage(format_args!(
                "nothing is held of {}: there is no key of theirs, and no text in the log",
                self.person
            )));
        }
        let sheet = Sheet::new("keys", KEYS);
        sink.begin(&sheet)?;
        for (key, known) in &keys {
            let there = ledger.vault.as_ref().map(|vault| vault.has(*key)).transpose();
            let there = there.or_exit(Exit::Unavailable, unreadable)?;
            let at = |when: Option<(u64, Instant)>| (when.map(|at| at.0), when.map(|at| at.1));
            let ((first, first_at), (forgotten, forgotten_at)) =
                (at(known.first), at(known.forgotten));
            sink.row(sheet.values(json!({
                "key": key, "texts": known.texts, "first_text": first, "first_text_at": first_at,
                "destroyed": there.map(|there| !there),
                "forgotten": forgotten, "forgotten_at": forgotten_at,
            })))?;
        }
        Ok(Exit::Success)
    }

    /// The texts of the person in a commit: their fields and keys. Keys that were not known yet are
    /// known from here on.
    fn texts(&self, commit: &Commit, keys: &mut Keys) -> Outcome<Vec<(String, KeyId)>> {
        let at = (commit.position, commit.recorded_at);
        for key in destroyed_by(commit) {
            if let Some(known) = keys.get_mut(&key) {
                known.forgotten = Some(at);
            }
        }
        if !self.may_hold(commit, keys)? {
            return Ok(Vec::new());
        }
        let mut texts = Vec::new();
        let shown = commit_json(commit, &NOBODY)?;
        sealed_in(&shown, String::new(), &mut texts);
        for (field, key) in &texts {
            if whose(commit, &shown, field).as_ref() == Some(&self.person) {
                keys.entry(*key).or_default();
            }
        }
        texts.retain(|(_, key)| match keys.get_mut(key) {
            Some(known) => {
                known.texts += 1;
                known.first.get_or_insert(at);
                true
            }
            None => false,
        });
        Ok(texts)
    }

    /// Whether a look at the commit is worth it: most are of others, and hold none of the keys.
    fn may_hold(&self, commit: &Commit, keys: &Keys) -> Outcome<bool> {
        let own = match &self.person {
            Person::Actor(actor) => author(commit) == actor,
            Person::Partner(partner) => commit.stream.to_string() == format!("partner/{partner}"),
        };
        if own || keys.is_empty() {
            return Ok(own);
        }
        let bytes = commit.encode().or_exit(Exit::Internal, "a commit cannot be read")?;
        Ok(keys.keys().any(|key| bytes.windows(key.0.len()).any(|part| part == key.0)))
    }
}

fn author(commit: &Commit) -> &chl_events::ActorId {
    commit.origin.on_behalf_of.as_ref().unwrap_or(&commit.origin.actor)
}

fn command(commit: &Commit) -> &'static str {
    chl_commands::Command::kind_tagged(commit.command.tag).map_or("", |kind| kind.name)
}

/// Whose text stands in a field: a person's name is that partner's, everything else the author's.
/// Of a text that an event repeats the command tells it.
fn whose(commit: &Commit, shown: &Value, field: &str) -> Option<Person> {
    let own = commit.origin.source == LEDGER_SOURCE;
    match field {
        "data.name" => shown.pointer("/data/partner")?.as_str()?.parse().ok().map(Person::Partner),
        _ if own || !field.starts_with("events") => Some(Person::Actor(author(commit).clone())),
        _ => None,
    }
}

/// The fields of a document that hold a sealed text, with its key.
fn sealed_in(value: &Value, path: String, to: &mut Vec<(String, KeyId)>) {
    let below = |name: &str| if path.is_empty() { name.into() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) => {
            let key = fields.get("sealed").filter(|_| fields.len() == 1);
            if let Some(Ok(key)) = key.map(KeyId::deserialize) {
                to.push((path, key));
                return;
            }
            fields.iter().for_each(|(name, value)| sealed_in(value, below(name), to));
        }
        Value::Array(values) => {
            let values = values.iter().enumerate();
            values.for_each(|(at, value)| sealed_in(value, format!("{path}[{at}]"), to));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
