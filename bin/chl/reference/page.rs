//! `docs/COMMANDS.md`: the page of all commands, made of the catalog.

use chl_commands::{Command, CommandKind};
use chl_events::Role;
use serde_json::Value;
use std::fmt::Write;

const HEAD: &str = include_str!("page_head.md");

/// The page, as Markdown.
pub(crate) fn commands() -> String {
    let mut page = HEAD.to_owned();
    let mut area = "";
    for kind in Command::kinds() {
        if kind.area != area {
            area = kind.area;
            page.push_str(&format!("\n## {area}\n"));
        }
        command(&mut page, kind).expect("a text takes every line");
    }
    page
}

fn command(page: &mut String, kind: &CommandKind) -> std::fmt::Result {
    let allowed = Role::ALL.iter().filter(|role| kind.allows(**role)).map(|role| role.as_str());
    let doc = kind.doc.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    writeln!(page, "\n### {}\n\n{}\n", kind.name, doc.trim())?;
    writeln!(page, "Roles: {}.\n", allowed.collect::<Vec<_>>().join(", "))?;
    writeln!(page, "| field | type | |\n| --- | --- | --- |")?;
    let schema = Value::from((kind.schema)());
    let required = schema.get("required").and_then(Value::as_array);
    let is_required =
        |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let fields = schema.get("properties").and_then(Value::as_object);
    for (name, field) in fields.into_iter().flatten() {
        let mark = if is_required(name) { "" } else { "?" };
        let does = field.get("description").and_then(Value::as_str).unwrap_or_default();
        let does = does.split_whitespace().collect::<Vec<_>>().join(" ");
        writeln!(page, "| `{name}`{mark} | {} | {does} |", type_of(field))?;
    }
    Ok(())
}

/// A field's type in a word: the name of its definition, or JSON's own.
fn type_of(field: &Value) -> String {
    if let Some(target) = field.get("$ref").and_then(Value::as_str) {
        return target.rsplit('/').next().unwrap_or(target).to_owned();
    }
    if let Some(Value::Array(either)) = field.get("anyOf") {
        let real = either.iter().find(|one| one.get("type") != Some(&Value::from("null")));
        return real.map(type_of).unwrap_or_default();
    }
    let word = match field.get("type") {
        Some(Value::Array(words)) => words.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    match (word, field.get("items")) {
        (Some("array"), Some(items)) => format!("list of {}", type_of(items)),
        (Some(word), _) => field.get("format").and_then(Value::as_str).unwrap_or(word).to_owned(),
        (None, _) => "any".into(),
    }
}
