//! Closing balances: what the postings say of a period's end, and what was recorded of it.

use super::{
    moment::{Moment, note, require_moving},
    query::unasked,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Reading, commits_from},
    output::{Sheet, Sink},
};
use chl_commands::ledger::RecordClosingBalances;
use chl_events::{
    Date, Event, Money, Side, Stream, UnknownWord,
    ledger::{ClosingBalance, ClosingBalancesRecorded, LedgerEvent},
};
use chl_runtime::{Reader, Sum, View};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The source of closing balances.
pub(crate) const CLOSINGS: &str = "/chl/closings";

/// The columns of a balance.
const COLUMNS: &[&str] = &["book", "account", "side", "amount", "currency"];

/// Sums up what each account holds at the end of a closed period.
///
/// Close the books first (ClosePeriod): then nothing is posted in the period any more, and the sums
/// stay what they are. `chl check` compares what was recorded with the postings ever after.
#[derive(Debug, Clone, Copy, clap::Args, Serialize, Deserialize)]
pub(crate) struct Closing {
    /// The last day of the period: the last that is closed.
    #[arg(value_name = "DATE")]
    through: Date,
    /// Records them (RecordClosingBalances). Prints the answer.
    #[arg(long)]
    pub(crate) record: bool,
}

impl Closing {
    /// Shows them, or makes them the command that records them.
    pub(crate) fn answer(self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let Self { through, record } = self;
        let mut past = Moment::default().open(ledger)?;
        let reader = past.reader();
        require_postings(reader)?;
        let checkpoint = reader.checkpoint().map_err(unasked)?;
        let closed_at = Closings::before(ledger, checkpoint.position)?.closed_at(through)?;
        let balances = balances(reader, through)?;
        if record {
            // A period that was opened and closed once more is recorded once more.
            let id = format!("closing-{through}-{closed_at}");
            let data = RecordClosingBalances { through, balances };
            let line = json!({ "id": id, "type": "RecordClosingBalances", "data": data });
            sink.line(&line.to_string())?;
            return Ok(Exit::Success);
        }
        let sheet = Sheet::new("", COLUMNS);
        sink.begin(&sheet)?;
        for ClosingBalance { book, account, side, amount } in balances {
            sink.row(sheet.values(json!({
                "book": book, "account": account, "side": side,
                "amount": amount.amount(), "currency": amount.currency(),
            })))?;
        }
        note(sink, checkpoint.position, checkpoint.recorded_at)?;
        Ok(Exit::Success)
    }
}

/// Refuses postings that stand still: what is made of them would lack what was posted since.
pub(super) fn require_postings(reader: &Reader) -> Outcome {
    require_moving(&reader.frozen(&[View::Postings]).map_err(unasked)?)
}

/// What each account holds in each currency at the end of a day.
fn balances(reader: &Reader, through: Date) -> Outcome<Vec<ClosingBalance>> {
    let trial = reader.trial_balance(Some(through)).map_err(unasked)?;
    let held = trial.accounts.iter().filter(|sum| sum.debit != sum.credit);
    let held: Result<Vec<_>, _> = held.map(balance).collect();
    let mut held = held.or_exit(Exit::Internal, "the postings' sums")?;
    held.sort_by_key(|balance| (balance.book, balance.account, balance.amount.currency()));
    Ok(held)
}

/// One account's balance.
fn balance(sum: &Sum) -> Result<ClosingBalance, UnknownWord> {
    let (book, account) = (sum.book.parse()?, sum.account.parse()?);
    let (debit, credit) = (sum.debit.minor(), sum.credit.minor());
    let side = if debit > credit { Side::Debit } else { Side::Credit };
    let amount = Money::from_minor((debit - credit).abs(), sum.debit.currency());
    Ok(ClosingBalance { book, account, side, amount })
}

/// How far the books are closed, and what was recorded of periods that still are.
#[derive(Debug, Default)]
pub(super) struct Closings {
    /// The last day that is closed, and the position that made it so.
    closed: Option<(Date, u64)>,
    /// The balances of closed periods.
    pub(super) recorded: Vec<ClosingBalancesRecorded>,
}

impl Closings {
    /// As the commits before a position left them.
    pub(super) fn before(ledger: &Reading, before: u64) -> Outcome<Self> {
        let mut closings = Self::default();
        for commit in commits_from(ledger.log.as_ref(), 0)? {
            let commit = commit?;
            if commit.position >= before {
                break;
            }
            if commit.stream != Stream::Ledger {
                continue;
            }
            for recorded in commit.events {
                if let Event::Ledger(event) = recorded.event {
                    closings.fold(commit.position, event);
                }
            }
        }
        Ok(closings)
    }

    fn fold(&mut self, position: u64, event: LedgerEvent) {
        match event {
            LedgerEvent::PeriodClosed(event) => self.closed = Some((event.through, position)),
            LedgerEvent::PeriodReopened(event) => {
                self.closed = event.from.plus_days(-1).map(|through| (through, position));
                self.recorded.retain(|earlier| earlier.through < event.from);
            }
            LedgerEvent::ClosingBalancesRecorded(event) => {
                self.recorded.retain(|earlier| earlier.through != event.through);
                self.recorded.push(event);
            }
            LedgerEvent::LedgerOpened(_)
            | LedgerEvent::LogRepaired(_)
            | LedgerEvent::EntryReversed(_)
            | LedgerEvent::PersonForgotten(_) => {}
        }
    }

    /// The position that closed the books through a day, and through no later one.
    fn closed_at(&self, through: Date) -> Outcome<u64> {
        match self.closed {
            Some((last, position)) if last == through => Ok(position),
            Some((last, _)) => Err(Failure::usage(format_args!(
                "the books are closed through {last}, not {through}"
            ))),
            None => Err(Failure::usage(format_args!(
                "the books are not closed; ClosePeriod with \"through\": \"{through}\" closes them"
            ))),
        }
    }
}

/// Compares what was recorded with the postings.
pub(super) fn check(ledger: &Reading, reader: &Reader) -> Outcome<Value> {
    let before = reader.position().map_err(unasked)?;
    let recorded = Closings::before(ledger, before)?.recorded;
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
