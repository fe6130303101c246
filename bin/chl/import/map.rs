//! Maps: what a map file says, checked against the catalog and the columns of the exports.

use super::data::Data;
use super::filter::Words;
use super::source::{MapError, Source};
use super::spec::{CommandSpec, FeedSpec, Node, Spec, Text, Value};
use super::table::Table;
use super::template::{RenderError, Row, Scope, Template};
use chl_commands::{Command, CommandKind};
use chl_events::{Date, Instant};
use jiff::{civil, tz::TimeZone};
use std::collections::BTreeMap;
use std::sync::Arc;

/// In which zone and from when on the map reads times.
pub(super) struct Clock {
    /// The zone in which a date begins.
    pub(super) zone: TimeZone,
    /// When rows without an instant happen.
    pub(super) start: Instant,
}

impl Clock {
    pub(super) fn of(spec: &Spec, source: &Source<'_>) -> Result<Self, MapError> {
        let zone = match &spec.zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name.get_ref())
                .map_err(|error| source.value(name.span().start, "zone", error))?,
        };
        let start = instant(spec.start.get_ref(), &zone).ok_or_else(|| {
            source.value(spec.start.span().start, "start", "it is no date or instant")
        })?;
        Ok(Self { zone, start })
    }
}

/// Reads a date (its first moment), a date and time, both of a zone, or an instant.
pub(super) fn instant(text: &str, zone: &TimeZone) -> Option<Instant> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let local = match text.parse::<Date>() {
        Ok(date) => date.civil().at(0, 0, 0, 0),
        Err(_) => text.parse::<civil::DateTime>().ok().filter(|_| text.len() > 10)?,
    };
    let at = zone.to_timestamp(local).ok()?;
    Some(Instant::from_micros(at.as_microsecond()))
}

/// What a value must be for a row to count.
#[derive(Debug)]
pub(super) struct Condition {
    template: Template,
    name: String,
    test: Test,
}

#[derive(Debug)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Empty(bool),
}

impl Condition {
    /// Why the row does not count; none when it does.
    pub(super) fn against(&self, row: Row<'_>) -> Result<Option<String>, RenderError> {
        let value = self.template.render(row)?;
        let name = &self.name;
        let holds = match &self.test {
            Test::In(texts) => texts.contains(&value),
            Test::NotIn(texts) => !texts.contains(&value),
            Test::Empty(empty) => value.is_empty() == *empty,
        };
        Ok((!holds).then(|| match value.as_str() {
            "" => format!("{name} is empty"),
            value => format!("{name} is {value}"),
        }))
    }
}

/// A command of a row.
pub(super) struct CommandMap {
    /// Its type.
    pub(super) kind: &'static CommandKind,
    /// Its key.
    pub(super) key: Template,
    /// When it happened; none: at the map's start.
    pub(super) at: Option<Template>,
    /// Whether only the first row with a key counts.
    pub(super) once: bool,
    /// For which rows of the feed.
    pub(super) conditions: Vec<Condition>,
    /// In whose name.
    pub(super) onbehalfof: Option<Template>,
    /// Why.
    pub(super) reason: Option<Template>,
    /// Whether late registrations are taken as contested.
    pub(super) backfill: bool,
    /// Its data.
    pub(super) data: Data,
}

/// What becomes of the rows of one export.
pub(super) struct Feed {
    /// The export, by its place among the tables.
    pub(super) table: usize,
    /// Which rows.
    pub(super) conditions: Vec<Condition>,
    /// The commands of a row.
    pub(super) commands: Vec<CommandMap>,
}

/// Reads the lookups and tables of a map.
pub(super) fn words(
    spec: &Spec,
    source: &Source<'_>,
    tables: &BTreeMap<String, Table>,
) -> Result<BTreeMap<String, Words>, MapError> {
    let mut words: BTreeMap<String, Words> =
        spec.tables.iter().map(|(name, table)| (name.clone(), Arc::new(table.clone()))).collect();
    let inline = words.clone();
    for (name, lookup) in &spec.lookups {
        let key = format!("lookups.{name}");
        let at = lookup.file.span().start;
        if words.contains_key(name) {
            return Err(source.value(at, &key, "a table of the map has the same name"));
        }
        let table = table_of(&lookup.file, &key, source, tables)?;
        let scope = Scope { file: &table.file, header: &table.header, words: &inline };
        let from = source.template(&lookup.key, &format!("{key}.key"), &scope)?;
        let to = source.template(&lookup.value, &format!("{key}.value"), &scope)?;
        let found = read_lookup(table, &from, &to).map_err(|(line, problem)| MapError::Lookup {
            place: source.place(at, key.clone()),
            file: table.file.clone(),
            line,
            problem,
        })?;
        words.insert(name.clone(), Arc::new(found));
    }
    Ok(words)
}

