//! Plans: the exports read through the map, in the order in which things happened.

use super::data::quote;
use super::map::{self, Clock, CommandMap, Condition, Feed, MapError, Source};
use super::spec::Spec;
use super::table::Table;
use super::template::Row;
use chl_events::Instant;
use std::collections::{BTreeMap, BTreeSet};

/// A command's place in the sequence; the order of its fields is the order of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    /// Whether it has an instant of its own.
    timed: bool,
    /// When.
    at: Instant,
    /// At one instant: closings, then registrations, then the rest.
    rank: u8,
    /// Without an instant the place in the map, else that of the export.
    group: u16,
    row: u32,
    feed: u16,
    command: u16,
}

/// A row of which nothing, or a command less, came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reject {
    /// The export's file name.
    pub(crate) file: String,
    /// The row's line in it.
    pub(crate) line: u32,
    /// The type of the command that is missing; none when the whole row is.
    pub(crate) command: Option<&'static str>,
    /// Why.
    pub(crate) reason: String,
    /// The row as it stands in the export.
    pub(crate) fields: Vec<String>,
}

/// A command made of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The command as a CloudEvents document in one line.
    pub(crate) json: String,
    /// Its id.
    pub(crate) id: String,
    /// Where it comes from, for rejects.
    pub(crate) origin: Origin,
}

/// The row and command of the map that a line was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    feed: u16,
    command: u16,
    row: u32,
}

/// What became of an export's rows.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct FileReport {
    /// The file.
    pub(crate) file: String,
    /// How many rows it has.
    pub(crate) rows: usize,
    /// How many of them no feed takes, by reason; broken ones among them.
    pub(crate) outside: BTreeMap<String, usize>,
}

/// What an import is about to do.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Report {
    /// The source of its commands.
    pub(crate) source: String,
    /// The exports that feeds read.
    pub(crate) files: Vec<FileReport>,
    /// How many commands it makes, by type.
    pub(crate) commands: BTreeMap<&'static str, usize>,
    /// How many rows repeat the key of a command that is sent once.
    pub(crate) repeated: usize,
}

/// An import, ready to run.
pub(crate) struct Plan {
    source: String,
    tables: Vec<Table>,
    feeds: Vec<Feed>,
    slots: Vec<Slot>,
    outside: Vec<(usize, u32, String)>,
    without: Vec<(Origin, String)>,
    repeated: usize,
}

/// Reads exports through a map; the tables are by the map's own names of them.
pub(super) fn plan(
    spec: &Spec,
    source: &Source<'_>,
    mut named: BTreeMap<String, Table>,
) -> Result<Plan, MapError> {
    let clock = Clock::of(spec, source)?;
    let words = map::words(spec, source, &named)?;
    // Exports stand in the order in which the map reads them; the first is the map itself.
    let mut tables = vec![Table::single()];
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut feeds = Vec::with_capacity(spec.feeds.len());
    for (number, feed) in spec.feeds.iter().enumerate() {
        let name = feed.file.as_ref().map(|file| (file.span().start, file.get_ref().as_str()));
        let place = match name {
            None => 0,
            Some((at, name)) => match places.get(name).copied() {
                Some(place) => place,
                None => {
                    let problem = "the map has no such file";
                    let key = format!("feeds[{number}].file");
                    let table = named.remove(name);
                    tables.push(table.ok_or_else(|| source.value(at, &key, problem))?);
                    places.insert(name, tables.len() - 1);
                    tables.len() - 1
                }
            },
        };
        let table = tables.get(place).expect("the place was just found or made");
        feeds.push(map::feed(feed, number, source, (place, table), &words)?);
    }
    let small = u16::try_from(feeds.len().max(tables.len())).is_ok()
        && feeds.iter().all(|feed| u16::try_from(feed.commands.len()).is_ok());
    if !small {
        return Err(source.value(0, "feeds", "more than 65,535 of them"));
    }
    let source = format!("/import/{}", spec.name.get_ref());
    let mut planner = Planner::new(&clock, &tables);
    for (number, feed) in feeds.iter().enumerate() {
        planner.read(feed, u16::try_from(number).unwrap_or(u16::MAX));
    }
    let Planner { mut slots, fates, reasons, without, repeated, .. } = planner;
    slots.sort_unstable();
    let outside = fates.iter().enumerate().flat_map(|(table, fates)| {
        let reasons = &reasons;
        (0_u32..).zip(fates).filter_map(move |(row, fate)| match fate {
            Fate::Taken => None,
            Fate::Outside(reason) => {
                Some((table, row, reasons.get(*reason).cloned().unwrap_or_default()))
            }
        })
    });
    let outside = outside.collect();
    Ok(Plan { source, tables, feeds, slots, outside, without, repeated })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Taken,
    /// Outside, for a reason by its number.
    Outside(usize),
}

