//! `chl programme diff`: in which rules two versions of a programme differ.

use super::programme::{document, tried};
use crate::{
    asking,
    exit::Exit,
    failure::{Failure, Outcome, Step},
    output::{Output, Rows, Sheet, Sink},
    place::Place,
    reads::{Asked, Read},
};
use chl_bus::Answer;
use chl_events::{Event, ProgrammeId, programme::ProgrammeEvent};
use serde_json::{Value, json};
use std::path::Path;

/// Shows in which rules two versions of a programme differ, every default written out.
///
/// Each is a file, as for `chl programme check`, or a version that this ledger has: `gold@2`, or
/// `gold` for the newest. A rule is named by its place in the terms, as `/coop/accrual/0/tier`
/// (RFC 6901); what one of them does not have is null there.
#[derive(Debug, clap::Args)]
pub(crate) struct Diff {
    /// The older one.
    #[arg(value_name = "FILE|PROGRAMME[@VERSION]")]
    old: String,
    /// The newer one.
    #[arg(value_name = "FILE|PROGRAMME[@VERSION]")]
    new: String,
}

impl Diff {
    /// Compares them.
    pub(crate) fn run(&self, place: &Place, mut output: Output) -> Outcome<Exit> {
        let (old, new) = (rules(place, &self.old)?, rules(place, &self.new)?);
        let sheet = Sheet::new("", &["rule", "old", "new"]);
        output.begin(&sheet)?;
        let mut differences = Vec::new();
        compare(String::new(), &old, &new, &mut differences);
        for (rule, old, new) in differences {
            let row = json!({ "rule": rule, "old": old, "new": new });
            output.row(sheet.values(row))?;
        }
        output.end()?;
        Ok(Exit::Success)
    }
}

/// What a version says: its terms, and beside them its currency and its time zone.
fn rules(place: &Place, of: &str) -> Outcome<Value> {
    let (currency, time_zone, mut terms) =
        if Path::new(of).exists() { in_file(of)? } else { published(place, of)? };
    if let Some(fields) = terms.as_object_mut() {
        fields.insert("currency".into(), currency);
        fields.insert("time_zone".into(), time_zone);
    }
    Ok(terms)
}

fn in_file(file: &str) -> Outcome<(Value, Value, Value)> {
    let answer = tried(&document(Path::new(file))?)?;
    let Answer::Accepted(accepted) = answer else {
        let text = format!("{file} cannot be published; `chl programme check {file}` says why");
        return Err(Failure::new(Exit::Rejected, text));
    };
    let event = accepted.commit.events.iter().find_map(|recorded| {
        let Event::Programme(event) = &recorded.event else { return None };
        let ProgrammeEvent::ProgrammePublished(event) = event;
        Some(event)
    });
    let event = event.ok_or_else(|| Failure::new(Exit::Internal, "nothing was published"))?;
    let terms = serde_json::to_value(&event.terms).or_exit(Exit::Internal, file)?;
    Ok((json!(event.currency), json!(event.time_zone), terms))
}

fn published(place: &Place, of: &str) -> Outcome<(Value, Value, Value)> {
    let (name, version) = match of.split_once('@') {
        None => (of, None),
        Some((name, version)) => {
            let wrong = |_| Failure::usage(format_args!("{version:?} in {of:?} is no version"));
            (name, Some(version.parse::<u32>().map_err(wrong)?))
        }
    };
    let unknown = || {
        let text = format!("{of} is neither a file nor a version of a programme in this ledger");
        Failure::new(Exit::Usage, text)
    };
    let programme: ProgrammeId = name.parse().map_err(|_| unknown())?;
    let mut found = Rows::default();
    asking::ask_into(place, Read::Query(Asked::versions_of(&programme)?), &mut found)?;
    let number = |row: &Value| row.get("version").and_then(Value::as_u64);
    let wanted = |row: &Value| version.is_none() || number(row) == version.map(u64::from);
    let row = found.rows.into_iter().filter(wanted).max_by_key(number).ok_or_else(unknown)?;
    let of = |field: &str| row.get(field).cloned().unwrap_or_default();
    Ok((of("currency"), of("time_zone"), of("terms")))
}

/// Finds the smallest parts in which two documents differ, in the order of their places.
fn compare(at: String, old: &Value, new: &Value, to: &mut Vec<(String, Value, Value)>) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            let mut fields: Vec<&String> = before.keys().chain(after.keys()).collect();
            fields.sort_unstable();
            fields.dedup();
            for field in fields {
                let of = |fields: &serde_json::Map<String, Value>| {
                    fields.get(field).cloned().unwrap_or_default()
                };
                compare(format!("{at}/{field}"), &of(before), &of(after), to);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for place in 0..before.len().max(after.len()) {
                let of = |items: &[Value]| items.get(place).cloned().unwrap_or_default();
                compare(format!("{at}/{place}"), &of(before), &of(after), to);
            }
        }
        (old, new) if old == new => {}
        (old, new) => to.push((at, old.clone(), new.clone())),
    }
}
