//! Where other terms come into a history.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::commits_from,
};
use chl_bus::{Prepared, prepare, replaying};
use chl_commands::programme::PublishProgramme;
use chl_events::{
    Currency, Date, Event, Instant, ProgrammeId, programme::ProgrammeEvent,
    programme::ProgrammePublished,
};
use chl_log::ReadLog;
use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeSet, fmt, str::FromStr};

/// The source of the version that nobody published.
const SOURCE: &str = "/whatif";

/// From where on other terms count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum From {
    /// From this business date on.
    Date(Date),
    /// For what was decided from this position on.
    Position(u64),
}

impl FromStr for From {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse() {
            return Ok(Self::Position(position));
        }
        text.parse().map(Self::Date).map_err(|_| {
            format!("{text:?} is neither a date such as 2026-07-01 nor a position such as 1841")
        })
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::Position(position) => position.fmt(f),
        }
    }
}

/// Other terms of a programme, and where they come into its history.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Change {
    /// The terms; version and date are not looked at.
    terms: PublishProgramme,
    from: Option<From>,
    /// Versions published at this position or behind it have them.
    at: u64,
    /// A version that nobody published and that comes in there.
    inserted: Option<Inserted>,
}

/// A version that comes in between those that were published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Inserted {
    version: u32,
    effective_from: Date,
    recorded_at: Instant,
}

/// What is recorded of a version.
#[derive(Debug, Clone)]
struct Published {
    position: u64,
    version: u32,
    effective_from: Date,
    currency: Currency,
    time_zone: String,
    recorded_at: Instant,
}

/// What a history holds of a programme, and of the point that was asked for.
#[derive(Default)]
struct Found {
    versions: Vec<Published>,
    programmes: BTreeSet<ProgrammeId>,
    /// When the commit happened and was recorded that stands at the position asked for.
    asked: Option<(Instant, Instant)>,
}

impl Change {
    /// Looks through a history for where the terms come in.
    pub(super) fn find(
        log: &dyn ReadLog,
        end: u64,
        terms: &PublishProgramme,
        from: Option<From>,
    ) -> Outcome<Self> {
        if let Some(From::Position(position)) = from
            && position >= end
        {
            let last = end.saturating_sub(1);
            return Err(Failure::usage(format_args!(
                "--from {position} lies behind the log's end; the last position is {last}"
            )));
        }
        let found = Found::look_through(log, end, &terms.programme, from)?;
        found.require(terms)?;
        let (at, inserted) = match from {
            None => (0, None),
            Some(From::Date(date)) => from_date(&found.versions, date),
            Some(From::Position(at)) => (at, from_position(&found, at, terms)),
        };
        Ok(Self { terms: terms.clone(), from, at, inserted })
    }

    /// The programme.
    pub(super) fn programme(&self) -> &ProgrammeId {
        &self.terms.programme
    }

    /// From where on, as it was asked.
    pub(super) fn from(&self) -> Option<From> {
        self.from
    }

    /// A published version as it is published now.
    pub(super) fn published(&self, position: u64, version: &PublishProgramme) -> PublishProgramme {
        if version.programme != self.terms.programme || position < self.at {
            return version.clone();
        }
        let inserted = self.inserted.as_ref();
        let from = inserted.map_or(version.effective_from, |inserted| inserted.effective_from);
        PublishProgramme {
            version: version.version.saturating_add(u32::from(inserted.is_some())),
            effective_from: version.effective_from.max(from),
            time_zone: self.terms.time_zone.clone().or_else(|| version.time_zone.clone()),
            ..self.terms.clone()
        }
    }

