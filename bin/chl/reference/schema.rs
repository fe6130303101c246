//! `chl schema`: the catalog of commands, and the JSON Schema of each.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    output::{Output, Sheet, Sink},
};
use chl_bus::near_commands;
use chl_commands::{Command, CommandKind};
use chl_events::Role;
use serde_json::{Value, json};

/// Prints the JSON Schema of a command's data, or the list of all commands.
///
/// Without NAME: every command with its area, the roles that may send it and what it does. With
/// NAME (such as RegisterDeal): the JSON Schema of its `data`, which is strict: unknown fields are
/// refused. With --asyncapi: what a ledger speaks on NATS, all subjects and messages, as an AsyncAPI
/// 3.0 document; with --openapi: what it speaks over HTTP, as an OpenAPI 3.1 document.
#[derive(Debug, clap::Args)]
pub(crate) struct Schema {
    /// The command's name, in any case.
    name: Option<String>,
    /// Prints the page of all commands, as Markdown.
    #[arg(long, conflicts_with = "name")]
    page: bool,
    /// Prints the AsyncAPI document of the bus.
    #[arg(long, conflicts_with_all = ["name", "page"])]
    asyncapi: bool,
    /// Prints the OpenAPI document of HTTP.
    #[arg(long, conflicts_with_all = ["name", "page", "asyncapi"])]
    openapi: bool,
}

const COLUMNS: &[&str] = &["command", "area", "roles", "does"];

impl Schema {
    /// Prints it.
    pub(crate) fn print(&self, mut output: Output) -> Outcome<Exit> {
        if self.page {
            output.line(super::page::commands().trim_end())?;
            output.end()?;
            return Ok(Exit::Success);
        }
        let document = (self.asyncapi.then(super::asyncapi::document))
            .or_else(|| self.openapi.then(super::openapi::document));
        if let Some(document) = document {
            output.line(&format!("{document:#}"))?;
            output.end()?;
            return Ok(Exit::Success);
        }
        let Some(name) = &self.name else {
            output.begin(&Sheet::new("", COLUMNS))?;
            for kind in Command::kinds() {
                output.row(row(kind))?;
            }
            output.end()?;
            return Ok(Exit::Success);
        };
        let kind = Command::kinds()
            .find(|kind| kind.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| unknown(name))?;
        let mut schema = Value::from((kind.schema)());
        if let Some(fields) = schema.as_object_mut() {
            fields.insert("description".into(), kind.doc.trim().into());
        }
        output.line(&format!("{schema:#}"))?;
        output.end()?;
        Ok(Exit::Success)
    }
}

/// The roles that may send a command, as words.
fn roles(kind: &CommandKind) -> Vec<Value> {
    let allowed = Role::ALL.iter().copied().filter(|role| kind.allows(*role));
    allowed.map(|role| Value::from(role.as_str())).collect()
}

fn row(kind: &CommandKind) -> Vec<Value> {
    let does = kind.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    vec![json!(kind.name), json!(kind.area), Value::Array(roles(kind)), json!(does)]
}

fn unknown(name: &str) -> Failure {
    let near = near_commands(name);
    let hint = if near.is_empty() {
        "`chl schema` lists all commands".into()
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    Failure::usage(format_args!("no command is named {name:?}; {hint}"))
}
