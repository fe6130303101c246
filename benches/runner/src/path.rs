//! The whole path: JSON in, decided, durable, answered, folds live, so many commands in flight.
//!
//! Against cqrs-es on PostgreSQL with its view kept, at the same concurrency: ours is the program
//! itself, fed and answering through pipes, and both take the same sales. And the channel year, in
//! all its variety, which the peer does not know: through the bus in this process, with the recorded
//! times of its lines, and on request with every answer held against the naive model.

use crate::{
    Setup,
    ledger::Ledger,
    measure::{Warmup, compare, figure, rate, say, side},
    sales::{PARTNERS, beginning, sale, today},
    session::Session,
    validate, year,
};
use anyhow::{Context, Result};
use chl_bus::{Answer, Viewer, prepare, show};
use chl_events::Role;
use std::{
    collections::VecDeque,
    process::{Command, Stdio},
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

/// In flight, our sales in a round, the peer's, the bar, and the share of the year.
const WINDOWS: [(usize, u64, u64, &str, u64); 3] =
    [(1, 2_000, 400, "2.5", 10), (32, 20_000, 1_500, "8", 1), (256, 100_000, 1_500, "20", 1)];

/// Sales through a fresh ledger; the time ends when the program has written its read models down
/// and gone, or with its last answer.
fn sales(setup: &Setup, count: u64, window: usize, drained: bool) -> Result<Vec<f64>> {
    let dir = tempfile::tempdir_in(&setup.dir)?;
    let (_, today) = today()?;
    let mut session = Session::start(&setup.args.chl, dir.path())?;
    session.exchange(beginning(PARTNERS)?, 256)?;
    let lines: Vec<String> = (0..count).map(|index| sale("s", index, PARTNERS, &today)).collect();
    let start = Instant::now();
    session.exchange(lines, window)?;
    let answered = start.elapsed();
    session.finish()?;
    Ok(vec![rate(count, if drained { start.elapsed() } else { answered })])
}

/// A run of the peer's program.
pub fn peer(setup: &Setup, arguments: &[&str]) -> Result<f64> {
    let program = setup.args.peer.as_ref().context("PEER names the peer's program")?;
    let mut run = Command::new(program);
    let out = run.arg(&setup.args.peer_url).args(arguments).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8(out.stdout)?;
    let (units, nanos) = text.trim().split_once(' ').context("the peer printed no figures")?;
    Ok(rate(units.parse()?, Duration::from_nanos(nanos.parse()?)))
}

/// A year that went through a ledger.
struct Told {
    answers: Vec<Answer>,
    answered: Duration,
    drained: Duration,
}

/// Lines of the year through a fresh ledger, each read and answered as JSON.
fn tell(setup: &Setup, lines: &[String], window: usize) -> Result<Told> {
    let dir = tempfile::tempdir_in(&setup.dir)?;
    let ledger = Ledger::open(dir.path(), &year::opening(lines)?)?;
    let (client, connection) = (ledger.client()?, year::connection()?);
    let vault = std::sync::Arc::clone(&ledger.vault);
    let viewer = Viewer { role: Role::Operator, partner: None, vault: Some(&vault) };
    let mut waiting: VecDeque<Result<Receiver<Vec<Answer>>, Answer>> = VecDeque::new();
    let (mut answers, mut bytes) = (Vec::with_capacity(lines.len()), 0);
    let mut answer = |waiting: &mut VecDeque<_>| -> Result<()> {
        let answer = match waiting.pop_front() {
            Some(Ok(receiver)) => {
                let receiver: Receiver<Vec<Answer>> = receiver;
                receiver.recv()?.pop().context("a command has an answer")?
            }
            Some(Err(refused)) => refused,
            None => return Ok(()),
        };
        bytes += show(&answer, &viewer)?.len();
        answers.push(answer);
        Ok(())
    };
    let start = Instant::now();
    for line in lines {
        waiting.push_back(match prepare(line.as_bytes(), &connection) {
            Ok(command) => Ok(client.send(vec![command])?),
            Err(refused) => Err(*refused),
        });
        if waiting.len() >= window {
            answer(&mut waiting)?;
        }
    }
    while !waiting.is_empty() {
        answer(&mut waiting)?;
    }
    let answered = start.elapsed();
    ledger.close()?;
    anyhow::ensure!(bytes > 0, "nothing was answered");
    Ok(Told { answers, answered, drained: start.elapsed() })
}

fn year_line(setup: &Setup, window: usize, share: u64) -> Result<()> {
    let mut lines = setup.year();
    lines.truncate(lines.len() / share as usize);
    if setup.args.validate {
        let told = tell(setup, &lines, window)?;
        say(format!("{window} in flight: {}", validate::check(&lines, &told.answers)?));
    }
    let of = format!("{} partners", setup.args.partners);
    let figures = [
        figure(
            format!("channel year of {of}, {window} in flight, read models written down"),
            "commands/s",
            0,
        ),
        figure(format!("channel year of {of}, {window} in flight, last answer"), "commands/s", 0),
    ];
    let ours = || {
        let Told { answers, answered, drained } = tell(setup, &lines, window)?;
        let count = answers.len() as u64;
        Ok(vec![rate(count, drained), rate(count, answered)])
    };
    let mut sides = [side("chl, in process: JSON to JSON", ours)];
    compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)
}

/// The line of sales.
pub fn run(setup: &Setup) -> Result<()> {
    for (window, count, theirs, bar, _) in WINDOWS {
        let mut sides = vec![side("chl, until its read models are written down", || {
            sales(setup, count, window, true)
        })];
        let mut line = format!("whole path, sales, {window} in flight");
        if setup.args.peer.is_some() {
            line.push_str(&format!(" (bar: ≥ {bar} of the peer)"));
            let arguments = [theirs.to_string(), window.to_string()];
            sides.push(side("cqrs-es on PostgreSQL, its view kept", move || {
                Ok(vec![peer(setup, &[&arguments[0], &arguments[1]])?])
            }));
        }
        sides.push(side("chl, until its last answer", || sales(setup, count, window, false)));
        let figures = [figure(line, "commands/s", 0)];
        compare(&figures, setup.args.rounds, Warmup::Yes, &mut sides)?;
    }
    Ok(())
}

/// The line of the year.
pub fn year(setup: &Setup) -> Result<()> {
    WINDOWS.into_iter().try_for_each(|(window, .., share)| year_line(setup, window, share))
}
