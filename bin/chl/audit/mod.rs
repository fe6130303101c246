//! `chl audit`: what an auditor or a partner verifies without believing anybody.

mod cadence;
mod check;
mod checkpoint;
mod export;
mod keygen;
mod keys;
mod prove;
mod verify;

pub(crate) use cadence::CheckpointEvery;
pub(crate) use checkpoint::SignCheckpoint;
pub(crate) use export::ExportLog;
pub(crate) use keygen::Keygen;
pub(crate) use prove::Prove;
pub(crate) use verify::VerifyLog;

use crate::{asking, exit::Exit, failure::Outcome, output::Output, place::Place, reads::Read};
use check::Check;
use verify::Verify;

/// Signs, publishes and proves the history, and verifies what was published or proved.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Audit {
    Keygen(Keygen),
    Checkpoint(SignCheckpoint),
    Export(ExportLog),
    Verify(Verify),
    Prove(Prove),
    Check(Check),
}

impl Audit {
    /// Does what was asked.
    pub(crate) fn run(self, place: &Place, mut output: Output) -> Outcome<Exit> {
        match self {
            Self::Keygen(call) => asking::ask(place, Read::Keygen(call), output),
            Self::Checkpoint(call) => asking::ask(place, Read::Checkpoint(call), output),
            Self::Export(call) => asking::ask(place, Read::ExportLog(call.absolute()?), output),
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