/// What the first reading of the exports finds.
struct Planner<'a> {
    clock: &'a Clock,
    tables: &'a [Table],
    slots: Vec<Slot>,
    /// Per export and row.
    fates: Vec<Vec<Fate>>,
    reasons: Vec<String>,
    without: Vec<(Origin, String)>,
    seen: BTreeSet<(u16, u16, String)>,
    repeated: usize,
}

impl<'a> Planner<'a> {
    fn new(clock: &'a Clock, tables: &'a [Table]) -> Self {
        let fates = tables.iter().map(|table| vec![Fate::Outside(0); table.rows() as usize]);
        Self {
            clock,
            tables,
            slots: Vec::new(),
            fates: fates.collect(),
            reasons: vec!["no feed of the map reads it".into()],
            without: Vec::new(),
            seen: BTreeSet::new(),
            repeated: 0,
        }
    }

    fn read(&mut self, feed: &Feed, number: u16) {
        let Some(table) = self.tables.get(feed.table) else { return };
        for row in 0..table.rows() {
            let fate = match unmet(&feed.conditions, table.row(row)) {
                Some(reason) => self.outside(reason),
                None => self.read_row(feed, number, row),
            };
            let known =
                self.fates.get_mut(feed.table).and_then(|fates| fates.get_mut(row as usize));
            if let Some(known) = known.filter(|known| **known != Fate::Taken) {
                *known = fate;
            }
        }
    }

    fn outside(&mut self, reason: String) -> Fate {
        // Newest first: rows outside for one reason come in runs.
        let known = self.reasons.iter().rposition(|known| *known == reason);
        Fate::Outside(known.unwrap_or_else(|| {
            self.reasons.push(reason);
            self.reasons.len() - 1
        }))
    }

    fn read_row(&mut self, feed: &Feed, number: u16, row: u32) -> Fate {
        let Some(fields) = self.tables.get(feed.table).map(|table| table.row(row)) else {
            return Fate::Taken;
        };
        let mut fate = self.outside("no command of the map is for it".into());
        for (place, command) in (0_u16..).zip(&feed.commands) {
            if unmet(&command.conditions, fields).is_some() {
                continue;
            }
            fate = Fate::Taken;
            let origin = Origin { feed: number, command: place, row };
            match self.slot(command, origin, feed.table, fields) {
                Ok(Some(slot)) => self.slots.push(slot),
                Ok(None) => self.repeated += 1,
                Err(reason) => self.without.push((origin, reason)),
            }
        }
        fate
    }

    /// Where the command goes; none when it is sent once and has been.
    fn slot(
        &mut self,
        command: &CommandMap,
        origin: Origin,
        table: usize,
        row: Row<'_>,
    ) -> Result<Option<Slot>, String> {
        let Origin { feed, command: place, row: number } = origin;
        if command.once {
            let key = command.key.render(row).map_err(|error| format!("key: {error}"))?;
            if !self.seen.insert((feed, place, key)) {
                return Ok(None);
            }
        }
        let timed = command.at.is_some();
        let at = match &command.at {
            None => self.clock.start,
            Some(at) => self.instant(&at.render(row).map_err(|error| format!("at: {error}"))?)?,
        };
        // There are fewer than 65,536 exports, which was checked before.
        let group = if timed { u16::try_from(table).unwrap_or(u16::MAX) } else { feed };
        let rank = if timed { rank(command.kind.name) } else { 0 };
        Ok(Some(Slot { timed, at, rank, group, row: number, feed, command: place }))
    }

    fn instant(&self, text: &str) -> Result<Instant, String> {
        let zone = &self.clock.zone;
        match map::instant(text, zone) {
            None if text.is_empty() => Err("at: it has no date".into()),
            None => Err(format!("at: {text:?} is no date or instant")),
            Some(at) if at < self.clock.start => Err(format!("at: {text} lies before the start")),
            Some(at) => Ok(at),
        }
    }
}

/// The first condition that does not hold, as a reason.
fn unmet(conditions: &[Condition], row: Row<'_>) -> Option<String> {
    conditions.iter().find_map(|condition| match condition.against(row) {
        Ok(unmet) => unmet,
        Err(error) => Some(error.to_string()),
    })
}

/// At one instant a slot is freed before it is asked for.
fn rank(kind: &str) -> u8 {
    match kind {
        "MarkDealWon" | "MarkDealLost" | "WithdrawDeal" | "RejectDeal" | "ExpireDeal" => 0,
        "RegisterDeal" => 1,
        _ => 2,
    }
}

