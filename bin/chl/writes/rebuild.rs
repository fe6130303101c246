//! `chl rebuild`: the read models anew, from the log.

use super::service::rebuild;
use crate::{
    asking::open_to_read,
    exit::Exit,
    failure::Outcome,
    output::Output,
    owner::{Reached, Request, reach},
    place::Place,
};

/// Builds all read models anew beside the old ones, compares both, and switches.
///
/// Readers go on meanwhile. Ends with 6 when the old ones differed; those built anew are in their
/// place then.
#[derive(Debug, clap::Args)]
pub(crate) struct Rebuild {}

impl Rebuild {
    /// Rebuilds.
    pub(crate) fn run(&self, place: &Place, mut output: Output) -> Outcome<Exit> {
        let exit = match reach(place, || open_to_read(place))? {
            Reached::Owner(connection) => connection.ask(Request::Rebuild, &mut output)?,
            Reached::Own(ledger) => rebuild(&ledger.reading, &mut output)?,
        };
        output.end()?;
        Ok(exit)
    }
}
