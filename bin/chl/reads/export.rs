//! `chl log export`: the history as lines that another ledger, or another tool, can read.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    ledger::{Reading, commits_from, decoded},
    output::Sink,
    place::absolute,
    reads::commits,
};
use chl_bus::{ExportError, export};
use chl_events::{Block, Hash, LedgerId, Stream};
use chl_log::{Chain, Verified};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    path::{Path, PathBuf},
};

/// The name and version of the format, in its first line.
pub(crate) const FORMAT: &str = "chl-log/1";

/// Writes the whole log as JSON lines: every block as its exact bytes, and readable beside.
///
/// The first line names the ledger; then a line for each block, with its bytes in base64 under
/// `block` and its commits as JSON under `commits`, which an import does not read; the last line
/// has the position and root, so that a file cut short is noticed. `chl log import` makes the same
/// ledger of it, root compared.
///
/// With --commands instead the commands from outside, from LedgerOpened on: an empty ledger that
/// imports them, with the vault, decides them again to the same root. A ledger whose log was
/// repaired has lost commands and exports blocks only.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Export {
    /// Leaves the readable commits out.
    #[arg(long)]
    bare: bool,
    /// Writes commands with their recorded times, not blocks.
    #[arg(long, conflicts_with = "bare")]
    commands: bool,
    /// Copies the vault, which opens personal data, into this new file.
    #[arg(long, value_name = "FILE")]
    vault: Option<PathBuf>,
    /// Exports what this node's own folder has, and asks no server: for a ledger whose servers are
    /// lost. The node must not run.
    #[arg(long, conflicts_with = "vault")]
    pub(crate) copy: bool,
}

/// The first line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct First {
    /// The format.
    pub(crate) export: String,
    /// The ledger, in hexadecimal digits.
    pub(crate) ledger: String,
}

/// The line of a block.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BlockLine {
    /// The position of its first commit.
    pub(crate) first: u64,
    /// Its exact bytes, in base64.
    pub(crate) block: String,
    /// Its commits, for people and other tools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) commits: Vec<serde_json::Value>,
}

/// The last line of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Last {
    /// How many commits there are.
    pub(crate) next: u64,
    /// The root of the tree over them, in hexadecimal digits.
    pub(crate) root: String,
}

impl Export {
    /// The same, with a file that every process understands alike.
    pub(crate) fn absolute(self) -> Outcome<Self> {
        let vault = self.vault.as_deref().map(absolute).transpose()?;
        Ok(Self { vault, ..self })
    }

    /// Writes the lines, and the vault's copy.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        if self.commands {
            commands(ledger, sink)?;
        } else {
            self.blocks(ledger, sink)?;
        }
        // The vault comes last: it has the keys of every line above.
        if let Some(path) = &self.vault {
            copy_vault(ledger, path)?;
        }
        Ok(Exit::Success)
    }

    /// Writes the blocks, checking every root on the way.
    fn blocks(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome {
        let id = ledger.log.head().ledger;
        line(sink, &First { export: FORMAT.to_owned(), ledger: id.to_string() })?;
        let unread = "the log cannot be read";
        let blocks = ledger.log.read(0).or_own_exit(unread)?;
        let mut blocks = Verified::new(blocks, Chain::new(id));
        for block in blocks.by_ref() {
            let block = block.or_own_exit(unread)?;
            line(sink, &self.block(&block)?)?;
        }
        let head = blocks.reached().head();
        line(sink, &Last { next: head.next, root: head.root.to_string() })
    }

    fn block(&self, block: &Block) -> Outcome<BlockLine> {
        let mut shown = Vec::new();
        if !self.bare {
            for (position, bytes) in (block.first()..).zip(block.commits()) {
                shown.push(commits::json(&decoded(position, bytes)?, &commits::NOBODY)?);
            }
        }
        let bytes = BASE64.encode(block.bytes());
        Ok(BlockLine { first: block.first(), block: bytes, commits: shown })
    }
}

/// Writes the commands from outside. A history that commands cannot make again is refused before
/// the first line: half an export would import as a ledger that never was.
fn commands(ledger: &Reading, sink: &mut dyn Sink) -> Outcome {
    for commit in commits_from(ledger.log.as_ref(), 0)? {
        let commit = commit?;
        if commit.stream == Stream::Ledger {
            export(&commit).map_err(|error| unexported(&error))?;
        }
    }
    for commit in commits_from(ledger.log.as_ref(), 0)? {
        if let Some(line) = export(&commit?).map_err(|error| unexported(&error))? {
            sink.line(&line)?;
        }
    }
    Ok(())
}

fn unexported(error: &ExportError) -> Failure {
    match error {
        ExportError::Repair(_) => Failure::usage(format_args!(
            "{error}; export its blocks instead, with `chl log export` and no --commands: they hold \
             the repair as it was recorded"
        )),
        ExportError::Command { .. } | ExportError::Json { .. } => {
            Failure::new(Exit::Verification, format_args!("no export of commands: {error}"))
        }
    }
}

/// Copies the vault into a new file; a ledger that never sealed a text has none.
pub(super) fn copy_vault(ledger: &Reading, path: &Path) -> Outcome {
    let Some(vault) = &ledger.vault else { return Ok(()) };
    let failed = format!("the vault cannot be copied to {}", path.display());
    if path.exists() {
        return Err(Failure::usage(format_args!("{failed}: there is a file already")));
    }
    vault.copy_to(path).or_exit(Exit::Internal, &failed)?;
    File::open(path).and_then(|file| file.sync_all()).or_exit(Exit::Internal, failed)
}

fn line(sink: &mut dyn Sink, what: &impl Serialize) -> Outcome {
    let text = serde_json::to_string(what).or_exit(Exit::Internal, "a line cannot be written")?;
    sink.line(&text)
}

/// Reads the 32 hexadecimal digits of a ledger's id.
pub(crate) fn ledger_id(text: &str) -> Option<LedgerId> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok().map(LedgerId)
}

/// Reads the 64 hexadecimal digits of a root.
pub(crate) fn root(text: &str) -> Option<Hash> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok().map(Hash)
}
