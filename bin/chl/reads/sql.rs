//! `chl sql`: the read models as SQL tables, read-only.

use super::{
    in_file::InFile,
    moment::{Moment, Past},
    query::{at_least_one, unasked},
    rows::show_last,
};
use crate::{exit::Exit, failure::Outcome, ledger::Reading, output::Sink};
use chl_runtime::Answer;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Runs one SQL statement that only reads the read models.
///
/// Tables are those of `chl query` (`chl sql "SELECT name FROM sqlite_schema"` lists them). An
/// amount is its decimal text, and `COLUMN_minor` the same as an exact whole number of minor units.
/// Deals, conflicts and claims have what depends on the moment of asking as columns, too, such as
/// `effective_state`, `days_left`, `age_days` and `overdue`.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Sql {
    /// The statement, in SQLite's dialect.
    statement: String,
    /// Stops the statement after so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = at_least_one())]
    time_limit: u64,
    #[command(flatten)]
    moment: Moment,
    #[command(flatten)]
    pub(crate) file: InFile,
}

impl Sql {
    /// Runs it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let answer = self.select(self.moment.open(ledger)?)?;
        let position = answer.position;
        show_last("", None, answer, sink)?;
        self.moment.note_lag(ledger, position, sink)?;
        Ok(Exit::Success)
    }

    /// Runs it on the file that it names.
    pub(crate) fn answer_in_file(&self, sink: &mut dyn Sink) -> Outcome<Exit> {
        self.file.show(None, self.select(self.file.open()?)?, sink)
    }

    fn select(&self, mut past: Past) -> Outcome<Answer> {
        let now = past.now();
        let limit = Some(Duration::from_secs(self.time_limit));
        past.reader().sql(&self.statement, now, limit).map_err(unasked)
    }
}
