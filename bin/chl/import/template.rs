//! Templates: texts with columns in braces, such as `INV-{number | lower}`.

use super::filter::{Filter, FilterError, Words};
use std::collections::BTreeMap;

/// What the names in a template mean.
pub(super) struct Scope<'a> {
    /// The export's name, for messages.
    pub(super) file: &'a str,
    /// The columns of the export.
    pub(super) header: &'a [String],
    /// The lookups and tables of the map.
    pub(super) words: &'a BTreeMap<String, Words>,
}

/// A row of an export: its line and its fields.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// The line it begins on, from 1.
    pub(super) line: u32,
    /// The fields, in the header's order.
    pub(super) fields: Fields<'a>,
}

/// The fields of a row, end to end.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    /// All fields of the export, one behind the other.
    pub(super) text: &'a str,
    /// Where the row begins.
    pub(super) start: u32,
    /// Where each of its fields ends.
    pub(super) ends: &'a [u32],
}

impl<'a> Fields<'a> {
    /// A field as it stands in the export; empty beyond the last.
    pub(super) fn get(self, column: usize) -> &'a str {
        let before = column.checked_sub(1).and_then(|at| self.ends.get(at));
        let start = before.copied().unwrap_or(self.start);
        let end = self.ends.get(column).copied().unwrap_or(start);
        self.text.get(start as usize..end as usize).unwrap_or("")
    }
}

/// Says what is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    /// A brace has no counterpart.
    #[error("a brace is not closed; write {{{{ for a brace itself")]
    Open,
    /// A quote has no counterpart.
    #[error("a quote ' is not closed")]
    Quote,
    /// The export has no such column.
    #[error("{file} has no column {column:?}; it has {known}")]
    Column {
        /// The export.
        file: String,
        /// The column.
        column: String,
        /// Those it has.
        known: String,
    },
    /// No filter of that name takes that many words.
    #[error("no filter {0:?}; there are {FILTERS}")]
    Filter(String),
    /// The map has no such lookup or table.
    #[error("the map has no lookup or table {0:?}")]
    Lookup(String),
    /// A number or truth value stands among other text.
    #[error("integer and boolean end a template that holds nothing else")]
    Bare,
}

const FILTERS: &str = "slug, lower, upper, replace 'OLD' 'NEW', default 'TEXT', \
    lookup NAME ['ELSE'], fix NAME, date 'FORMAT', datetime 'FORMAT', number ['DECIMAL SIGN'], \
    abs, integer, boolean";

/// Says why a row gives a template no value.
#[derive(Debug, thiserror::Error)]
#[error("column {column} {value:?}: {source}")]
pub(super) struct RenderError {
    /// The column.
    pub(super) column: String,
    /// What stands there.
    pub(super) value: String,
    /// What is wrong with it.
    pub(super) source: FilterError,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Field { column: Column, filters: Vec<Filter> },
}

#[derive(Debug)]
enum Column {
    At(usize, String),
    Line,
}

/// A text with columns in it.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template in the scope of an export.
    pub(super) fn parse(text: &str, scope: &Scope<'_>) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            if let Some(after) = from.strip_prefix("{{") {
                plain.push('{');
                rest = after;
            } else if let Some(after) = from.strip_prefix("}}") {
                plain.push('}');
                rest = after;
            } else if let Some(inner) = from.strip_prefix('{') {
                let (expression, after) = until_brace(inner)?;
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(field(expression, scope)?);
                rest = after;
            } else {
                return Err(TemplateError::Open);
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        let template = Self { parts };
        let alone = template.parts.len() == 1;
        if template.has_bare() && !alone { Err(TemplateError::Bare) } else { Ok(template) }
    }

    /// A template of one column.
    pub(super) fn column(name: &str, scope: &Scope<'_>) -> Result<Self, TemplateError> {
        let part = Part::Field { column: column(name, scope)?, filters: Vec::new() };
        Ok(Self { parts: vec![part] })
    }

    fn has_bare(&self) -> bool {
        self.parts.iter().any(|part| match part {
            Part::Text(_) => false,
            Part::Field { filters, .. } => filters.iter().any(Filter::is_bare),
        })
    }

    /// Whether it stands in JSON without quotes.
    pub(super) fn is_bare(&self) -> bool {
        self.has_bare()
    }

    /// The text, where it is the same for every row.
    pub(super) fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text for a row; empty when all its columns are.
    pub(super) fn render(&self, row: Row<'_>) -> Result<String, RenderError> {
        let mut out = String::new();
        let mut filled = self.constant().is_some();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field { column, filters } => {
                    let value = value(column, filters, row)?;
                    filled |= !value.is_empty();
                    if out.is_empty() { out = value } else { out.push_str(&value) }
                }
            }
        }
        if !filled {
            out.clear();
        }
        Ok(out)
    }
}

