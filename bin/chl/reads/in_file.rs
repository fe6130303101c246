//! A file that `chl follow` keeps, asked in place of a ledger's own read models.

use super::{moment::Past, rows::show_last};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    output::Sink,
};
use chl_runtime::{Answer, Reader};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which file, where it is not the ledger's own. Nobody names one through a socket or a bus.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
pub(crate) struct InFile {
    /// Asks this file, which `chl follow` keeps, and not the ledger: as far as it has come.
    #[arg(long = "views", value_name = "FILE", conflicts_with_all = ["as_of", "effective"])]
    #[serde(skip)]
    path: Option<PathBuf>,
}

impl InFile {
    /// Whether there is one.
    pub(crate) fn is_named(&self) -> bool {
        self.path.is_some()
    }

    /// Opens it.
    pub(super) fn open(&self) -> Outcome<Past> {
        let path = self.path.as_deref().ok_or_else(|| Failure::usage("--views names no file"))?;
        let reader = Reader::open(path);
        Ok(Past::now_in(reader.or_exit(Exit::Usage, format_args!("--views {}", path.display()))?))
    }

    /// Shows what was found in it.
    pub(super) fn show(
        &self,
        view: Option<&str>,
        mut answer: Answer,
        sink: &mut dyn Sink,
    ) -> Outcome<Exit> {
        let frozen = std::mem::take(&mut answer.frozen);
        show_last("", view, answer, sink)?;
        for one in frozen {
            sink.note(&format!("{one}; `chl follow --rebuild` makes it anew"))?;
        }
        Ok(Exit::Success)
    }
}
