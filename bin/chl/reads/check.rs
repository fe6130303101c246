//! `chl check`: whether the log is whole and the numbers agree.

use super::{
    closing,
    moment::{Moment, Past},
    query::unasked,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, StepToOwnExit},
    ledger::{Reading, decoded},
    output::{Sheet, Sink},
    talk,
};
use chl_log::{Chain, Verified};
use chl_runtime::{Reader, View};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Verifies the log from the first commit on, and the sums of the read models.
///
/// Every block's checksum, every root and every commit's bytes; debits and credits per event, book
/// and currency; and the identity of balances: available + held + payable + reserved = accrued −
/// reversed − expired − converted − paid + restored; the closing balances that were recorded of
/// periods; and that no read model is frozen. Ends with 6 when something does not hold.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Check {}

const COLUMNS: &[&str] = &["check", "holds", "counted", "found"];

/// The rows of `balances` for which the identity does not hold.
const BROKEN_BALANCES: &str = "\
SELECT partner || ' ' || programme || ' ' || fund || ' ' || lot FROM balances \
WHERE available_minor + held_minor + payable_minor + reserved_minor <> accrued_minor \
- reversed_minor - expired_minor - converted_minor - paid_minor + restored_minor";
/// The accounts that must never be below nothing, by lot.
const NEGATIVE_BALANCES: &str = "\
SELECT partner || ' ' || programme || ' ' || fund || ' ' || lot FROM balances \
WHERE available_minor < 0 OR held_minor < 0 OR payable_minor < 0 OR reserved_minor < 0";
const COUNT_BALANCES: &str = "SELECT count(*) FROM balances";

impl Check {
    /// Verifies all of it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let sheet = Sheet::new("", COLUMNS);
        sink.begin(&sheet)?;
        let log = log(ledger)?;
        let mut past = Moment::default().open(ledger)?;
        let rows = [
            log,
            read_models(past.reader())?,
            postings(past.reader())?,
            balances(&mut past, "identity of balances", BROKEN_BALANCES)?,
            balances(&mut past, "balances not below zero", NEGATIVE_BALANCES)?,
            closing::check(ledger, past.reader())?,
        ];
        let mut exit = Exit::Success;
        for row in rows {
            if row.get("holds") != Some(&Value::Bool(true)) {
                exit = Exit::Verification;
            }
            sink.row(sheet.values(row))?;
        }
        Ok(exit)
    }
}

/// Reads the whole log; damage is a failure of its own.
fn log(ledger: &Reading) -> Outcome<Value> {
    let head = ledger.log.head();
    let unread = "the log fails verification";
    let bar = talk::progress("verifying the log", Some(head.next));
    let blocks = ledger.log.read(0).or_own_exit(unread)?;
    let mut blocks = Verified::new(blocks, Chain::new(head.ledger));
    for block in blocks.by_ref() {
        let block = block.or_own_exit(unread)?;
        for (position, bytes) in (block.first()..).zip(block.commits()) {
            let commit = decoded(position, bytes)?;
            if commit.position != position {
                return Err(Failure::new(
                    Exit::Verification,
                    format_args!("{unread}: position {position} holds commit {}", commit.position),
                ));
            }
        }
        bar.set_position(block.next());
    }
    bar.finish_and_clear();
    let reached = blocks.reached().head();
    // The owner may have gone on meanwhile; it never went back.
    let holds =
        reached.next >= head.next && (reached.next > head.next || reached.root == head.root);
    Ok(json!({
        "check": "log", "holds": holds, "counted": reached.next,
        "found": format!("root {}", reached.root),
    }))
}

/// Whether each read model follows the log.
fn read_models(reader: &Reader) -> Outcome<Value> {
    let frozen = reader.frozen(View::ALL).map_err(unasked)?;
    let named: Vec<String> = frozen.iter().map(ToString::to_string).collect();
    Ok(json!({
        "check": "read models follow", "holds": frozen.is_empty(), "counted": View::ALL.len(),
        "found": named.join("; "),
    }))
}

fn postings(reader: &Reader) -> Outcome<Value> {
    let trial = reader.trial_balance(None).map_err(unasked)?;
    let named = trial.unbalanced.iter().take(10);
    let named: Vec<String> = named.map(|(position, event)| format!("{position}.{event}")).collect();
    Ok(json!({
        "check": "debits equal credits", "holds": trial.is_balanced(), "counted": trial.lines,
        "found": named.join(" "),
    }))
}

fn balances(past: &mut Past, check: &str, broken: &str) -> Outcome<Value> {
    let now = past.now();
    let counted = past.reader().sql(COUNT_BALANCES, now, None).map_err(unasked)?;
    let counted = counted.rows.into_iter().flatten().next().unwrap_or_default();
    let found = past.reader().sql(broken, now, None).map_err(unasked)?;
    let named: Vec<Value> = found.rows.into_iter().flatten().take(10).collect();
    Ok(json!({
        "check": check, "holds": named.is_empty(), "counted": counted, "found": named,
    }))
}
