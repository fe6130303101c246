//! Having lines decided: a bounded window of them is under way, and answers come in input order.

use super::answers::{Tally, document};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::{Reading, Waits, behind, named_behind},
    output::{Sheet, Sink},
    owner::Submission,
    reads::note_frozen,
};
use chl_bus::{Answer, Client, Closed, Connection, Prepared, Vault, Viewer};
use chl_events::{Instant, PartnerId, Role};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
};

/// How many lines are sent in one piece, when they come as fast.
const PIECE: usize = 512;
/// How many pieces are under way.
const WINDOW: usize = 8;

/// The columns of answers, where they are shown as a table.
pub(super) const COLUMNS: &[&str] = &[
    "line",
    "id",
    "outcome",
    "position",
    "stream",
    "version",
    "code",
    "message",
    "duplicate",
    "dry_run",
    "recorded_at",
    "events",
    "behind",
];
const PEOPLE: &[&str] =
    &["line", "id", "outcome", "position", "stream", "version", "code", "message"];

/// The head of a table of answers.
pub(super) fn sheet() -> Sheet<'static> {
    Sheet::new("", COLUMNS).people(PEOPLE)
}

/// A line of input with its number, from 1.
pub(super) type Numbered = (u64, Vec<u8>);

/// Lines on their way: what was refused at the door, and who else waits for an answer.
struct Piece {
    places: Vec<Place>,
    answers: Receiver<Vec<Answer>>,
}

struct Place {
    line: u64,
    /// Who the line says it is from, where that is believed.
    claims: Claims,
    refused: Option<Box<Answer>>,
}

/// The claims of a line that say who may see what of its answer.
#[derive(Default, serde::Deserialize)]
struct Claims {
    role: Option<Role>,
    partner: Option<PartnerId>,
}

/// Who decides lines, and what their answers are shown with.
pub(super) struct Deciding {
    /// The bus of a ledger that this process owns.
    pub(super) client: Client,
    /// The keys of persons.
    pub(super) vault: Option<Arc<Vault>>,
    /// What answers wait for.
    pub(super) waits: Option<Waits>,
}

impl Deciding {
    /// What a submission to a ledger that this process owns is decided with.
    pub(super) fn of(client: Client, reading: &Arc<Reading>, submission: &Submission) -> Self {
        let waits = Waits::of(&submission.wait, &reading.views);
        Self { client, vault: reading.vault.clone(), waits }
    }
}

/// Sends lines to a ledger that this process owns.
pub(super) struct Decider<'a> {
    deciding: Deciding,
    connection: Connection,
    sink: &'a mut dyn Sink,
    tally: Tally,
    dry_run: bool,
    /// Whether it was said which read models answers wait for in vain.
    told_frozen: bool,
}

impl<'a> Decider<'a> {
    /// Lines of a submission, their answers into a sink.
    pub(super) fn new(
        deciding: Deciding,
        submission: &Submission,
        sink: &'a mut dyn Sink,
    ) -> Outcome<Self> {
        let actor = submission
            .actor
            .parse()
            .map_err(|error| Failure::usage(format_args!("the actor: {error}")))?;
        let connection = Connection {
            default_source: Some(submission.source.clone()),
            trust_claims: submission.trust_claims,
            ..Connection::operator(actor)
        };
        Ok(Self {
            deciding,
            connection,
            sink,
            tally: Tally::default(),
            dry_run: submission.dry_run,
            told_frozen: false,
        })
    }

    /// Takes the recorded times and sealed texts of the lines as they are: into an empty ledger.
    pub(super) fn replaying(mut self) -> Self {
        self.connection.replay = true;
        self.connection.trust_claims = true;
        self
    }

