//! A command as it was sent, with what is settled of its sender and sealed of its texts: the line of
//! an export, and of a refused command what the journal keeps.

use chl_events::{ActorId, Instant, Origin, Role, Sealed};
use serde::Serialize;

/// The document of a command.
#[derive(Serialize)]
pub(crate) struct Sent<'a, T> {
    specversion: &'static str,
    id: &'a str,
    source: &'a str,
    r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<Instant>,
    recordedtime: Instant,
    actor: &'a ActorId,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    partner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    onbehalfof: Option<&'a ActorId>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    backfill: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Sealed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'a str>,
    data: T,
}

impl<'a, T> Sent<'a, T> {
    /// The document of a sender's command, with its believed time and when it was taken.
    pub(crate) fn new(
        origin: &'a Origin,
        (time, recordedtime): (Option<Instant>, Instant),
        kind: &'a str,
        data: T,
    ) -> Self {
        let Origin {
            source,
            id,
            actor,
            on_behalf_of,
            role,
            partner,
            level,
            backfill,
            reason,
            correlation,
            causation,
        } = origin;
        Self {
            specversion: "1.0",
            id,
            source,
            r#type: kind,
            time,
            recordedtime,
            actor,
            role: *role,
            partner: partner.as_ref().map(|partner| partner.as_str()),
            level: *level,
            onbehalfof: on_behalf_of.as_ref(),
            backfill: *backfill,
            reason: reason.as_ref(),
            correlationid: correlation.as_deref(),
            causationid: causation.as_deref(),
            data,
        }
    }
}
