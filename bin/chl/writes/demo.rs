//! `chl demo`: a year of a channel programme, from commands to read models.

use super::replay::replay;
use crate::{
    asking::open_to_read,
    demo,
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Attempt, Birth},
    output::{Output, Sink},
    place::Place,
    reads::summary,
    talk,
};
use chl_bus::{Opening, decode};
use chl_events::{Instant, LedgerId};
use std::{path::PathBuf, time::Instant as Moment};

/// The demo's ledger, beside whatever else the folder has.
const LEDGER: &str = "demo";

/// Runs a realistic channel year: 200 partners, three programmes, some 50,000 commands.
///
/// Everything happens as for real: commands are decided and made durable, read models follow. It
/// ends with balances, open conflicts, the top scorecards and a second, separate fold over the
/// stored postings that shows debits equal to credits. Afterwards look around with --ledger demo:
/// `chl query deals --ledger demo --state won`. The same seed sends the same commands everywhere; only
/// what is sealed differs, since its keys are random.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The folder of the embedded ledgers, in the place of --data.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Another year.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many partners.
    #[arg(long, default_value_t = demo::DEMO.partners)]
    partners: usize,
    /// About how many commands.
    #[arg(long, default_value_t = demo::DEMO.commands)]
    commands: u64,
    /// Prints the commands as JSON lines and runs nothing.
    #[arg(long)]
    print: bool,
}

impl Demo {
    /// Runs it.
    pub(crate) fn run(&self, data: PathBuf, mut output: Output) -> Outcome<Exit> {
        let size = demo::Size { partners: self.partners, commands: self.commands };
        if self.print {
            for line in demo::commands(self.seed, size) {
                output.line(&line)?;
            }
            output.end()?;
            return Ok(Exit::Success);
        }
        let place = Place::new(&self.dir.clone().unwrap_or(data), LEDGER)?;
        let exit = if place.exists() {
            talk::say(&format!(
                "the demo's ledger is there already, in {}; this is how it stands",
                place.dir().display()
            ));
            match open_to_read(&place)? {
                Attempt::Opened(ledger) => summary(&ledger.reading, &mut output)?,
                Attempt::Owned(failure) => return Err(failure),
            }
        } else {
            self.play(&place, size, &mut output)?
        };
        output.end()?;
        Ok(exit)
    }

    fn play(&self, place: &Place, size: demo::Size, output: &mut Output) -> Outcome<Exit> {
        let began = Moment::now();
        let bar = talk::progress("commands of the year", Some(size.commands));
        let lines = demo::commands(self.seed, size).zip(1..).map(|(line, number)| {
            bar.inc(1);
            Ok((number, line.into_bytes()))
        });
        let birth = Birth { ledger: self.ledger(), opening: self.opening(size)? };
        let (owning, tally) = replay(place, birth, lines, &mut Quiet)?;
        bar.finish_and_clear();
        let decided = began.elapsed();
        let exit = summary(&owning.reading, output)?;
        let root = owning.reading.log.head();
        owning.close()?;
        talk::say(&format!(
            "{tally} in {:.1} s, read models included in {:.1} s; {root}",
            decided.as_secs_f64(),
            began.elapsed().as_secs_f64()
        ));
        Ok(exit)
    }

    /// The id of the demo's ledger: the same for the same seed.
    fn ledger(&self) -> LedgerId {
        let mut id = *b"chl-demo\0\0\0\0\0\0\0\0";
        for (place, byte) in id.iter_mut().rev().zip(self.seed.to_le_bytes()) {
            *place = byte;
        }
        LedgerId(id)
    }

    /// The opening of the demo's ledger, at the time of its first command.
    fn opening(&self, size: demo::Size) -> Outcome<Opening> {
        let first = demo::commands(self.seed, size).next().unwrap_or_default();
        let first = decode(first.as_bytes(), chl_bus::Defaults { source: Some(LEDGER) });
        let at: Option<Instant> = first.ok().and_then(|document| document.recorded_at);
        let at = at.ok_or_else(|| Failure::new(Exit::Internal, "the year begins at no time"))?;
        let name = LEDGER.to_owned();
        let actor = LEDGER.parse().or_exit(Exit::Internal, "the demo's actor")?;
        Ok(Opening { origin: name.clone(), name, actor, recorded_at: Some(at) })
    }
}

/// Takes what is refused in the demo: some of it is refused on purpose, and counted.
struct Quiet;

impl Sink for Quiet {
    fn begin(&mut self, _: &crate::output::Sheet<'_>) -> Outcome {
        Ok(())
    }

    fn row(&mut self, _: Vec<serde_json::Value>) -> Outcome {
        Ok(())
    }

    fn document(&mut self, _: &str) -> Outcome {
        Ok(())
    }

    fn line(&mut self, _: &str) -> Outcome {
        Ok(())
    }

    fn pass_on(&mut self) -> Outcome {
        Ok(())
    }

    fn note(&mut self, _: &str) -> Outcome {
        Ok(())
    }
}
