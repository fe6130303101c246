//! Showing: an answer as a viewer may see it.
//!
//! A partner learns of another's deal only that the slot is contested, and the conflict's id and
//! state; of a customer's stream neither version nor position, which would show others' activity.
//! Sealed texts are opened for those who may read them and else only named.

use crate::{
    answer::{Accepted, Answer},
    concern::{Concern, concern},
    rejection::{BusRejection, Refused},
    vault::Vault,
};
use chl_commands::Command;
use chl_events::{Event, PartnerId, RecordedEvent, Role, Sealed, Stream, conflict::ConflictEvent};
use serde_json::{Map, Value, json};

/// Who looks.
#[derive(Debug, Clone, Copy)]
pub struct Viewer<'a> {
    /// What the viewer is to the ledger.
    pub role: Role,
    /// The partner it belongs to, for role partner.
    pub partner: Option<&'a PartnerId>,
    /// What opens sealed texts.
    pub vault: Option<&'a Vault>,
}

impl Viewer<'_> {
    /// Whether texts of persons are opened for this role: for those who decide on them or audit.
    pub fn may_open(&self) -> bool {
        match self.role {
            Role::ChannelManager | Role::Finance | Role::Operator | Role::Auditor => true,
            Role::Partner | Role::Service | Role::Analyst | Role::Policy | Role::Clock => false,
        }
    }
}

/// An answer as one line of JSON, as far as the viewer may see it.
pub fn show(answer: &Answer, viewer: &Viewer<'_>) -> Result<String, serde_json::Error> {
    if viewer.role != Role::Partner {
        let plain = serde_json::to_string(answer)?;
        // Texts are rare, and looking into every answer for them is not cheap.
        if !holds_sealed(&plain) {
            return Ok(plain);
        }
    }
    let mut document = serde_json::to_value(answer)?;
    if let (Answer::Accepted(accepted), Role::Partner) = (answer, viewer.role) {
        hide_others(&mut document, accepted, viewer)?;
    }
    if let (Answer::Rejected { refused, .. }, Role::Partner) = (answer, viewer.role) {
        hide_holder(&mut document);
        hide_first_use(&mut document, refused);
    }
    show_texts(&mut document, viewer);
    serde_json::to_string(&document)
}

