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
/// The example is lines for an empty ledger, of which the last one is refused with the code; send
/// them with `chl submit --trust-claims` to see it. Without CODE: every code, in order of
/// precedence.
#[derive(Debug, clap::Args)]
pub(crate) struct Code {
    /// The code, such as deal.below_minimum.
    code: Option<String>,
}

const COLUMNS: &[&str] = &["code", "class", "means"];
const WITH_EXAMPLE: &[&str] = &["code", "class", "means", "example"];

/// The examples, by code; a test of the project runs every one of them.
const EXAMPLES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

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
        // All examples at once would bury the list.
        let columns = if self.code.is_some() { WITH_EXAMPLE } else { COLUMNS };
        let sheet = Sheet::new("", columns).people(COLUMNS);
        output.begin(&sheet)?;
        for doc in codes {
            output.row(sheet.values(row(doc)))?;
        }
        if output.is_table()
            && let Some(code) = &self.code
        {
            output.pass_on()?;
            example(code)
                .into_iter()
                .flat_map(str::lines)
                .try_for_each(|line| output.line(line))?;
        }
        output.end()?;
        Ok(Exit::Success)
    }
}

/// The lines of a code's example.
fn example(code: &str) -> Option<&'static str> {
    EXAMPLES.iter().find(|(of, _)| *of == code).map(|(_, lines)| *lines)
}

fn row(doc: &CodeDoc) -> Value {
    let means = doc.doc.split_whitespace().collect::<Vec<_>>().join(" ");
    json!({"code": doc.code, "class": doc.class, "means": means, "example": example(doc.code)})
}
