//! Events on their way out: each as a CloudEvent, under an id that says where it stands in the log.

use crate::{
    show::{Viewer, show_texts},
    trace::TraceParent,
};
use chl_events::{Commit, RecordedEvent, Role};
use serde_json::{Value, json};
use std::{fmt, str::FromStr};

/// Where an event stands: the position of its commit and its index there. As text it is the event's
/// id, so that nobody takes one twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventAt {
    /// The commit's position.
    pub position: u64,
    /// The event's index in the commit.
    pub index: usize,
}

/// Says that a text is no id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no id of an event such as 1841.0")]
pub struct NoEventId;

impl EventAt {
    /// Where the first event of a commit stands.
    pub fn first_of(position: u64) -> Self {
        Self { position, index: 0 }
    }

    /// The next place in the same commit.
    #[must_use]
    pub fn behind(self) -> Self {
        Self { index: self.index.saturating_add(1), ..self }
    }
}

impl fmt::Display for EventAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.position, self.index)
    }
}

impl FromStr for EventAt {
    type Err = NoEventId;

    fn from_str(text: &str) -> Result<Self, NoEventId> {
        let (position, index) = text.split_once('.').ok_or(NoEventId)?;
        let position = position.parse().map_err(|_| NoEventId)?;
        Ok(Self { position, index: index.parse().map_err(|_| NoEventId)? })
    }
}

/// An event as a CloudEvent for those who may hear all; texts of persons stay sealed.
pub fn event_document(
    ledger: &str,
    at: EventAt,
    commit: &Commit,
    (recorded, trace): (&RecordedEvent, Option<TraceParent>),
) -> Result<Value, serde_json::Error> {
    let mut shown = serde_json::to_value(&recorded.event)?;
    let nobody = Viewer { role: Role::Analyst, partner: None, vault: None };
    show_texts(&mut shown, &nobody);
    let mut document = json!({
        "specversion": "1.0",
        "id": at.to_string(),
        "source": format!("/chl/{ledger}"),
        "type": shown.get("type"),
        "subject": commit.stream.to_string(),
        "time": commit.time().to_string(),
        "datacontenttype": "application/json",
        "position": commit.position,
        "streamversion": commit.version,
        "effectiveon": recorded.effective_on.to_string(),
        "recordedtime": commit.recorded_at.to_string(),
        "actor": commit.origin.actor,
        "commandid": commit.origin.id,
        "commandsource": commit.origin.source,
        "correlationid": commit.origin.correlation,
        "data": shown.get("data"),
    });
    if let (Some(trace), Value::Object(attributes)) = (trace, &mut document) {
        attributes.insert("traceparent".into(), trace.to_string().into());
    }
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_comes_behind_it() {
        let next = EventAt { position: 7, index: 2 };
        assert_eq!("7.1".parse().map(EventAt::behind), Ok(next));
        assert_eq!(next.to_string().parse(), Ok(next));
        for wrong in ["7", "7.", ".1", "7.1.0", "-7.1", "x.y"] {
            assert_eq!(wrong.parse::<EventAt>(), Err(NoEventId), "{wrong}");
        }
    }
}