impl Plan {
    /// How many commands it will try to make.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// What it is about to do.
    pub(crate) fn report(&self) -> Report {
        let mut commands = BTreeMap::new();
        for slot in &self.slots {
            if let Some(command) = self.command(slot.feed, slot.command) {
                *commands.entry(command.kind.name).or_default() += 1;
            }
        }
        let mut files: Vec<FileReport> = self
            .tables
            .iter()
            .map(|table| FileReport {
                file: table.file.clone(),
                rows: table.rows() as usize + table.broken.len(),
                outside: BTreeMap::new(),
            })
            .collect();
        let outside = self.outside.iter().map(|(table, _, reason)| (*table, reason));
        let broken = self.tables.iter().enumerate().flat_map(|(place, table)| {
            table.broken.iter().map(move |broken| (place, &broken.reason))
        });
        for (table, reason) in outside.chain(broken) {
            if let Some(file) = files.get_mut(table) {
                *file.outside.entry(reason.clone()).or_default() += 1;
            }
        }
        let files = files.into_iter().skip(1).collect();
        Report { source: self.source.clone(), files, commands, repeated: self.repeated }
    }

    /// The rows, and commands of rows, that are missing before anything is sent.
    pub(crate) fn rejects(&self) -> impl Iterator<Item = Reject> {
        let broken = self.tables.iter().flat_map(|table| {
            table.broken.iter().map(|broken| Reject {
                file: table.file.clone(),
                line: broken.line,
                command: None,
                reason: broken.reason.clone(),
                fields: broken.fields.clone(),
            })
        });
        let outside = self
            .outside
            .iter()
            .filter_map(|(table, row, reason)| self.reject_row(*table, *row, None, reason.clone()));
        let without =
            self.without.iter().filter_map(|(origin, reason)| self.reject(*origin, reason));
        broken.chain(outside).chain(without)
    }

    /// The commands in the order in which they happened; a row that makes none is a reject.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Result<Line, Reject>> {
        self.slots.iter().filter_map(|slot| self.line(slot))
    }

    /// The reject of a line's row, when the ledger has refused the line.
    pub(crate) fn reject(&self, origin: Origin, reason: &str) -> Option<Reject> {
        let table = self.feeds.get(usize::from(origin.feed))?.table;
        let command = self.command(origin.feed, origin.command)?.kind.name;
        self.reject_row(table, origin.row, Some(command), reason.into())
    }

    /// The columns of an export, by its file name.
    pub(crate) fn header(&self, file: &str) -> &[String] {
        self.tables.iter().find(|table| table.file == file).map_or(&[], |table| &table.header)
    }

    fn reject_row(
        &self,
        table: usize,
        row: u32,
        command: Option<&'static str>,
        reason: String,
    ) -> Option<Reject> {
        let table = self.tables.get(table)?;
        let fields = table.fields(row).map(str::to_owned).collect();
        let line = table.row(row).line;
        Some(Reject { file: table.file.clone(), line, command, reason, fields })
    }

    fn command(&self, feed: u16, command: u16) -> Option<&CommandMap> {
        self.feeds.get(usize::from(feed))?.commands.get(usize::from(command))
    }

    fn line(&self, slot: &Slot) -> Option<Result<Line, Reject>> {
        let Slot { feed, command, row, at, .. } = *slot;
        let origin = Origin { feed, command, row };
        let table = self.tables.get(self.feeds.get(usize::from(feed))?.table)?;
        let made = render(self.command(feed, command)?, &self.source, at, table.row(row));
        match made {
            Ok((id, json)) => Some(Ok(Line { json, id, origin })),
            Err(reason) => self.reject(origin, &reason).map(Err),
        }
    }
}

/// Writes a command as a CloudEvents document, and tells its id.
fn render(
    command: &CommandMap,
    source: &str,
    at: Instant,
    row: Row<'_>,
) -> Result<(String, String), String> {
    let key = command.key.render(row).map_err(|error| format!("key: {error}"))?;
    if key.is_empty() {
        return Err("key: it is empty".into());
    }
    let name = command.kind.name;
    let id = format!("{name}-{key}");
    let mut json = String::with_capacity(512);
    json.push_str(r#"{"specversion":"1.0","id":"#);
    quote(&id, &mut json);
    for (attribute, value) in
        [("source", source), ("type", name), ("time", at.to_string().as_str())]
    {
        json.push_str(&format!(",\"{attribute}\":"));
        quote(value, &mut json);
    }
    for (attribute, template) in [("onbehalfof", &command.onbehalfof), ("reason", &command.reason)]
    {
        let Some(template) = template else { continue };
        let value = template.render(row).map_err(|error| format!("{attribute}: {error}"))?;
        if !value.is_empty() {
            json.push_str(&format!(",\"{attribute}\":"));
            quote(&value, &mut json);
        }
    }
    if command.backfill {
        json.push_str(",\"backfill\":true");
    }
    json.push_str(",\"data\":");
    command.data.render(row, &mut json).map_err(|error| format!("data.{error}"))?;
    json.push('}');
    Ok((id, json))
}
