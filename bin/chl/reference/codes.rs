//! `chl explain code`: what a rejection code means, and what to do.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    output::{Output, Sheet, Sink},
};
use chl_aggregates::CodeDoc;
use chl_bus::BusRejection;
use serde_json::{Value, json};

/// Says what a rejection code means, with an example that meets it.
///
/// Without CODE: every code, in order of precedence.
#[derive(Debug, clap::Args)]
pub(crate) struct Code {
    /// The code, such as deal.below_minimum.
    code: Option<String>,
}

const COLUMNS: &[&str] = &["code", "class", "means"];

impl Code {
    /// Prints it.
    pub(crate) fn print(&self, mut output: Output) -> Outcome<Exit> {
        let mut codes = BusRejection::all_codes();
        if let Some(asked) = &self.code {
            codes.retain(|doc| doc.code == asked);
            if codes.is_empty() {
                return Err(Failure::usage(format_args!(
                    "no rejection has the code {asked:?}; `chl explain code` lists all codes"
                )));
            }
        }
        let sheet = Sheet::new("", COLUMNS);
        output.begin(&sheet)?;
        for doc in codes {
            output.row(sheet.values(row(doc)))?;
        }
        output.end()?;
        Ok(Exit::Success)
    }
}

fn row(doc: &CodeDoc) -> Value {
    let means = doc.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    json!({"code": doc.code, "class": doc.class, "means": means})
}
