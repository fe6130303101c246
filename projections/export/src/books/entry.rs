//! Entries: the posting lines of one event, as the stored read model has them.

use super::chart::{Chart, Place};
use chl_events::{Account, Currency, Date};
use chl_projections::{Cell, Field, Posting};
use compact_str::CompactString;

/// The lines of one event, under the day the books count them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) posted_on: Date,
    pub(crate) position: u64,
    pub(crate) event_no: u32,
    pub(crate) effective_on: Date,
    pub(crate) event: CompactString,
    pub(crate) source: CompactString,
    pub(crate) command: CompactString,
    pub(crate) actor: CompactString,
    pub(crate) lines: Vec<Line>,
}

/// A posting line: debits are positive, credits negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// The account's number in the chart.
    pub(crate) account: usize,
    pub(crate) currency: Currency,
    pub(crate) minor: i128,
}

impl Entry {
    /// What tells the entry from all others: where its event stands in the log.
    pub(crate) fn number(&self) -> String {
        format!("{}.{}", self.position, self.event_no)
    }

    /// Reads a stored posting into the entries, the last of which it may belong to; none where the
    /// row is no posting.
    pub(crate) fn read(
        cells: &[Cell<'_>],
        chart: &mut Chart,
        entries: &mut Vec<Self>,
    ) -> Option<()> {
        let row = Row(cells);
        let (position, event_no) = (row.get("position")?, row.get("event_no")?);
        let place = Place {
            account: row.word::<Account>("account")?,
            fund: row.text("fund")?,
            programme: row.text("programme")?,
            partner: row.text("partner")?,
            lot: row.text("lot")?,
        };
        let minor = match (row.amount("debit")?, row.amount("credit")?) {
            (Some(debit), None) => debit,
            (None, Some(credit)) => credit.checked_neg()?,
            _ => return None,
        };
        let line = Line { account: chart.number(place), currency: row.get("currency")?, minor };
        if let Some(last) = entries.last_mut()
            && (last.position, last.event_no) == (position, event_no)
        {
            last.lines.push(line);
            return Some(());
        }
        entries.push(Self {
            posted_on: row.get("posted_on")?,
            position,
            event_no,
            effective_on: row.get("effective_on")?,
            event: row.get("event")?,
            source: row.get("source")?,
            command: row.get("command")?,
            actor: row.get("actor")?,
            lines: vec![line],
        });
        Some(())
    }
}

/// The cells of a stored posting, by the names of their columns.
struct Row<'a>(&'a [Cell<'a>]);

impl Row<'_> {
    fn cell(&self, name: &str) -> Option<&Cell<'_>> {
        let at = Posting::TABLE.columns.iter().position(|column| column.name == name)?;
        self.0.get(at)
    }

    fn get<T: Field>(&self, name: &str) -> Option<T> {
        T::read(self.cell(name)?.clone())
    }

    fn word<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.get::<CompactString>(name)?.parse().ok()
    }

    /// A text that may be missing.
    fn text(&self, name: &str) -> Option<Option<CompactString>> {
        self.get(name)
    }

    /// An amount in minor units that may be missing.
    fn amount(&self, name: &str) -> Option<Option<i128>> {
        let cell = self.cell(name)?;
        if let Cell::Minor(minor) = cell {
            return Some(Some(*minor));
        }
        (*cell == Cell::Null).then_some(None)
    }
}