/// Whether an answer, as one line of JSON, may hold sealed texts; one that holds none never does.
pub fn holds_sealed(shown: &str) -> bool {
    shown.contains(r#""sealed":"#)
}

/// Shows the sealed texts anywhere in a document: opened where the viewer may read them and their
/// key exists, else as the key's name alone.
pub fn show_texts(document: &mut Value, viewer: &Viewer<'_>) {
    match document {
        Value::Object(fields) if fields.len() == 2 && fields.contains_key("ciphertext") => {
            *document = show_text(fields, viewer);
        }
        Value::Object(fields) => {
            fields.iter_mut().for_each(|(_, value)| show_texts(value, viewer));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| show_texts(value, viewer)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn show_text(fields: &Map<String, Value>, viewer: &Viewer<'_>) -> Value {
    let hidden = json!({ "sealed": fields.get("sealed") });
    let Some(vault) = viewer.vault.filter(|_| viewer.may_open()) else { return hidden };
    let Ok(sealed) = serde_json::from_value::<Sealed>(Value::Object(fields.clone())) else {
        return hidden;
    };
    match vault.open_text(&sealed) {
        Ok(Some(text)) => Value::String(text),
        Ok(None) => hidden,
        Err(error) => {
            tracing::warn!(%error, "a text could not be opened");
            hidden
        }
    }
}

fn hide_others(
    document: &mut Value,
    accepted: &Accepted,
    viewer: &Viewer<'_>,
) -> Result<(), serde_json::Error> {
    let Value::Object(fields) = document else { return Ok(()) };
    let commit = &accepted.commit;
    if matches!(commit.stream, Stream::Customer(_)) {
        fields.remove("position");
        fields.remove("version");
    }
    let own = Command::decode(&commit.command).ok().and_then(|command| named_deal(&command));
    let mut events = Vec::new();
    for event in &commit.events {
        events.extend(event_for(event, viewer.partner, own.as_deref())?);
    }
    fields.insert("events".into(), Value::Array(events));
    Ok(())
}

fn named_deal(command: &Command) -> Option<String> {
    let data = serde_json::to_value(command).ok()?;
    data.get("deal").and_then(Value::as_str).map(Into::into)
}

/// An event as a partner may see it; none when it concerns others alone.
///
/// `deal` is a deal of the partner's own: events on others are hidden.
pub fn event_for(
    recorded: &RecordedEvent,
    partner: Option<&PartnerId>,
    deal: Option<&str>,
) -> Result<Option<Value>, serde_json::Error> {
    let event = &recorded.event;
    let own = match concern(event) {
        Concern::Vendor => false,
        Concern::Sender => true,
        Concern::Partner(of) => partner == Some(of),
        Concern::Deal(of) => deal == Some(of.as_str()),
        Concern::Conflict(_) => true,
    };
    if !own {
        return Ok(None);
    }
    if let Event::Conflict(event) = event {
        return Ok(Some(conflict(event)));
    }
    let mut shown = serde_json::to_value(event)?;
    keep_own_share(&mut shown, partner);
    Ok(Some(shown))
}

/// Of what a deal is attributed to, a partner learns its own share.
fn keep_own_share(shown: &mut Value, partner: Option<&PartnerId>) {
    if let Some(Value::Array(shares)) = shown.pointer_mut("/data/shares") {
        let own = partner.map(PartnerId::as_str);
        shares.retain(|share| share.get("partner").and_then(Value::as_str) == own);
    }
}

/// Of a conflict: its id and state.
fn conflict(event: &ConflictEvent) -> Value {
    let (conflict, state) = match event {
        ConflictEvent::ConflictOpened(event) => (&event.conflict, "open"),
        ConflictEvent::ConflictEscalated(event) => (&event.conflict, "escalated"),
        ConflictEvent::ConflictResolved(event) => (&event.conflict, "resolved"),
        ConflictEvent::ConflictLapsed(event) => (&event.conflict, "lapsed"),
    };
    let name = Event::Conflict(event.clone()).kind().name;
    json!({ "type": name, "data": { "conflict": conflict, "state": state } })
}

/// Takes the holder of a slot out of a rejection.
fn hide_holder(document: &mut Value) {
    let Some(Value::Object(details)) = document.get_mut("details") else { return };
    if details.remove("guarded_by").is_some() {
        document["message"] = json!("the slot is guarded");
    }
}

/// Takes out where an id was used first: its position would show how much others do.
fn hide_first_use(document: &mut Value, refused: &Refused) {
    let Refused::Bus(BusRejection::IdReused { id, .. }) = refused else { return };
    document["details"] = json!({ "id": id });
    document["message"] = json!(format!("the id {id:?} was used with other content"));
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::vault::Place;
    use chl_events::Person;

    #[test]
    fn a_text_is_opened_only_for_those_who_may_read_it() {
        let vault = Vault::in_memory().unwrap();
        let person = Person::Actor("u-1".parse().unwrap());
        let place = Place { source: "/s", id: "1", field: "note" };
        let sealed = vault.seal(&person, place, "hello").unwrap();
        let (sealed_key, key) = (sealed.key, sealed.key.to_string());
        let document = json!({ "data": [{ "note": sealed }] });
        let seen_by = |role| {
            let mut document = document.clone();
            show_texts(&mut document, &Viewer { role, partner: None, vault: Some(&vault) });
            document
        };
        assert_eq!(seen_by(Role::Finance), json!({ "data": [{ "note": "hello" }] }));
        let hidden = json!({ "data": [{ "note": { "sealed": key } }] });
        assert_eq!(seen_by(Role::Analyst), hidden);
        vault.forget(&[sealed_key]).unwrap();
        assert_eq!(seen_by(Role::Finance), hidden);
    }
}
