//! `chl submit`: commands as JSON lines in, answers as JSON lines out.

use super::{
    decide::Deciding,
    over_bus::send_over_bus,
    service::{decided, open_door},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    input::{Input, unmarked},
    ledger::{Birth, Scratch, own, require_log},
    output::{Output, Sink},
    owner::{Reached, Submission, reach},
    place::Place,
    reads::stored_views,
    servers::Servers,
    talk, user,
};
use chl_events::ActorId;
use indicatif::ProgressBar;
use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
    sync::Arc,
};

/// The source of lines that name none.
const SOURCE: &str = "/chl";
/// A line is read no further: the bus refuses a document above 32 KiB, and says so.
const MAX_LINE_BYTES: usize = 64 * 1024;

/// Sends commands, one JSON document a line, and prints an answer for each, in input order.
///
/// A command is a CloudEvents document: id, type, data, and what else is known; `chl schema` shows
/// the types. A line that cannot be read is answered with its line and column and never stops the
/// rest. Sending the same file again changes nothing: its ids are taken, and each line gets its
/// first answer again.
#[derive(Debug, clap::Args)]
pub(crate) struct Submit {
    /// The file; without one, or with `-`, standard input.
    file: Option<PathBuf>,
    /// Decides all of it on a scratch copy, where line 2 sees line 1, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// Believes the actor, role and partner that a line claims.
    #[arg(long)]
    trust_claims: bool,
    /// Answers only when these read models, separated by commas, hold what is answered: who asks
    /// them next reads it. An answer names those that are frozen, as `behind`.
    #[arg(
        long,
        value_name = "VIEW",
        value_delimiter = ',',
        value_parser = stored_views(),
        conflicts_with_all = ["dry_run", "sent_as"]
    )]
    wait: Vec<String>,
    /// Sends the lines over the bus under this actor's name, through whichever process takes the
    /// ledger's commands; each is sent until it is answered.
    #[arg(long = "as", value_name = "ACTOR", conflicts_with_all = ["dry_run", "trust_claims"])]
    sent_as: Option<ActorId>,
    /// The servers of the bus, where the ledger itself is embedded.
    #[arg(long, value_name = "URL", env = "CHL_BUS")]
    bus: Option<String>,
}

impl Submit {
    /// Sends the lines and writes the answers.
    pub(crate) fn run(
        &self,
        place: &Place,
        servers: &Servers,
        mut output: Output,
    ) -> Outcome<Exit> {
        let submission = Submission {
            actor: user::actor()?.to_string(),
            source: SOURCE.to_owned(),
            trust_claims: self.trust_claims,
            dry_run: self.dry_run,
            wait: self.wait.clone(),
        };
        let bar = talk::progress("commands", None);
        let lines = Lines::open(self.file.as_deref(), bar.clone())?;
        let exit = match &self.sent_as {
            None => send(place, &submission, lines, &mut output)?,
            Some(actor) => {
                let urls = self.bus.as_deref().or(servers.nats.as_deref());
                let urls = urls.ok_or_else(|| {
                    Failure::usage("--as sends over the bus: say where it is, --bus or --nats")
                })?;
                let connection = servers.connect(urls)?;
                send_over_bus(place, &connection, actor.clone(), lines, &mut output)?
            }
        };
        bar.finish_and_clear();
        output.end()?;
        Ok(exit)
    }
}

/// Sends lines to a ledger, through its owner or as the owner.
pub(super) fn send(
    place: &Place,
    submission: &Submission,
    lines: impl Iterator<Item = Outcome<(u64, Vec<u8>)>> + Send,
    sink: &mut dyn Sink,
) -> Outcome<Exit> {
    require_log(place)?;
    if submission.dry_run && !place.exists() {
        // A dry run writes nothing, not even a ledger that is not there yet.
        let scratch = Scratch::open()?;
        let vault = Some(Arc::clone(&scratch.vault));
        let deciding = Deciding { client: scratch.client(), vault, waits: None };
        return Ok(decided(deciding, submission, lines, sink)?.exit());
    }
    let birth = Birth::new(place)?;
    let birth = (!submission.dry_run).then_some(&birth);
    match reach(place, || own(place, birth))? {
        Reached::Owner(connection) => connection.submit(submission.clone(), lines, sink),
        Reached::Own(owning) => {
            let door = open_door(place, &owning)?;
            let deciding = Deciding::of(owning.client()?, &owning.reading, submission);
            let tally = decided(deciding, submission, lines, sink)?;
            drop(door);
            owning.close()?;
            Ok(tally.exit())
        }
    }
}

/// The lines of a file or of standard input, with their numbers; empty ones are passed over.
struct Lines {
    from: Box<dyn BufRead + Send>,
    name: String,
    number: u64,
    bar: ProgressBar,
}

impl Lines {
    fn open(file: Option<&Path>, bar: ProgressBar) -> Outcome<Self> {
        let Input { from, name } = Input::open(file)?;
        Ok(Self { from, name, number: 0, bar })
    }

    /// The next line without its end; one that is far too long is cut, and so refused.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let limit = MAX_LINE_BYTES as u64;
        let read = io::Read::take(&mut self.from, limit).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() >= MAX_LINE_BYTES {
            self.from.skip_until(b'\n')?;
        }
        Ok(Some(if self.number == 1 { unmarked(line) } else { line }))
    }
}

impl Iterator for Lines {
    type Item = Outcome<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.number += 1;
            match self.read() {
                Ok(Some(line)) if line.iter().all(u8::is_ascii_whitespace) => {}
                Ok(Some(line)) => {
                    self.bar.inc(1);
                    return Some(Ok((self.number, line)));
                }
                Ok(None) => return None,
                Err(error) => {
                    let text = format!("{}, line {}: {error}", self.name, self.number);
                    return Some(Err(Failure::new(Exit::Internal, text)));
                }
            }
        }
    }
}
