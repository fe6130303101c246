//! `chl log import`: an exported history becomes a ledger, with the same root.

use super::replay::{Refused, birth_of, replay};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    input::Input,
    ledger::{open_vault, require_log},
    output::{Output, Sheet, Sink},
    place::Place,
    reads::{BlockLine, FORMAT, First, Last, ledger_id, root},
    talk,
};
use chl_events::Block;
use chl_log::{EventLog, Head};
use chl_log_files::{create_dir, rename_durably};
use chl_log_sled::{Options, SledLog};
use data_encoding::BASE64;
use serde_json::json;
use std::{
    fs::{self, File},
    io::{self, BufRead},
    path::{Path, PathBuf},
};

/// So many blocks become durable together.
const BLOCKS_AT_ONCE: usize = 256;

/// Makes an empty ledger of what `chl log export` wrote, and compares the root.
///
/// An export of blocks is taken as it is; one of commands (--commands) is decided again, with its
/// recorded times. The ledger appears whole or not at all. Personal data can be read only with the
/// vault of the exported ledger.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportLog {
    /// The export; without it, or with `-`, standard input.
    file: Option<PathBuf>,
    /// The vault that `chl log export --vault` copied.
    #[arg(long, value_name = "FILE")]
    vault: Option<PathBuf>,
}

/// The lines of an export, with their numbers.
struct Lines {
    lines: io::Lines<Box<dyn BufRead + Send>>,
    name: String,
    number: u64,
}

impl Lines {
    fn open(file: Option<&Path>) -> Outcome<Self> {
        let Input { from, name } = Input::open(file)?;
        Ok(Self { lines: from.lines(), name, number: 0 })
    }

    fn wrong(&self, what: impl std::fmt::Display) -> Failure {
        let text = format!("{}, line {}: {what}", self.name, self.number);
        Failure::new(Exit::Verification, text)
    }
}

impl Iterator for Lines {
    type Item = Outcome<String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.number += 1;
        let line = self.lines.next()?;
        Some(line.map_err(|error| self.wrong(error)))
    }
}

impl ImportLog {
    /// Imports.
    pub(crate) fn run(&self, place: &Place, mut output: Output) -> Outcome<Exit> {
        if place.exists() {
            return Err(Failure::usage(format_args!(
                "ledger {:?} is there already; an import makes a new one, so choose another \
                 --ledger or --data",
                place.ledger()
            )));
        }
        require_log(place)?;
        let mut lines = Lines::open(self.file.as_deref())?;
        let first = lines.next().transpose()?.unwrap_or_default();
        fs::create_dir_all(place.dir()).or_exit(Exit::Unavailable, place.dir().display())?;
        if let Some(vault) = &self.vault {
            let copied = fs::copy(vault, place.vault())
                .and_then(|_| File::open(place.vault()).and_then(|file| file.sync_all()));
            copied.or_exit(Exit::Usage, format_args!("the vault {}", vault.display()))?;
        } else {
            open_vault(place)?;
        }
        let head = match serde_json::from_str::<First>(&first) {
            Ok(begun) if begun.export == FORMAT => blocks(place, &begun, &mut lines)?,
            Ok(begun) => {
                return Err(Failure::usage(format_args!(
                    "an export of the form {:?}; this release reads {FORMAT:?}",
                    begun.export
                )));
            }
            Err(_) => commands(place, &first, lines, &mut output)?,
        };
        let sheet = Sheet::new("", &["ledger", "commits", "root"]);
        output.begin(&sheet)?;
        output.row(sheet.values(json!({
            "ledger": head.ledger.to_string(), "commits": head.next, "root": head.root.to_string(),
        })))?;
        output.end()?;
        Ok(Exit::Success)
    }
}

/// Builds the log beside, block by block, and gives it its name when all of it is there.
fn blocks(place: &Place, first: &First, lines: &mut Lines) -> Outcome<Head> {
    let ledger = ledger_id(&first.ledger).ok_or_else(|| lines.wrong("no ledger id"))?;
    let beside = place.dir().join("log.importing");
    if beside.exists() {
        fs::remove_dir_all(&beside).or_exit(Exit::Unavailable, beside.display())?;
    }
    create_dir(&beside).or_exit(Exit::Unavailable, beside.display())?;
    let unmade = "the imported log cannot be written";
    let mut log =
        SledLog::open(&beside, Options::create(ledger)).or_exit(Exit::Unavailable, unmade)?;
    let bar = talk::progress("importing commits", None);
    let mut waiting = Vec::new();
    let last = loop {
        let line = lines.next().transpose()?;
        let line =
            line.ok_or_else(|| lines.wrong("the export is cut short; its end is missing"))?;
        if let Ok(last) = serde_json::from_str::<Last>(&line) {
            break last;
        }
        let block = block(&line).map_err(|what| lines.wrong(what))?;
        bar.set_position(block.next());
        waiting.push(block);
        if waiting.len() >= BLOCKS_AT_ONCE {
            append(&mut log, &mut waiting).map_err(|what| lines.wrong(what))?;
        }
    };
    append(&mut log, &mut waiting).map_err(|what| lines.wrong(what))?;
    bar.finish_and_clear();
    let head = log.head();
    if (head.next, Some(head.root)) != (last.next, root(&last.root)) {
        return Err(lines.wrong(format_args!(
            "the export ends at {} with root {}, what it holds at {} with root {}",
            last.next, last.root, head.next, head.root
        )));
    }
    log.settle().or_exit(Exit::Unavailable, unmade)?;
    drop(log);
    rename_durably(&beside, &place.log()).or_exit(Exit::Unavailable, unmade)?;
    Ok(head)
}

fn block(line: &str) -> Result<Block, String> {
    let line: BlockLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let bytes = BASE64.decode(line.block.as_bytes()).map_err(|error| error.to_string())?;
    Block::from_bytes(bytes).map_err(|error| error.to_string())
}

fn append(log: &mut SledLog, blocks: &mut Vec<Block>) -> Result<(), String> {
    let next = log.head().next;
    log.append(next, blocks).map_err(|error| error.to_string())?;
    blocks.clear();
    Ok(())
}

/// Decides an export of commands again.
fn commands(place: &Place, first: &str, lines: Lines, sink: &mut dyn Sink) -> Outcome<Head> {
    let birth = birth_of(first.as_bytes())?;
    let numbered = lines.zip(2..).map(|(line, number)| Ok((number, line?.into_bytes())));
    let (owning, tally) = replay(place, birth, numbered, &mut Refused { sink })?;
    let head = owning.reading.log.head();
    owning.close()?;
    if tally.exit() != Exit::Success {
        return Err(Failure::new(
            tally.exit(),
            format_args!("not every command was accepted as it had been: {tally}"),
        ));
    }
    Ok(head)
}
