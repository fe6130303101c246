//! Closing balances: what the postings say of a period's end, and what was recorded of it.

use super::{moment::Moment, query::unasked};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::{Reading, commits_from},
    output::Sink,
};
use chl_commands::ledger::RecordClosingBalances;
use chl_events::{
    Currency, Date, Event, Money, Side, Stream,
    ledger::{ClosingBalance, ClosingBalancesRecorded, LedgerEvent},
};
use chl_runtime::Reader;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Sums up what the books hold at the end of a closed period, as the command that records it:
/// `chl audit closing 2026-03-31 | chl submit`.
///
/// Close the books first (ClosePeriod): then nothing is posted in the period any more, and the sums
/// stay what they are. `chl check` compares what was recorded with the postings ever after.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Closing {
    /// The last day of the period.
    #[arg(value_name = "DATE")]
    through: Date,
}

impl Closing {
    /// Writes the command.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let through = self.through;
        let balances = balances(Moment::default().open(ledger)?.reader(), through)?;
        let data = RecordClosingBalances { through, balances };
        let id = format!("closing-{through}");
        let line = json!({ "id": id, "type": "RecordClosingBalances", "data": data });
        sink.line(&line.to_string())?;
        Ok(Exit::Success)
    }
}

/// What each account holds in each currency at the end of a day.
fn balances(reader: &mut Reader, through: Date) -> Outcome<Vec<ClosingBalance>> {
    let statement = format!(
        "SELECT book, account, currency, \
         coalesce(sum(debit_minor), 0) - coalesce(sum(credit_minor), 0) FROM postings \
         WHERE posted_on <= '{through}' GROUP BY book, account, currency"
    );
    let now = through.start_utc();
    let rows = reader.sql(&statement, now, None).map_err(unasked)?.rows;
    let read = rows.iter().map(|row| balance(row));
    let read: Option<Vec<Option<ClosingBalance>>> = read.collect();
    let mut held: Vec<_> = read.ok_or_else(unread)?.into_iter().flatten().collect();
    held.sort_by_key(|balance| (balance.book, balance.account, balance.amount.currency()));
    Ok(held)
}

/// One account's balance; none where it holds nothing.
fn balance(row: &[Value]) -> Option<Option<ClosingBalance>> {
    let [book, account, currency, minor] = row else { return None };
    let currency = Currency::new(currency.as_str()?).ok()?;
    let minor = i128::from(minor.as_i64()?);
    let side = if minor > 0 { Side::Debit } else { Side::Credit };
    let amount = Money::from_minor(minor.checked_abs()?, currency);
    let (book, account) = (book.as_str()?.parse().ok()?, account.as_str()?.parse().ok()?);
    Some((minor != 0).then_some(ClosingBalance { book, account, side, amount }))
}

fn unread() -> Failure {
    Failure::new(Exit::Internal, "the postings cannot be summed up")
}

/// What was recorded of periods that are closed, by the commits before a position.
pub(super) fn recorded(ledger: &Reading, before: u64) -> Outcome<Vec<ClosingBalancesRecorded>> {
    let mut standing: Vec<ClosingBalancesRecorded> = Vec::new();
    for commit in commits_from(ledger.log.as_ref(), 0)? {
        let commit = commit?;
        if commit.position >= before {
            break;
        }
        if commit.stream != Stream::Ledger {
            continue;
        }
        for recorded in commit.events {
            if let Event::Ledger(LedgerEvent::PeriodReopened(event)) = &recorded.event {
                standing.retain(|earlier| earlier.through < event.from);
            }
            if let Event::Ledger(LedgerEvent::ClosingBalancesRecorded(event)) = recorded.event {
                standing.retain(|earlier| earlier.through != event.through);
                standing.push(event);
            }
        }
    }
    Ok(standing)
}

/// Compares what was recorded with the postings.
pub(super) fn check(ledger: &Reading, reader: &mut Reader) -> Outcome<Value> {
    let before = reader.position().map_err(unasked)?;
    let recorded = recorded(ledger, before)?;
    let mut wrong = Vec::new();
    for event in &recorded {
        let mut stated = event.balances.clone();
        stated.sort_by_key(|balance| (balance.book, balance.account, balance.amount.currency()));
        if stated != balances(reader, event.through)? {
            wrong.push(event.through.to_string());
        }
    }
    Ok(json!({
        "check": "closing balances", "holds": wrong.is_empty(), "counted": recorded.len(),
        "found": wrong.join(" "),
    }))
}
