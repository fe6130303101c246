//! The data of a command: a tree of templates, written as JSON for each row.

use super::source::{MapError, Source};
use super::spec::{Node, Value};
use super::template::{RenderError, Row, Scope, Template};
use chl_commands::{Command, CommandKind};
use std::collections::BTreeMap;
use toml::Spanned;

/// A command's data, shaped as the command's.
#[derive(Debug)]
pub(super) struct Data(Tree);

#[derive(Debug)]
enum Tree {
    /// JSON that is the same for every row.
    Constant(String),
    Text(Template),
    List(Vec<Tree>),
    /// Fields by name.
    Table(Vec<(String, Tree)>),
}

/// What came of a part of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It is the same for every row.
    Constant,
    /// A column gave it a value.
    Filled,
    /// Its columns are empty: it is left out.
    Empty,
}

/// Says which field of the data a row gives no value.
#[derive(Debug, thiserror::Error)]
#[error("{field}: {source}")]
pub(super) struct FieldError {
    /// The field's path.
    field: String,
    /// Why.
    source: RenderError,
}

impl FieldError {
    fn under(self, name: &str) -> Self {
        Self { field: format!("{name}.{}", self.field).trim_end_matches('.').into(), ..self }
    }
}

impl Data {
    /// Reads the data of a command.
    pub(super) fn of(
        fields: &Spanned<BTreeMap<String, Node>>,
        key: &str,
        source: &Source<'_>,
        scope: &Scope<'_>,
    ) -> Result<Self, MapError> {
        table(fields.get_ref(), key, source, scope).map(Self)
    }

    /// Checks it against the command's schema, as far as the map alone tells.
    ///
    /// The fields it names exist and those the command needs are there; data without a column is
    /// read whole. An error is a field's path and the problem.
    pub(super) fn check(&self, kind: &CommandKind) -> Result<(), (String, String)> {
        let Tree::Table(fields) = &self.0 else {
            return Ok(());
        };
        let schema = (kind.schema)();
        let properties = schema.get("properties").and_then(|p| p.as_object());
        for (name, _) in fields {
            if !properties.is_some_and(|known| known.contains_key(name)) {
                let known: Vec<&str> =
                    properties.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
                let known = known.join(", ");
                let problem = format!("{} has no such field; it has {known}", kind.name);
                return Err((format!(".{name}"), problem));
            }
        }
        let required = schema.get("required").and_then(|list| list.as_array());
        for name in required.into_iter().flatten().filter_map(|name| name.as_str()) {
            if !fields.iter().any(|(field, _)| field == name) {
                return Err((String::new(), format!("{} needs the field {name:?}", kind.name)));
            }
        }
        match self.constant() {
            Some(json) => {
                let mut reader = serde_json::Deserializer::from_str(&json);
                let read = Command::read(kind, &mut reader);
                read.map(drop).map_err(|error| (String::new(), error.to_string()))
            }
            None => Ok(()),
        }
    }

    /// The JSON, where no column takes part.
    fn constant(&self) -> Option<String> {
        let mut json = String::new();
        let row = super::table::Table::single();
        (!self.0.has_columns()).then(|| self.0.render(row.row(0), &mut json).ok())??;
        Some(json)
    }

    /// Writes the JSON for a row.
    pub(super) fn render(&self, row: Row<'_>, out: &mut String) -> Result<(), FieldError> {
        let before = out.len();
        if self.0.render(row, out)? == Outcome::Empty {
            out.truncate(before);
            out.push_str("{}");
        }
        Ok(())
    }
}

impl Tree {
    fn has_columns(&self) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Text(template) => template.constant().is_none(),
            Self::List(list) => list.iter().any(Self::has_columns),
            Self::Table(fields) => fields.iter().any(|(_, tree)| tree.has_columns()),
        }
    }

    fn render(&self, row: Row<'_>, out: &mut String) -> Result<Outcome, FieldError> {
        match self {
            Self::Constant(json) => {
                out.push_str(json);
                Ok(Outcome::Constant)
            }
            Self::Text(template) => {
                let text = template
                    .render(row)
                    .map_err(|source| FieldError { field: String::new(), source })?;
                if template.constant().is_some() {
                    quote(&text, out);
                    return Ok(Outcome::Constant);
                }
                match (text.is_empty(), template.is_bare()) {
                    (true, _) => return Ok(Outcome::Empty),
                    (false, true) => out.push_str(&text),
                    (false, false) => quote(&text, out),
                }
                Ok(Outcome::Filled)
            }
            Self::List(list) => members(list.iter().map(|tree| ("", tree)), ['[', ']'], row, out),
            Self::Table(fields) => {
                let fields = fields.iter().map(|(name, tree)| (name.as_str(), tree));
                members(fields, ['{', '}'], row, out)
            }
        }
    }
}

/// Writes the members that have a value; one with columns of which none has is left out.
fn members<'a>(
    members: impl Iterator<Item = (&'a str, &'a Tree)>,
    [open, close]: [char; 2],
    row: Row<'_>,
    out: &mut String,
) -> Result<Outcome, FieldError> {
    out.push(open);
    let first = out.len();
    let mut outcome = Outcome::Constant;
    for (name, tree) in members {
        let before = out.len();
        if before > first {
            out.push(',');
        }
        if !name.is_empty() {
            quote(name, out);
            out.push(':');
        }
        let member = tree.render(row, out).map_err(|error| error.under(name))?;
        if member == Outcome::Empty {
            out.truncate(before);
        }
        outcome = match (outcome, member) {
            (Outcome::Filled, _) | (_, Outcome::Filled) => Outcome::Filled,
            (Outcome::Empty, _) | (_, Outcome::Empty) => Outcome::Empty,
            (Outcome::Constant, Outcome::Constant) => Outcome::Constant,
        };
    }
    out.push(close);
    Ok(outcome)
}

/// Writes a text as a JSON string.
pub(super) fn quote(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}

fn table(
    fields: &BTreeMap<String, Node>,
    key: &str,
    source: &Source<'_>,
    scope: &Scope<'_>,
) -> Result<Tree, MapError> {
    let fields = fields.iter().map(|(name, node)| {
        let tree = tree(node, &format!("{key}.{name}"), source, scope)?;
        Ok((name.clone(), tree))
    });
    Ok(Tree::Table(fields.collect::<Result<_, _>>()?))
}

fn tree(node: &Node, key: &str, source: &Source<'_>, scope: &Scope<'_>) -> Result<Tree, MapError> {
    Ok(match node.0.get_ref() {
        Value::Text(text) => {
            let text = Spanned::new(node.0.span(), text.clone());
            Tree::Text(source.template(&text, key, scope)?)
        }
        Value::Constant(constant) => Tree::Constant(constant.to_string()),
        Value::List(list) => {
            let list = list
                .iter()
                .enumerate()
                .map(|(at, node)| tree(node, &format!("{key}[{at}]"), source, scope));
            Tree::List(list.collect::<Result<_, _>>()?)
        }
        Value::Table(fields) => table(fields, key, source, scope)?,
    })
}