fn value(column: &Column, filters: &[Filter], row: Row<'_>) -> Result<String, RenderError> {
    let (name, text) = match column {
        Column::At(at, name) => (name.as_str(), row.fields.get(*at).trim().to_owned()),
        Column::Line => ("#line", row.line.to_string()),
    };
    filters.iter().try_fold(text, |text, filter| {
        let shown = text.clone();
        filter.apply(text).map_err(|source| RenderError {
            column: name.into(),
            value: shown.chars().take(80).collect(),
            source,
        })
    })
}

/// Splits at the closing brace that stands outside quotes.
fn until_brace(text: &str) -> Result<(&str, &str), TemplateError> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '}' if !quoted => {
                let (expression, rest) = text.split_at(at);
                return Ok((expression, rest.strip_prefix('}').unwrap_or(rest)));
            }
            _ => {}
        }
    }
    Err(if quoted { TemplateError::Quote } else { TemplateError::Open })
}

fn field(expression: &str, scope: &Scope<'_>) -> Result<Part, TemplateError> {
    let mut steps = split_outside_quotes(expression, |c| c == '|').into_iter();
    let name = steps.next().unwrap_or("").trim();
    let filters = steps.map(|step| filter(step, scope)).collect::<Result<_, _>>()?;
    Ok(Part::Field { column: column(name, scope)?, filters })
}

fn column(name: &str, scope: &Scope<'_>) -> Result<Column, TemplateError> {
    if name == "#line" {
        return Ok(Column::Line);
    }
    let at = scope.header.iter().position(|column| column == name);
    at.map(|at| Column::At(at, name.into())).ok_or_else(|| TemplateError::Column {
        file: scope.file.into(),
        column: name.into(),
        known: if scope.header.is_empty() { "none".into() } else { scope.header.join(", ") },
    })
}

fn split_outside_quotes(text: &str, at: fn(char) -> bool) -> Vec<&str> {
    let mut quoted = false;
    text.split(|c| {
        quoted ^= c == '\'';
        !quoted && at(c)
    })
    .collect()
}

fn filter(step: &str, scope: &Scope<'_>) -> Result<Filter, TemplateError> {
    let words: Vec<&str> = split_outside_quotes(step.trim(), char::is_whitespace)
        .into_iter()
        .filter(|word| !word.is_empty())
        .map(|word| word.strip_prefix('\'').and_then(|w| w.strip_suffix('\'')).unwrap_or(word))
        .collect();
    let known = |name: &str| {
        scope.words.get(name).cloned().ok_or_else(|| TemplateError::Lookup(name.into()))
    };
    Ok(match words.as_slice() {
        ["slug"] => Filter::Slug,
        ["lower"] => Filter::Lower,
        ["upper"] => Filter::Upper,
        ["replace", old, new] if !old.is_empty() => Filter::Replace((*old).into(), (*new).into()),
        ["default", text] => Filter::Default((*text).into()),
        ["lookup", name] => Filter::Lookup((*name).into(), known(name)?, None),
        ["lookup", name, fallback] => {
            Filter::Lookup((*name).into(), known(name)?, Some((*fallback).into()))
        }
        ["fix", name] => Filter::Fix(known(name)?),
        ["date", format] => Filter::Date((*format).into()),
        ["datetime", format] => Filter::DateTime((*format).into()),
        ["number"] | ["number", "."] => Filter::Number('.'),
        ["number", ","] => Filter::Number(','),
        ["abs"] => Filter::Abs,
        ["integer"] => Filter::Integer,
        ["boolean"] => Filter::Boolean,
        _ => return Err(TemplateError::Filter(step.trim().into())),
    })
}
