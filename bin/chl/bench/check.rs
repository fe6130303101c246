//! Whether a ledger that was measured is right: answers, log, sums, read models.

use super::run::Told;
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    ledger::{Owning, decoded},
    output::Sink,
    reads::Check,
};
use chl_runtime::Pace;
use serde_json::Value;
use std::collections::HashMap;

/// What does not hold; nothing, when all is well.
///
/// Every accepted answer names the commit that has its key; the log verifies from its first commit
/// on; debits equal credits; and read models built anew are those that were kept.
pub(super) fn broken(owning: &Owning, told: &Told) -> Outcome<Vec<String>> {
    let mut flaws = answers(owning, told)?;
    let mut checks = Flaws::default();
    Check {}.answer(&owning.reading, &mut checks)?;
    flaws.extend(checks.0);
    let rebuilt = owning.reading.views.rebuild(Pace::new(None, || false))?;
    let differ = rebuilt.views.iter().filter(|view| view.is_equal() != Some(true));
    flaws.extend(differ.map(|view| format!("{} built anew differs", view.rebuilt.view)));
    Ok(flaws)
}

/// Holds every accepted answer against the log.
fn answers(owning: &Owning, told: &Told) -> Outcome<Vec<String>> {
    let unread = "the log cannot be read";
    let mut taken = HashMap::new();
    for block in owning.reading.log.read(0).or_exit(Exit::Verification, unread)? {
        let block = block.or_exit(Exit::Verification, unread)?;
        for (position, bytes) in (block.first()..).zip(block.commits()) {
            let origin = decoded(position, bytes)?.origin;
            taken.insert((origin.source, origin.id), position);
        }
    }
    let mut flaws = Vec::new();
    for (origin, position) in &told.accepted {
        let key = (origin.source.clone(), origin.id.clone());
        let found = taken.get(&key);
        if found != Some(position) {
            let (source, id) = key;
            flaws.push(format!("{source} {id} was told {position} and stands at {found:?}"));
        }
    }
    Ok(flaws)
}

/// Keeps of the rows of checks those that do not hold.
#[derive(Default)]
struct Flaws(Vec<String>);

impl Sink for Flaws {
    fn row(&mut self, values: Vec<Value>) -> Outcome {
        if !values.contains(&Value::Bool(true)) {
            let texts: Vec<String> = values.iter().map(Value::to_string).collect();
            self.0.push(texts.join(" "));
        }
        Ok(())
    }
}
