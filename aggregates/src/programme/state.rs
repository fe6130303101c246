//! States of programmes: the newest version of each, and every version as a row of its own.

use crate::calendar::Zone;
use crate::rejection::AnyRejection;
use crate::{Facts, Refusal, RowsMut, Unavailable, rows};
use chl_events::programme::ProgrammePublished;
use chl_events::terms::Terms;
use chl_events::{Currency, Date, Instant, ProgrammeId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A programme: what stays the same from version to version, and the newest one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Programme {
    /// The currency of its funds.
    pub currency: Currency,
    /// The number of the newest version.
    pub newest: u32,
    /// From when on the newest version is in force.
    pub newest_from: Date,
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The programme.
    pub programme: ProgrammeId,
    /// Its number.
    pub version: u32,
    /// From when on it is in force.
    pub effective_from: Date,
    /// The currency of its funds.
    pub currency: Currency,
    /// The IANA time zone its days are counted in.
    pub time_zone: NamedZone,
    /// The rules.
    pub terms: Box<Terms>,
}

impl Version {
    /// The zone its days are counted in.
    pub(crate) fn zone(&self) -> &Zone {
        &self.time_zone.zone
    }
}

/// A time zone's name, and its rules, looked up when the row comes into memory. It is written as
/// the name alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct NamedZone {
    name: String,
    zone: Zone,
}

impl From<String> for NamedZone {
    fn from(name: String) -> Self {
        let zone = Zone::named(&name).unwrap_or(Zone::Utc);
        Self { name, zone }
    }
}

impl From<NamedZone> for String {
    fn from(zone: NamedZone) -> Self {
        zone.name
    }
}

pub(super) fn published(event: &ProgrammePublished, rows: &mut dyn RowsMut) {
    let version = Version {
        programme: event.programme.clone(),
        version: event.version,
        effective_from: event.effective_from,
        currency: event.currency,
        time_zone: event.time_zone.clone().into(),
        terms: event.terms.clone(),
    };
    let programme = Programme {
        currency: event.currency,
        newest: event.version,
        newest_from: event.effective_from,
    };
    rows::put(rows, (&event.programme, event.version), version);
    rows::put(rows, &event.programme, programme);
}

/// The programme, or the rejection that nobody published it (class 3).
pub(crate) fn known(facts: Facts<'_>, id: &ProgrammeId) -> Result<Arc<Programme>, Refusal> {
    let unknown = || AnyRejection::UnknownProgramme { programme: id.clone() };
    Ok(facts.get::<Programme>(id)?.ok_or_else(unknown)?)
}

/// The version of a number that a recorded fact names.
pub(crate) fn version(
    facts: Facts<'_>,
    id: &ProgrammeId,
    number: u32,
) -> Result<Arc<Version>, Unavailable> {
    let missing = || Unavailable(format!("no version {number} of {id}, which a fact names").into());
    facts.get::<Version>((id, number))?.ok_or_else(missing)
}

/// The version in force on a date.
///
/// Rejections: the programme is unknown (class 3), or no version is in force (class 6). A decision
/// that has checks of classes 4 and 5 in between asks [`known`] first.
pub(crate) fn terms_at(
    facts: Facts<'_>,
    id: &ProgrammeId,
    on: Date,
) -> Result<Arc<Version>, Refusal> {
    newest_where(facts, id, on, |version| version.effective_from <= on)
}

/// The version in force at an instant, each counting days in its own zone.
pub(crate) fn terms_in_force(
    facts: Facts<'_>,
    id: &ProgrammeId,
    at: Instant,
) -> Result<Arc<Version>, Refusal> {
    newest_where(facts, id, at.date_utc(), |version| {
        version.effective_from <= version.zone().day(at)
    })
}

/// Walks back from the newest version; decisions rarely need an older one than the last but one.
fn newest_where(
    facts: Facts<'_>,
    id: &ProgrammeId,
    on: Date,
    in_force: impl Fn(&Version) -> bool,
) -> Result<Arc<Version>, Refusal> {
    let programme = known(facts, id)?;
    for number in (1..=programme.newest).rev() {
        let version = version(facts, id, number)?;
        if in_force(&version) {
            return Ok(version);
        }
    }
    Err(AnyRejection::NotInForce { programme: id.clone(), on }.into())
}
