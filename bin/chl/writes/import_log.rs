//! `chl log import`: an exported history becomes a ledger, with the same root.

use super::replay::{Refused, birth_of, replay};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    input::Input,
    ledger::{Attempt, Birth, forget_again, open_bucket, open_stream, open_vault, require_log},
    output::{Output, Sheet, Sink},
    place::Place,
    reads::{BlockLine, FORMAT, First, Last, ledger_id, root},
    talk,
};
use chl_bus::Vault;
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
        place.require_none("an import")?;
        require_log(place)?;
        let mut lines = Lines::open(self.file.as_deref())?;
        let first = lines.next().transpose()?.unwrap_or_default();
        fs::create_dir_all(place.dir()).or_exit(Exit::Unavailable, place.dir().display())?;
        self.put_vault(place)?;
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

    /// Puts the keys of persons in place, before anything is sealed or opened under them.
    fn put_vault(&self, place: &Place) -> Outcome {
        if let Some(servers) = place.servers() {
            let Some(path) = &self.vault else { return Ok(()) };
            let what = format!("the vault {}", path.display());
            let from = Vault::open(path).or_exit(Exit::Usage, &what)?;
            let connection = servers.connect_home()?;
            let bucket = open_bucket(place, servers, &connection)?;
            return from.copy_into(&bucket).or_exit(Exit::Unavailable, &what);
        }
        let Some(vault) = &self.vault else { return open_vault(place).map(drop) };
        let copied = fs::copy(vault, place.vault())
            .and_then(|_| File::open(place.vault()).and_then(|file| file.sync_all()));
        copied.or_exit(Exit::Usage, format_args!("the vault {}", vault.display())).map(drop)
    }
}

/// Takes the blocks of an export into a new log.
fn blocks(place: &Place, first: &First, lines: &mut Lines) -> Outcome<Head> {
    let ledger = ledger_id(&first.ledger).ok_or_else(|| lines.wrong("no ledger id"))?;
    let unmade = "the imported log cannot be written";
    if let Some(servers) = place.servers() {
        let birth = Birth { ledger, ..Birth::new(place)? };
        let (connection, mut log) = match open_stream(place, servers, Some(&birth))? {
            Attempt::Opened((connection, _, log)) => (connection, log),
            Attempt::Owned(failure) => return Err(failure),
        };
        if log.head().ledger != ledger {
            return Err(place.is_there("an import"));
        }
        let head = filled(&mut log, lines)?;
        log.settle().or_exit(Exit::Unavailable, unmade)?;
        let bucket = || open_bucket(place, servers, &connection);
        forget_again(log.reader().as_ref(), bucket)?;
        return Ok(head);
    }
    // It is built beside, and gets its name when all of it is there.
    let beside = place.dir().join("log.importing");
    if beside.exists() {
        fs::remove_dir_all(&beside).or_exit(Exit::Unavailable, beside.display())?;
    }
    create_dir(&beside).or_exit(Exit::Unavailable, beside.display())?;
    let mut log =
        SledLog::open(&beside, Options::create(ledger)).or_exit(Exit::Unavailable, unmade)?;
    let head = filled(&mut log, lines)?;
    log.settle().or_exit(Exit::Unavailable, unmade)?;
    forget_again(log.reader().as_ref(), || open_vault(place))?;
    drop(log);
    rename_durably(&beside, &place.log()).or_exit(Exit::Unavailable, unmade)?;
    Ok(head)
}

/// Fills a log, block by block; what it holds already of the same history is passed over.
fn filled(log: &mut dyn EventLog, lines: &mut Lines) -> Outcome<Head> {
    let bar = talk::progress("importing commits", None);
    let begun = log.head().next;
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
        if block.next() > begun {
            waiting.push(block);
        }
        if waiting.len() >= BLOCKS_AT_ONCE {
            append(log, &mut waiting).map_err(|what| lines.wrong(what))?;
        }
    };
    append(log, &mut waiting).map_err(|what| lines.wrong(what))?;
    bar.finish_and_clear();
    let head = log.head();
    if (head.next, Some(head.root)) != (last.next, root(&last.root)) {
        return Err(lines.wrong(format_args!(
            "the export ends at {} with root {}, the log at {} with root {}",
            last.next, last.root, head.next, head.root
        )));
    }
    Ok(head)
}

fn block(line: &str) -> Result<Block, String> {
    let line: BlockLine = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let bytes = BASE64.decode(line.block.as_bytes()).map_err(|error| error.to_string())?;
    Block::from_bytes(bytes).map_err(|error| error.to_string())
}

fn append(log: &mut dyn EventLog, blocks: &mut Vec<Block>) -> Result<(), String> {
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
