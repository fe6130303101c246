//! `chl audit export --format`: the postings as books that other people's tools check.

use super::{
    closing::{Closings, require_postings},
    export_views::unexported,
    moment::{Moment, note},
    query::unasked,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::Reading,
    output::Sink,
};
use chl_events::Date;
use chl_export::{ExportError, Period, Tool, write_books};
use serde::{Deserialize, Serialize};

/// Which books.
#[derive(Debug, Clone, Copy, Default, clap::Args, Serialize, Deserialize)]
pub(crate) struct Books {
    /// Only what the books count on DATE or later (`posted_on`); what was before is one opening
    /// entry.
    #[arg(long, value_name = "DATE", conflicts_with = "folder")]
    from: Option<Date>,
    /// Only what the books count on DATE or earlier.
    #[arg(long, value_name = "DATE", conflicts_with = "folder")]
    to: Option<Date>,
    #[command(flatten)]
    moment: Moment,
}

/// Whose books.
#[derive(Debug, Clone, Copy, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BooksFormat {
    /// hledger's journal; every posting asserts its account's balance.
    Hledger,
    /// Beancount's ledger; balances at the end of each month and at the end.
    Beancount,
    /// Comma-separated values (RFC 4180), a posting line a row.
    Csv,
}

/// The postings as books of a tool.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct BooksIn {
    pub(crate) format: BooksFormat,
    pub(crate) books: Books,
}

impl BooksIn {
    /// Writes them.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let Books { from, to, moment } = self.books;
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(Failure::usage(format_args!("--from {from} is after --to {to}")));
        }
        let tool = match self.format {
            BooksFormat::Hledger => Tool::Hledger,
            BooksFormat::Beancount => Tool::Beancount,
            BooksFormat::Csv => Tool::Csv,
        };
        let mut past = moment.open(ledger)?;
        require_postings(past.reader())?;
        let before = past.reader().position().map_err(unasked)?;
        let closings = Closings::before(ledger, before)?.recorded;
        let mut write = |text: &str| sink.line(text).map_err(Unwritten::Sink);
        let written = write_books(past.reader(), tool, Period { from, to }, &closings, &mut write);
        let written = written.map_err(|unwritten| match unwritten {
            Unwritten::Sink(failure) => failure,
            Unwritten::Export(error) => unexported(error),
        })?;
        sink.note(&format!(
            "{} transactions, {} posting lines",
            written.transactions, written.lines
        ))?;
        note(sink, written.position, written.recorded_at)?;
        Ok(Exit::Success)
    }
}

/// Why books did not get written to their end.
enum Unwritten {
    Sink(Failure),
    Export(ExportError),
}

impl From<ExportError> for Unwritten {
    fn from(error: ExportError) -> Self {
        Self::Export(error)
    }
}