    /// The version that comes in before the commit at a position, if one does there.
    pub(super) fn before(&self, position: u64) -> Outcome<Option<Prepared>> {
        let Some(inserted) = self.inserted.filter(|_| position == self.at) else {
            return Ok(None);
        };
        let Inserted { version, effective_from, recorded_at } = inserted;
        let data = PublishProgramme { version, effective_from, ..self.terms.clone() };
        let unsent = "the version that comes in between";
        let data = serde_json::to_value(data).or_exit(Exit::Internal, unsent)?;
        let document = json!({
            "id": self.terms.programme, "source": SOURCE, "type": "PublishProgramme",
            "recordedtime": recorded_at, "data": data,
        });
        let connection = replaying(crate::user::actor()?);
        match prepare(document.to_string().as_bytes(), &connection) {
            Ok(prepared) => Ok(Some(prepared)),
            Err(refused) => {
                let code = refused.code().unwrap_or_default();
                Err(Failure::new(Exit::Rejected, format_args!("{unsent}: {code}")))
            }
        }
    }
}

impl Found {
    fn look_through(
        log: &dyn ReadLog,
        end: u64,
        programme: &ProgrammeId,
        from: Option<From>,
    ) -> Outcome<Self> {
        let mut found = Self::default();
        for commit in commits_from(log, 0)? {
            let commit = commit?;
            let position = commit.position;
            if position >= end {
                break;
            }
            if from == Some(From::Position(position)) {
                found.asked = Some((commit.time(), commit.recorded_at));
            }
            for recorded in &commit.events {
                let Event::Programme(ProgrammeEvent::ProgrammePublished(event)) = &recorded.event
                else {
                    continue;
                };
                found.programmes.insert(event.programme.clone());
                if event.programme == *programme {
                    let ProgrammePublished { version, effective_from, currency, .. } = *event;
                    let published = Published {
                        position,
                        version,
                        effective_from,
                        currency,
                        time_zone: event.time_zone.clone(),
                        recorded_at: commit.recorded_at,
                    };
                    found.versions.push(published);
                }
            }
        }
        Ok(found)
    }

    /// Refuses terms of a programme that nobody published, or of another currency.
    fn require(&self, terms: &PublishProgramme) -> Outcome {
        let PublishProgramme { programme, currency, .. } = terms;
        let Some(first) = self.versions.first() else {
            let known: Vec<&str> = self.programmes.iter().map(ProgrammeId::as_str).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(Failure::usage(format_args!(
                "no programme {programme} is published in this ledger; it has: {known}"
            )));
        };
        if first.currency != *currency {
            let expected = first.currency;
            return Err(Failure::usage(format_args!(
                "the funds of {programme} are in {expected}; the other terms are in {currency}"
            )));
        }
        Ok(())
    }
}

/// Versions in force from the date on have the terms; where an older one would still be in force
/// then, a version comes in behind it.
fn from_date(versions: &[Published], date: Date) -> (u64, Option<Inserted>) {
    let older = versions.iter().rev().find(|version| version.effective_from < date);
    let Some(older) = older else { return (0, None) };
    let at = older.position.saturating_add(1);
    let begins = versions.iter().any(|version| version.effective_from == date);
    (at, (!begins).then(|| behind(older, date, older.recorded_at)))
}

/// Versions published at the position or behind it have the terms; unless one is published right
/// there, a version comes in, in force from that day on.
fn from_position(found: &Found, at: u64, terms: &PublishProgramme) -> Option<Inserted> {
    let (time, recorded_at) = found.asked?;
    let older = found.versions.iter().rev().find(|version| version.position < at)?;
    let there = found.versions.iter().any(|version| version.position == at);
    let zone = terms.time_zone.as_deref().unwrap_or(&older.time_zone);
    let day = day_in(zone, time);
    (!there).then(|| behind(older, day.max(older.effective_from), recorded_at))
}

/// The day of an instant in a zone, which the ledger knows: a version was published in it.
fn day_in(zone: &str, at: Instant) -> Date {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let there = Timestamp::from_microsecond(at.micros()).map(|at| at.to_zoned(zone));
    there.map_or_else(|_| at.date_utc(), |there| Date::from_civil(there.date()))
}

fn behind(older: &Published, effective_from: Date, recorded_at: Instant) -> Inserted {
    Inserted { version: older.version.saturating_add(1), effective_from, recorded_at }
}
