//! Plans: the exports read through the map, in the order in which things happened.

use super::data::quote;
use super::map::{self, Clock, CommandMap, Feed};
use super::sequence::{self, Origin, Sequence, Slot};
use super::source::{MapError, Source};
use super::spec::Spec;
use super::table::Table;
use super::template::Row;
use chl_events::Instant;
use std::collections::BTreeMap;

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
    sequence: Sequence,
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
    let sequence = sequence::read(&clock, &tables, &feeds);
    Ok(Plan { source: format!("/import/{}", spec.name.get_ref()), tables, feeds, sequence })
}

impl Plan {
    /// How many commands it will try to make.
    pub(crate) fn len(&self) -> usize {
        self.sequence.slots.len()
    }

    /// What it is about to do.
    pub(crate) fn report(&self) -> Report {
        let mut commands = BTreeMap::new();
        for slot in &self.sequence.slots {
            if let Some(command) = self.command(slot.origin()) {
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
        let outside = self.sequence.outside.iter().map(|(table, _, reason)| (*table, reason));
        let broken = self.tables.iter().enumerate().flat_map(|(place, table)| {
            table.broken.iter().map(move |broken| (place, &broken.reason))
        });
        for (table, reason) in outside.chain(broken) {
            if let Some(file) = files.get_mut(table) {
                *file.outside.entry(reason.clone()).or_default() += 1;
            }
        }
        let files = files.into_iter().skip(1).collect();
        Report { source: self.source.clone(), files, commands, repeated: self.sequence.repeated }
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
        let outside =
            self.sequence.outside.iter().filter_map(|(table, row, reason)| {
                self.reject_row(*table, *row, None, reason.clone())
            });
        let without = self
            .sequence
            .without
            .iter()
            .filter_map(|(origin, reason)| self.reject(*origin, reason));
        broken.chain(outside).chain(without)
    }

    /// The commands in the order in which they happened; a row that makes none is a reject.
    pub(crate) fn lines(&self) -> impl Iterator<Item = Result<Line, Reject>> {
        self.sequence.slots.iter().filter_map(|slot| self.line(slot))
    }

    /// The reject of a line's row, when the ledger has refused the line.
    pub(crate) fn reject(&self, origin: Origin, reason: &str) -> Option<Reject> {
        let table = self.feeds.get(usize::from(origin.feed))?.table;
        let command = self.command(origin)?.kind.name;
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

    fn command(&self, origin: Origin) -> Option<&CommandMap> {
        self.feeds.get(usize::from(origin.feed))?.commands.get(usize::from(origin.command))
    }

    fn line(&self, slot: &Slot) -> Option<Result<Line, Reject>> {
        let origin = slot.origin();
        let table = self.tables.get(self.feeds.get(usize::from(origin.feed))?.table)?;
        let row = table.row(origin.row);
        match render(self.command(origin)?, &self.source, slot.at(), row) {
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
