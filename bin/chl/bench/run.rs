//! A year through a ledger: so many commands in flight, each read and answered as JSON.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Attempt, Birth, Owning, own},
    place::Place,
    talk, user,
};
use chl_bus::{
    Answer, Client, Closed, Connection, Defaults, Opening, Viewer, decode, replaying, show,
};
use chl_events::{Instant as Moment, Origin};
use std::{
    collections::VecDeque,
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

/// What came of a year.
pub(super) struct Told {
    /// Until the last answer.
    pub(super) answered: Duration,
    /// Until SQLite showed the last commit.
    pub(super) drained: Duration,
    /// Who was told which position.
    pub(super) accepted: Vec<(Origin, u64)>,
    /// How many were told no.
    pub(super) refused: u64,
    /// From sending to answer, shortest first.
    took: Vec<Duration>,
}

impl Told {
    /// The microseconds within which so many of a hundred answers came.
    pub(super) fn percentile(&self, hundredths: usize) -> u64 {
        let last = self.took.len().saturating_sub(1);
        let at = (self.took.len() * hundredths / 100).min(last);
        let took = self.took.get(at).copied().unwrap_or_default();
        u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
    }
}

/// A command on its way, or what it was told at the door.
struct Waiting {
    since: Instant,
    answer: Result<Receiver<Vec<Answer>>, Box<Answer>>,
}

/// Sends the lines through a fresh ledger.
pub(super) fn tell(place: &Place, lines: &[String], in_flight: usize) -> Outcome<(Owning, Told)> {
    let owning = open(place, lines)?;
    let (client, connection) = (owning.client()?, replaying(user::actor()?));
    let bar = talk::progress("commands", Some(lines.len() as u64));
    let mut told = Told {
        answered: Duration::ZERO,
        drained: Duration::ZERO,
        accepted: Vec::with_capacity(lines.len()),
        refused: 0,
        took: Vec::with_capacity(lines.len()),
    };
    let viewer = owning.reading.operator();
    let mut under_way = VecDeque::with_capacity(in_flight);
    let start = Instant::now();
    for line in lines {
        if under_way.len() >= in_flight {
            told.answer(under_way.pop_front(), &viewer)?;
        }
        under_way.push_back(send(&client, line, &connection)?);
        bar.inc(1);
    }
    while !under_way.is_empty() {
        told.answer(under_way.pop_front(), &viewer)?;
    }
    told.answered = start.elapsed();
    owning.reading.views.catch_up()?;
    told.drained = start.elapsed();
    told.took.sort_unstable();
    bar.finish_and_clear();
    Ok((owning, told))
}

/// Makes a ledger that begins when the year does.
fn open(place: &Place, lines: &[String]) -> Outcome<Owning> {
    let birth = Birth::new(place)?;
    let begins = lines.first().and_then(|first| {
        let document = decode(first.as_bytes(), Defaults::default()).ok()?;
        document.recorded_at
    });
    let opening = Opening { recorded_at: begins, ..birth.opening };
    match own(place, Some(&Birth { opening, ..birth }))? {
        Attempt::Opened(owning) => Ok(owning),
        Attempt::Owned(failure) => Err(failure),
    }
}

fn send(client: &Client, line: &str, connection: &Connection) -> Outcome<Waiting> {
    let since = Instant::now();
    // What is refused at the door is noted at a time that nobody asks for here.
    let prepared = client.prepare(line.as_bytes(), connection, Moment::from_micros(0));
    let answer = match prepared {
        Ok(command) => Ok(client.send(vec![command]).map_err(closed)?),
        Err(refused) => Err(refused),
    };
    Ok(Waiting { since, answer })
}

fn closed(_: Closed) -> Failure {
    Failure::new(Exit::Internal, "the ledger closed while it was measured")
}

impl Told {
    fn answer(&mut self, waiting: Option<Waiting>, viewer: &Viewer<'_>) -> Outcome {
        let Some(Waiting { since, answer }) = waiting else { return Ok(()) };
        let answer = match answer {
            Ok(answers) => answers.recv().map_err(|_| closed(Closed))?.pop(),
            Err(refused) => Some(*refused),
        };
        let answer = answer.ok_or_else(|| Failure::new(Exit::Internal, "an answer is missing"))?;
        std::hint::black_box(show(&answer, viewer).or_exit(Exit::Internal, "an answer")?);
        self.took.push(since.elapsed());
        match answer {
            Answer::Accepted(accepted) => {
                let commit = &accepted.commit;
                self.accepted.push((commit.origin.clone(), commit.position));
            }
            Answer::Rejected { .. } => self.refused += 1,
            Answer::Failed { failure, .. } => {
                return Err(Failure::new(Exit::Unavailable, format_args!("failed: {failure}")));
            }
        }
        Ok(())
    }
}
