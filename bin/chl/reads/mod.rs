//! What can be asked of a ledger without changing it: the same answer from the owner's process and
//! from one of our own.

mod asked;
mod backup;
mod balance;
mod blocks;
mod books;
mod check;
mod closing;
mod commits;
mod condition;
mod due;
mod duplicates;
mod export;
mod export_views;
mod grounds;
mod in_file;
mod moment;
mod opening;
mod parties;
mod publication;
mod query;
mod refusals;
mod replay;
mod rows;
mod scorecard;
mod seen;
mod sql;
mod story;
mod summary;

pub(crate) use asked::Asked;
pub(crate) use backup::{Backup, LOG as BACKUP_LOG, VAULT as BACKUP_VAULT};
pub(crate) use balance::Balance;
pub(crate) use blocks::{Blocks, BlocksHead};
pub(crate) use books::{Books, BooksFormat, BooksIn};
pub(crate) use check::Check;
pub(crate) use closing::{CLOSINGS, Closing};
pub(crate) use commits::{
    COLUMNS as COMMIT_COLUMNS, NOBODY, Tail, View, command_name, json as commit_json,
};
pub(crate) use due::{DueBy, SWEEPS};
pub(crate) use duplicates::{Duplicates, REPORTS};
pub(crate) use export::{BlockLine, Export, FORMAT, First, Last, ledger_id, root};
pub(crate) use export_views::ExportViews;
pub(crate) use moment::{clock, note_frozen};
pub(crate) use opening::require_models;
pub(crate) use parties::InReadModels;
pub(crate) use publication::PUBLICATIONS;
pub(crate) use query::{Query, stored_views, unasked, view_names};
pub(crate) use replay::Replay;
pub(crate) use scorecard::{ScorecardOf, newest_quarter};
pub(crate) use seen::{MALFORMED, Page, unanswered};
pub(crate) use sql::Sql;
pub(crate) use story::{Claim, Deal};
pub(crate) use summary::summary;

use crate::{
    audit::{ExportLog, HeldOf, Keygen, Prove, SignCheckpoint, VerifyLog},
    exit::Exit,
    failure::Outcome,
    ledger::Reading,
    output::Sink,
    whatif::Other,
};
use serde::{Deserialize, Serialize};

/// A question.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Read {
    /// A read model.
    Query(Query),
    /// A statement over the read models.
    Sql(Sql),
    /// A partner's scorecards.
    Scorecard(ScorecardOf),
    /// What is due.
    Due(DueBy),
    /// Customers that look like one company.
    Duplicates(Duplicates),
    /// Why a balance is what it is.
    Balance(Balance),
    /// The story of a deal.
    Deal(Deal),
    /// The story of a claim.
    Claim(Claim),
    /// Verification.
    Check(Check),
    /// What the books hold at the end of a period.
    Closing(Closing),
    /// The postings as books of other tools.
    Books(BooksIn),
    /// Commits.
    View(View),
    /// The newest commits.
    Tail(Tail),
    /// The log's blocks, for a process that folds them itself.
    Blocks(Blocks),
    /// The log's blocks, or the commands it came from.
    Export(Export),
    /// The read models as files.
    Tables(ExportViews),
    /// A copy of the ledger.
    Backup(Backup),
    /// A new key that signs checkpoints.
    Keygen(Keygen),
    /// A signed checkpoint.
    Checkpoint(SignCheckpoint),
    /// The log as static files.
    ExportLog(ExportLog),
    /// Verification of the log against checkpoints.
    VerifyLog(VerifyLog),
    /// A receipt.
    Prove(Prove),
    /// What is held of a person.
    Person(HeldOf),
    /// What other terms would have done.
    WhatIf(Other),
    /// What each event changed.
    Replay(Replay),
}

impl Read {
    /// Answers it for another process, which is told what it waits for where that takes long.
    pub(crate) fn answer_another(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        if self.needs_models() {
            opening::wait_for_models(ledger, sink)?;
        }
        self.answer(ledger, sink)
    }

    /// Whether it opens texts of persons, or hands out their keys.
    pub(crate) fn needs_keys(&self) -> bool {
        match self {
            Self::Query(read) => read.opens_texts(),
            Self::Balance(_)
            | Self::Deal(_)
            | Self::Claim(_)
            | Self::Export(_)
            | Self::Backup(_)
            | Self::Person(_) => true,
            Self::Sql(_)
            | Self::Scorecard(_)
            | Self::Due(_)
            | Self::Duplicates(_)
            | Self::Check(_)
            | Self::Closing(_)
            | Self::Books(_)
            | Self::Tables(_)
            | Self::View(_)
            | Self::Tail(_)
            | Self::Blocks(_)
            | Self::Keygen(_)
            | Self::Checkpoint(_)
            | Self::ExportLog(_)
            | Self::VerifyLog(_)
            | Self::Prove(_)
            | Self::WhatIf(_)
            | Self::Replay(_) => false,
        }
    }

    /// Whether it is answered from the read models.
    fn needs_models(&self) -> bool {
        match self {
            Self::Query(_)
            | Self::Sql(_)
            | Self::Scorecard(_)
            | Self::Due(_)
            | Self::Duplicates(_)
            | Self::Balance(_)
            | Self::Deal(_)
            | Self::Claim(_)
            | Self::Check(_)
            | Self::Closing(_)
            | Self::Books(_)
            | Self::Tables(_) => true,
            Self::View(_)
            | Self::Tail(_)
            | Self::Blocks(_)
            | Self::Export(_)
            | Self::Backup(_)
            | Self::Keygen(_)
            | Self::Checkpoint(_)
            | Self::ExportLog(_)
            | Self::VerifyLog(_)
            | Self::Prove(_)
            | Self::Person(_)
            | Self::WhatIf(_)
            | Self::Replay(_) => false,
        }
    }

    /// Answers it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        match self {
            Self::Query(read) => read.answer(ledger, sink),
            Self::Sql(read) => read.answer(ledger, sink),
            Self::Scorecard(read) => read.answer(ledger, sink),
            Self::Due(read) => read.answer(ledger, sink),
            Self::Duplicates(read) => read.answer(ledger, sink),
            Self::Balance(read) => read.answer(ledger, sink),
            Self::Deal(read) => read.answer(ledger, sink),
            Self::Claim(read) => read.answer(ledger, sink),
            Self::Check(read) => read.answer(ledger, sink),
            Self::Closing(read) => read.answer(ledger, sink),
            Self::Books(read) => read.answer(ledger, sink),
            Self::View(read) => read.answer(ledger, sink),
            Self::Tail(read) => read.answer(ledger, sink),
            Self::Blocks(read) => read.answer(ledger, sink),
            Self::Export(read) => read.answer(ledger, sink),
            Self::Tables(read) => read.answer(ledger, sink),
            Self::Backup(read) => read.answer(ledger, sink),
            Self::Keygen(read) => read.answer(ledger, sink),
            Self::Checkpoint(read) => read.answer(ledger, sink),
            Self::ExportLog(read) => read.answer(ledger, sink),
            Self::VerifyLog(read) => read.answer(ledger, sink),
            Self::Prove(read) => read.answer(ledger, sink),
            Self::Person(read) => read.answer(ledger, sink),
            Self::WhatIf(read) => read.answer(ledger, sink),
            Self::Replay(read) => read.answer(ledger, sink),
        }
    }
}
