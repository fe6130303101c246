//! The text of a map file: its places, and what can be wrong at them.

use super::spec::{Spec, Text};
use super::template::{Scope, Template, TemplateError};

/// A place in a map file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    map: String,
    line: usize,
    key: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, line {}, {}", self.map, self.line, self.key)
    }
}

/// Says what is wrong with a map.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MapError {
    /// It is no TOML, or not of a map's shape.
    #[error("{map}: {source}")]
    Syntax {
        /// The map file.
        map: String,
        /// What the reader says, with line and column.
        source: Box<toml::de::Error>,
    },
    /// A template cannot be read.
    #[error("{place}: {source}")]
    Template {
        /// Where.
        place: Box<Place>,
        /// What is wrong with it.
        source: TemplateText,
    },
    /// It names something that does not exist.
    #[error("{place}: no {what} {name:?}; there are {known}")]
    Unknown {
        /// Where.
        place: Box<Place>,
        /// What it should be.
        what: &'static str,
        /// What it names.
        name: String,
        /// What there is.
        known: String,
    },
    /// A value is not what belongs there.
    #[error("{place}: {problem}")]
    Value {
        /// Where.
        place: Box<Place>,
        /// What is wrong with it.
        problem: String,
    },
    /// A row of an export gives a lookup no value, or another than an earlier row.
    #[error("{place}: {file} line {line}: {problem}")]
    Lookup {
        /// Where.
        place: Box<Place>,
        /// The export.
        file: String,
        /// The row's line.
        line: u32,
        /// What is wrong with it.
        problem: String,
    },
}

/// The error of a template, kept whole and shown as its text.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct TemplateText(#[from] TemplateError);

/// The text of a map, for naming places in it.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Source<'_> {
    pub(super) fn place(&self, at: usize, key: impl Into<String>) -> Box<Place> {
        let before = self.text.get(..at).unwrap_or("");
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        Box::new(Place { map: self.name.into(), line, key: key.into() })
    }

    pub(super) fn value(&self, at: usize, key: &str, problem: impl ToString) -> MapError {
        MapError::Value { place: self.place(at, key), problem: problem.to_string() }
    }

    pub(super) fn template(
        &self,
        text: &Text,
        key: &str,
        scope: &Scope<'_>,
    ) -> Result<Template, MapError> {
        Template::parse(text.get_ref(), scope).map_err(|source| MapError::Template {
            place: self.place(text.span().start, key),
            source: source.into(),
        })
    }
}

/// Reads the text of a map file.
pub(super) fn parse(source: &Source<'_>) -> Result<Spec, MapError> {
    let syntax = |error| MapError::Syntax { map: source.name.into(), source: Box::new(error) };
    toml::from_str(source.text).map_err(syntax)
}
