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
/// What the id of every demo's ledger begins with.
const ID: [u8; 8] = *b"chl-demo";
/// The year that is played where nobody asks for another.
const SEED: u64 = 1;

/// Runs a realistic channel year: 200 partners, three programmes, some 50,000 commands.
///
/// Everything happens as for real: commands are decided and made durable, read models follow. It
/// ends with balances, open conflicts, the top scorecards and a second, separate fold over the
/// stored postings that shows debits equal to credits. Its ledger is `demo`, whatever --ledger says;
/// afterwards look around with --ledger demo:
/// `chl query deals --ledger demo --state won`. The same seed sends the same commands everywhere; only
/// what is sealed differs, since its keys are random.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The folder of the embedded ledgers, in the place of --data.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Another year; without it 1, or whatever the demo that is there was made from.
    #[arg(long)]
    seed: Option<u64>,
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
        let seed = self.seed.unwrap_or(SEED);
        if self.print {
            for line in demo::commands(seed, size) {
                output.line(&line)?;
            }
            output.end()?;
            return Ok(Exit::Success);
        }
        let place = Place::new(&self.dir.clone().unwrap_or(data), LEDGER)?;
        let exit = if place.exists() {
            self.show(&place, &mut output)?
        } else {
            play(&place, seed, size, &mut output)?
        };
        output.end()?;
        Ok(exit)
    }

    /// Shows how the demo stands that is there already.
    fn show(&self, place: &Place, output: &mut Output) -> Outcome<Exit> {
        let ledger = match open_to_read(place)? {
            Attempt::Opened(ledger) => ledger,
            Attempt::Owned(failure) => return Err(failure),
        };
        let dir = place.dir().display();
        let made_from = seed_of(ledger.reading.log.head().ledger);
        if let Some(asked) = self.seed
            && made_from != Some(asked)
        {
            let from = made_from.map_or_else(
                || "is no demo's".to_owned(),
                |seed| format!("was made from seed {seed}, not {asked}"),
            );
            return Err(Failure::usage(format_args!(
                "the ledger in {dir} {from}; choose another folder for another year"
            )));
        }
        talk::say(&format!(
            "the demo's ledger is there already, in {dir}; this is how it stands, and --partners \
             and --commands do not change it"
        ));
        summary(&ledger.reading, output)
    }
}

/// Plays the year into a new ledger and shows how it stands then.
fn play(place: &Place, seed: u64, size: demo::Size, output: &mut Output) -> Outcome<Exit> {
    let began = Moment::now();
    let bar = talk::progress("commands of the year", Some(size.commands));
    let lines = demo::commands(seed, size).zip(1..).map(|(line, number)| {
        bar.inc(1);
        Ok((number, line.into_bytes()))
    });
    let birth = Birth { ledger: ledger_of(seed), opening: opening(seed, size)? };
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

/// The id of the demo's ledger: the same for the same seed, which is its last eight bytes.
fn ledger_of(seed: u64) -> LedgerId {
    let [a, b, c, d, e, f, g, h] = ID;
    let [i, j, k, l, m, n, o, p] = seed.to_be_bytes();
    LedgerId([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

/// The seed that a demo's ledger was made from; none of another ledger.
fn seed_of(ledger: LedgerId) -> Option<u64> {
    let (id, seed) = ledger.0.split_first_chunk()?;
    (*id == ID).then(|| seed.try_into().ok().map(u64::from_be_bytes))?
}

/// The opening of the demo's ledger, at the time of its first command.
fn opening(seed: u64, size: demo::Size) -> Outcome<Opening> {
    let first = demo::commands(seed, size).next().unwrap_or_default();
    let first = decode(first.as_bytes(), chl_bus::Defaults { source: Some(LEDGER) });
    let at: Option<Instant> = first.ok().and_then(|document| document.recorded_at);
    let at = at.ok_or_else(|| Failure::new(Exit::Internal, "the year begins at no time"))?;
    let name = LEDGER.to_owned();
    let actor = LEDGER.parse().or_exit(Exit::Internal, "the demo's actor")?;
    Ok(Opening { origin: name.clone(), name, actor, recorded_at: Some(at) })
}

/// Takes what is refused in the demo: some of it is refused on purpose, and counted.
struct Quiet;

impl Sink for Quiet {}
