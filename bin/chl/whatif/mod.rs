//! `chl whatif`: what other terms would have done.
//!
//! The recorded commands are decided again in a ledger of their own, in a temporary folder, in log
//! order and with their recorded times; from a point on a programme's versions have other terms.
//! Policies and the clock arise anew. From the bottom up: [`mod@change`] says where the other terms
//! come in, [`mod@history`] hands out what is to be decided, [`deciding`] has it decided, [`chains`]
//! and [`things`] read what came of it then and now, [`mod@differences`] compares decisions,
//! [`money`] the funds, [`report`] shows both.

mod chains;
mod change;
mod deciding;
mod differences;
mod history;
mod money;
mod positions;
mod report;
mod things;

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Reading, Scratch, commits_from},
    output::Sink,
    reference::programme,
};
use change::{Change, From};
use chl_bus::Answer;
use chl_commands::programme::PublishProgramme;
use chl_events::ProgrammeId;
use deciding::decide_again;
use differences::differences;
use history::history;
use report::{Part, Report};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};

/// Decides the recorded commands again under other terms, and shows what would be different.
///
/// Nothing of the ledger is touched. Commands are decided in the order of the log, with their
/// recorded times; what the ledger's policies and its clock do arises anew. Amounts that people set
/// stay, and are capped to what is there. Refused commands are tried again as far back as the
/// decision journal reaches. docs/whatif.md says what is shown.
#[derive(Debug, clap::Args)]
pub(crate) struct WhatIf {
    /// The programme.
    #[arg(long, value_name = "PROGRAMME")]
    programme: ProgrammeId,
    /// The other terms: a PublishProgramme command or its data alone, as JSON. Its version and
    /// effective_from do not matter here.
    #[arg(long, value_name = "FILE")]
    terms: PathBuf,
    /// From this business date on, or for what was decided from this position on; without it from
    /// the programme's first version on.
    #[arg(long, value_name = "DATE|POSITION")]
    from: Option<From>,
    /// Shows one part alone.
    #[arg(long, value_name = "PART")]
    only: Option<Part>,
}

/// The question, with the terms as they were read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Other {
    terms: PublishProgramme,
    from: Option<From>,
    only: Option<Part>,
}

impl WhatIf {
    /// Reads the terms, and refuses those that nobody could publish.
    pub(crate) fn read(self) -> Outcome<Other> {
        let Self { programme, terms: file, from, only } = self;
        let name = file.display().to_string();
        let document = programme::document(&file)?;
        match programme::tried(&document)? {
            Answer::Accepted(_) => {}
            Answer::Rejected { refused, .. } => {
                let text = format!("{name} cannot be published: {}: {refused}", refused.code());
                return Err(Failure::new(Exit::Rejected, text));
            }
            Answer::Failed { failure, .. } => return Err(Failure::new(Exit::Internal, failure)),
        }
        let terms: PublishProgramme =
            serde_json::from_value(document).or_exit(Exit::Usage, &name)?;
        if terms.programme != programme {
            let other = &terms.programme;
            let text = format!("{name} has the terms of {other}, not of {programme}");
            return Err(Failure::usage(text));
        }
        Ok(Other { terms, from, only })
    }
}

impl Other {
    /// Decides again, compares, and shows the difference.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let head = ledger.log.head();
        let change = Change::find(ledger.log.as_ref(), head.next, &self.terms, self.from)?;
        let scratch = Scratch::on_disk(&history::opened(ledger.log.as_ref())?)?;
        let history = history(ledger, head.next, &change)?;
        let decided = decide_again(&scratch.client(), history, head.next, &ledger.closing)?;
        let log = scratch.reader();
        let then = commits_from(ledger.log.as_ref(), 0)?
            .take_while(|commit| commit.as_ref().map_or(true, |one| one.position < head.next));
        let differences = differences(then, commits_from(log.as_ref(), 0)?, &decided)?;
        let same_history = log.head() == head;
        let report = Report {
            change: &change,
            decided: &decided,
            differences,
            money: money::differences(Arc::clone(&ledger.log), head.next, log)?,
            commits: head.next,
            noted_since: history::noted_since(ledger)?,
            same_history,
        };
        report.show(self.only, sink)?;
        Ok(Exit::Success)
    }
}
