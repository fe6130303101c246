//! `chl programme check`: whether terms can be published, before anybody publishes them.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::Scratch,
    output::{Output, Sink},
    user,
};
use chl_bus::{Answer, Connection};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Checks a programme's terms without publishing them, and prints them with every default.
///
/// The file is a PublishProgramme command or its data alone, as JSON. No ledger is looked at, so that
/// its version does not matter here, nor what the programme's currency is there. What is wrong is named with its field, as publishing would name it; the call then ends
/// with 3.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The file.
    file: PathBuf,
}

impl Check {
    /// Checks the file's terms in a ledger of their own, in memory.
    pub(crate) fn run(&self, mut output: Output) -> Outcome<Exit> {
        let name = self.file.display().to_string();
        let exit = match tried(&document(&self.file)?)? {
            Answer::Accepted(accepted) => {
                for recorded in &accepted.commit.events {
                    let shown = serde_json::to_value(&recorded.event);
                    let shown = shown.or_exit(Exit::Internal, &name)?;
                    let terms = shown.get("data").cloned().unwrap_or_default();
                    output.line(&format!("{terms:#}"))?;
                }
                Exit::Success
            }
            refused @ Answer::Rejected { .. } => {
                let told = serde_json::to_string(&refused).or_exit(Exit::Internal, &name)?;
                output.line(&told)?;
                Exit::Rejected
            }
            Answer::Failed { failure, .. } => {
                return Err(Failure::new(Exit::Internal, failure));
            }
        };
        output.end()?;
        Ok(exit)
    }
}

/// The data of the PublishProgramme in a file, as the first version of the programme.
pub(crate) fn document(file: &Path) -> Outcome<Value> {
    let name = file.display().to_string();
    let text = fs::read(file).or_exit(Exit::Usage, &name)?;
    let document: Value = serde_json::from_slice(&text).or_exit(Exit::Usage, &name)?;
    let mut data = document.get("data").cloned().unwrap_or(document);
    // In an empty ledger every programme begins with version 1.
    if let Some(fields) = data.as_object_mut() {
        fields.insert("version".into(), json!(1));
    }
    Ok(data)
}

/// The answer to its publication, in a ledger that lives as long as the call.
pub(crate) fn tried(data: &Value) -> Outcome<Answer> {
    let command = json!({
        "id": "check", "source": "/chl", "type": "PublishProgramme", "data": data,
    });
    let (scratch, actor) = (Scratch::open()?, user::actor()?);
    let bytes = command.to_string().into_bytes();
    let prepared = match chl_bus::prepare(&bytes, &Connection::operator(actor)) {
        Ok(prepared) => prepared,
        Err(refused) => return Ok(*refused),
    };
    let answers = scratch.client().submit_all(vec![prepared]);
    let answers = answers.or_exit(Exit::Internal, "a ledger in memory was closed")?;
    let answer = answers.into_iter().next();
    answer.ok_or_else(|| Failure::new(Exit::Internal, "an answer is missing"))
}