    /// Has all lines decided; a failure to read a line ends it after the answers to those before.
    pub(super) fn run(mut self, lines: &Receiver<Outcome<Numbered>>) -> Outcome<Tally> {
        if self.dry_run {
            return self.try_out(lines);
        }
        let mut under_way: VecDeque<Piece> = VecDeque::new();
        let mut broken = None;
        loop {
            let first = if under_way.is_empty() {
                lines.recv().map_err(|_| TryRecvError::Disconnected)
            } else {
                lines.try_recv()
            };
            match first {
                Ok(Ok(line)) if broken.is_none() => {
                    let piece = self.piece(line, lines, &mut broken)?;
                    under_way.push_back(piece);
                    if under_way.len() >= WINDOW {
                        self.answer(&mut under_way)?;
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(failure)) => broken = Some(failure),
                Err(TryRecvError::Empty) => self.answer(&mut under_way)?,
                Err(TryRecvError::Disconnected) => break,
            }
        }
        while !under_way.is_empty() {
            self.answer(&mut under_way)?;
        }
        broken.map_or(Ok(self.tally), Err)
    }

    /// Prepares the lines that are there and sends them.
    fn piece(
        &self,
        first: Numbered,
        lines: &Receiver<Outcome<Numbered>>,
        broken: &mut Option<Failure>,
    ) -> Outcome<Piece> {
        let mut places = Vec::with_capacity(PIECE);
        let mut prepared = Vec::with_capacity(PIECE);
        let at = now();
        let mut next = Some(first);
        while let Some((line, bytes)) = next.take() {
            places.push(self.prepare(line, &bytes, at, &mut prepared));
            if places.len() < PIECE {
                next = match lines.try_recv() {
                    Ok(Ok(line)) => Some(line),
                    Ok(Err(failure)) => {
                        *broken = Some(failure);
                        None
                    }
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => None,
                };
            }
        }
        let answers = self.deciding.client.send(prepared).map_err(closed)?;
        Ok(Piece { places, answers })
    }

    fn prepare(&self, line: u64, bytes: &[u8], at: Instant, to: &mut Vec<Prepared>) -> Place {
        let refused = match self.deciding.client.prepare(bytes, &self.connection, at) {
            Ok(prepared) => {
                to.push(prepared);
                None
            }
            Err(answer) => Some(answer),
        };
        let believed = self.connection.trust_claims && !self.connection.replay;
        let claims = if believed { serde_json::from_slice(bytes).ok() } else { None };
        Place { line, claims: claims.unwrap_or_default(), refused }
    }

    /// Passes on the answers of the oldest piece under way.
    fn answer(&mut self, under_way: &mut VecDeque<Piece>) -> Outcome {
        let Some(Piece { places, answers }) = under_way.pop_front() else { return Ok(()) };
        let answers = answers.recv().map_err(|_| closed(Closed))?;
        self.show(places, answers)?;
        if under_way.is_empty() { self.sink.pass_on() } else { Ok(()) }
    }

    fn show(&mut self, places: Vec<Place>, answers: Vec<Answer>) -> Outcome {
        let frozen = match &self.deciding.waits {
            Some(waits) if !answers.is_empty() => waits.wait()?,
            _ => Vec::new(),
        };
        if !frozen.is_empty() && !self.told_frozen {
            self.told_frozen = true;
            note_frozen(self.sink, &frozen)?;
        }
        let mut answers = answers.into_iter();
        for Place { line, claims, refused } in places {
            let answer = refused.map(|answer| *answer).or_else(|| answers.next());
            let answer =
                answer.ok_or_else(|| Failure::new(Exit::Internal, "an answer is missing"))?;
            self.tally.count(&answer);
            let viewer = Viewer {
                role: claims.role.unwrap_or(Role::Operator),
                partner: claims.partner.as_ref(),
                vault: self.deciding.vault.as_deref(),
            };
            let behind = behind(&answer, &frozen);
            let document = document(answer, line, &viewer)?;
            self.sink.document(&named_behind(document, &behind)?)?;
        }
        Ok(())
    }

    /// Decides all lines on one scratch copy; nothing is kept.
    fn try_out(mut self, lines: &Receiver<Outcome<Numbered>>) -> Outcome<Tally> {
        let (mut places, mut prepared, at) = (Vec::new(), Vec::new(), now());
        for line in lines {
            let (line, bytes) = line?;
            places.push(self.prepare(line, &bytes, at, &mut prepared));
        }
        let answers = self.deciding.client.dry_run(prepared).map_err(closed)?;
        self.show(places, answers)?;
        Ok(self.tally)
    }
}

fn closed(_: Closed) -> Failure {
    Failure::new(
        Exit::Unavailable,
        "the ledger was closed; what was answered stands, and the rest may be sent again",
    )
}

/// The time at which the door refuses, for the journal.
fn now() -> Instant {
    use chl_bus::{Clock, SystemClock};
    SystemClock::new().read().wall
}