fn read_lookup(
    table: &Table,
    key: &Template,
    value: &Template,
) -> Result<BTreeMap<String, String>, (u32, String)> {
    let mut found = BTreeMap::new();
    for row in (0..table.rows()).map(|row| table.row(row)) {
        let render = |template: &Template| {
            template.render(row).map_err(|error| (row.line, error.to_string()))
        };
        let (key, value) = (render(key)?, render(value)?);
        match found.get(&key) {
            Some(other) if *other != value => {
                let problem = format!("{key:?} is {value:?} here and {other:?} before");
                return Err((row.line, problem));
            }
            _ => found.insert(key, value),
        };
    }
    Ok(found)
}

fn table_of<'a>(
    file: &Text,
    key: &str,
    source: &Source<'_>,
    tables: &'a BTreeMap<String, Table>,
) -> Result<&'a Table, MapError> {
    tables.get(file.get_ref()).ok_or_else(|| MapError::Unknown {
        place: source.place(file.span().start, key),
        what: "file",
        name: file.get_ref().clone(),
        known: tables.keys().cloned().collect::<Vec<_>>().join(", "),
    })
}

/// Reads a feed: `table` is the export it names.
pub(super) fn feed(
    spec: &FeedSpec,
    number: usize,
    source: &Source<'_>,
    table: (usize, &Table),
    words: &BTreeMap<String, Words>,
) -> Result<Feed, MapError> {
    let (place, table) = table;
    let scope = Scope { file: &table.file, header: &table.header, words };
    let key = format!("feeds[{number}]");
    let conditions = conditions(&spec.conditions, &key, source, &scope)?;
    let commands = spec.commands.iter().enumerate().map(|(at, command)| {
        let key = format!("{key}.commands[{at}]");
        command_map(command, spec.key.as_ref(), &key, source, &scope)
    });
    Ok(Feed { table: place, conditions, commands: commands.collect::<Result<_, _>>()? })
}

fn conditions(
    nodes: &BTreeMap<String, Node>,
    key: &str,
    source: &Source<'_>,
    scope: &Scope<'_>,
) -> Result<Vec<Condition>, MapError> {
    let conditions = nodes.iter().map(|(name, node)| {
        let key = format!("{key}.where.{name}");
        let at = node.0.span().start;
        let template = match name.contains('{') {
            true => Template::parse(name, scope),
            false => Template::column(name, scope),
        };
        let template = template.map_err(|error| MapError::Template {
            place: source.place(at, key.clone()),
            source: error.into(),
        })?;
        let test = test(node).ok_or_else(|| {
            let shapes = "write \"TEXT\", [\"ONE\", \"OTHER\"], { not = … } or { empty = false }";
            source.value(at, &key, shapes)
        })?;
        Ok(Condition { template, name: name.clone(), test })
    });
    conditions.collect()
}

fn test(node: &Node) -> Option<Test> {
    let texts = |node: &Node| match node.0.get_ref() {
        Value::Text(text) => Some(vec![text.clone()]),
        Value::List(list) => list.iter().map(text_of).collect(),
        Value::Constant(_) | Value::Table(_) => None,
    };
    let Value::Table(table) = node.0.get_ref() else {
        return texts(node).map(Test::In);
    };
    let mut entries = table.iter();
    let (name, value) = entries.next().filter(|_| table.len() == 1)?;
    match (name.as_str(), value.0.get_ref()) {
        ("not", _) => texts(value).map(Test::NotIn),
        ("empty", Value::Constant(serde_json::Value::Bool(empty))) => Some(Test::Empty(*empty)),
        _ => None,
    }
}

fn text_of(node: &Node) -> Option<String> {
    match node.0.get_ref() {
        Value::Text(text) => Some(text.clone()),
        Value::Constant(_) | Value::List(_) | Value::Table(_) => None,
    }
}

fn command_map(
    spec: &CommandSpec,
    row_key: Option<&Text>,
    key: &str,
    source: &Source<'_>,
    scope: &Scope<'_>,
) -> Result<CommandMap, MapError> {
    let start = spec.kind.span().start;
    let kind = Command::kind_named(spec.kind.get_ref()).ok_or_else(|| MapError::Unknown {
        place: source.place(start, key),
        what: "command type",
        name: spec.kind.get_ref().clone(),
        known: Command::kinds().map(|kind| kind.name).collect::<Vec<_>>().join(", "),
    })?;
    let own =
        spec.key.as_ref().or(row_key).ok_or_else(|| {
            source.value(start, key, "neither the command nor its feed has a key")
        })?;
    let template = |text: &Option<Text>, name: &str| {
        let key = format!("{key}.{name}");
        text.as_ref().map(|text| source.template(text, &key, scope)).transpose()
    };
    let data = Data::of(&spec.data, &format!("{key}.data"), source, scope)?;
    data.check(kind).map_err(|(field, problem)| {
        source.value(spec.data.span().start, &format!("{key}.data{field}"), problem)
    })?;
    Ok(CommandMap {
        kind,
        key: source.template(own, &format!("{key}.key"), scope)?,
        at: template(&spec.at, "at")?,
        once: spec.once,
        conditions: conditions(&spec.conditions, key, source, scope)?,
        onbehalfof: template(&spec.onbehalfof, "onbehalfof")?,
        reason: template(&spec.reason, "reason")?,
        backfill: spec.backfill,
        data,
    })
}
