//! `chl sql`: the read models as SQL tables, read-only.

use super::{
    moment::Moment,
    query::{show, unasked},
};
use crate::{exit::Exit, failure::Outcome, ledger::Reading, output::Sink};
use serde::{Deserialize, Serialize};

/// Runs one SQL statement that only reads the read models.
///
/// Tables are those of `chl query` (`chl sql "SELECT name FROM sqlite_schema"` lists them). An
/// amount is its decimal text, and `COLUMN_minor` the same as an exact whole number of minor units.
/// Deals and conflicts have the column `effective_state`: what they are at the moment of asking.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Sql {
    /// The statement, in SQLite's dialect.
    statement: String,
    #[command(flatten)]
    moment: Moment,
}

impl Sql {
    /// Runs it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let mut past = self.moment.open(ledger)?;
        let now = past.now();
        let answer = past.reader().sql(&self.statement, now).map_err(unasked)?;
        show("", None, answer, sink)?;
        Ok(Exit::Success)
    }
}
