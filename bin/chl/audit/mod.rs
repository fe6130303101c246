//! `chl audit`: what an auditor or a partner verifies without believing anybody.

mod cadence;
mod check;
mod checkpoint;
mod export;
mod keygen;
mod keys;
mod person;
mod prove;
mod verify;

pub(crate) use cadence::CheckpointEvery;
pub(crate) use checkpoint::SignCheckpoint;
pub(crate) use export::ExportLog;
pub(crate) use keygen::Keygen;
pub(crate) use person::HeldOf;
pub(crate) use prove::Prove;
pub(crate) use verify::VerifyLog;

use crate::{
    asking,
    exit::Exit,
    failure::{Failure, Outcome},
    output::Output,
    place::{Place, absolute_folder},
    reads::{Books, BooksFormat, BooksIn, CLOSINGS, Closing, Read},
    writes,
};
use check::Check;
use std::path::PathBuf;
use verify::Verify;

/// Signs, publishes and proves the history, verifies what was published or proved, and lists what is
/// held of a person.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Audit {
    Keygen(Keygen),
    Checkpoint(SignCheckpoint),
    Export(Export),
    Closing(Closing),
    Verify(Verify),
    Prove(Prove),
    Check(Check),
    Person(HeldOf),
}

/// Publishes the log in a folder, or with --format writes the books for other people's tools.
///
/// In a folder: static files in the form of C2SP tlog-tiles, `checkpoint`, `tile/…`, and with
/// --entries `tile/entries/…`, under a checkpoint signed now. Hashes alone show nothing of what the
/// ledger holds, and prove to partners that receipts and checkpoints are of one history; the entries
/// are for auditors. An earlier export is gone on with.
///
/// As books, to standard output: every posting as a transaction of hledger, Beancount or CSV, with
/// the balances that those tools check by themselves.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").args(["folder", "format"]).required(true))]
pub(crate) struct Export {
    /// The folder to publish the log in.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Publishes the entries, too.
    #[arg(long, conflicts_with = "format")]
    entries: bool,
    /// Whose books to write.
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<BooksFormat>,
    #[command(flatten)]
    books: Books,
}

impl Export {
    /// The question it is.
    fn read(self) -> Outcome<Read> {
        let Self { folder, entries, format, books } = self;
        match (folder, format) {
            (Some(folder), _) => {
                Ok(Read::ExportLog(ExportLog { folder: absolute_folder(&folder)?, entries }))
            }
            (None, Some(format)) => Ok(Read::Books(BooksIn { format, books })),
            (None, None) => Err(Failure::usage("name a folder, or --format for the books")),
        }
    }
}

impl Audit {
    /// Does what was asked.
    pub(crate) fn run(self, place: &Place, mut output: Output) -> Outcome<Exit> {
        match self {
            Self::Keygen(call) => asking::ask(place, Read::Keygen(call), output),
            Self::Checkpoint(call) => asking::ask(place, Read::Checkpoint(call), output),
            Self::Export(call) => asking::ask(place, call.read()?, output),
            Self::Closing(call) if call.record => {
                writes::submit_computed(place, Read::Closing(call), CLOSINGS, output)
            }
            Self::Closing(call) => asking::ask(place, Read::Closing(call), output),
            Self::Person(call) => asking::ask(place, Read::Person(call), output),
            Self::Prove(call) => asking::ask(place, Read::Prove(call), output),
            Self::Verify(call) => match call.published(&mut output)? {
                Some(exit) => {
                    output.end()?;
                    Ok(exit)
                }
                None => asking::ask(place, Read::VerifyLog(call.of_log()?), output),
            },
            Self::Check(call) => {
                let exit = call.answer(&mut output)?;
                output.end()?;
                Ok(exit)
            }
        }
    }
}
