//! Having a history decided again, and noting what is decided otherwise.

use super::{
    history::{Then, Turn},
    positions::{Positions, named},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::Closing,
    talk,
};
use chl_bus::{Answer, Client, Prepared};
use indicatif::ProgressBar;
use std::{
    collections::{BTreeMap, VecDeque},
    sync::mpsc::Receiver,
};

/// How many commands are sent in one piece.
const PIECE: usize = 512;
/// How many pieces are under way.
const WINDOW: usize = 8;

/// The key of a command: its source and id.
pub(super) type Key = (String, String);

/// Why a command is refused now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

/// What is decided otherwise.
#[derive(Debug, Default)]
pub(super) struct Decided {
    /// What was accepted then at a position and is refused now.
    pub(super) refused: BTreeMap<u64, Refusal>,
    /// What was refused then, with the code, and is accepted now.
    pub(super) accepted: BTreeMap<Key, String>,
    /// How many accepted commands were decided again.
    pub(super) commands: u64,
    /// How many refused ones were tried again.
    pub(super) tried: u64,
}

/// Commands under way.
struct UnderWay {
    turns: Vec<(Then, Key)>,
    answers: Receiver<Vec<Answer>>,
}

/// Has commands decided: a bounded window of them is under way.
struct Deciding<'a> {
    client: &'a Client,
    waiting: Vec<(Then, Key)>,
    piece: Vec<Prepared>,
    window: VecDeque<UnderWay>,
    positions: Positions,
    decided: Decided,
    bar: ProgressBar,
}

/// Has a history of so many commits decided again, unless its ledger is about to be closed.
pub(super) fn decide_again(
    client: &Client,
    history: impl Iterator<Item = Outcome<Turn>>,
    end: u64,
    closing: &Closing,
) -> Outcome<Decided> {
    let mut deciding = Deciding {
        client,
        waiting: Vec::new(),
        piece: Vec::new(),
        window: VecDeque::new(),
        positions: Positions::default(),
        decided: Decided::default(),
        bar: talk::progress("deciding again", Some(end)),
    };
    for turn in history {
        if closing.is_near() {
            return Err(Failure::new(Exit::Unavailable, "the ledger is being closed; ask again"));
        }
        deciding.take(turn?)?;
    }
    deciding.drain()?;
    deciding.bar.finish_and_clear();
    Ok(deciding.decided)
}

impl Deciding<'_> {
    fn take(&mut self, turn: Turn) -> Outcome {
        let Turn { then, prepared } = turn;
        let prepared = if named(prepared.command()).is_some() {
            // Where the entry stands now is known once everything before is decided.
            self.drain()?;
            self.positions.renamed(prepared)
        } else {
            prepared
        };
        let origin = prepared.origin();
        let key = (origin.source.to_string(), origin.id.to_string());
        self.waiting.push((then, key));
        self.piece.push(prepared);
        if self.piece.len() >= PIECE {
            self.send()?;
        }
        if self.window.len() >= WINDOW { self.receive() } else { Ok(()) }
    }

    fn send(&mut self) -> Outcome {
        let turns = std::mem::take(&mut self.waiting);
        let answers = self.client.send(std::mem::take(&mut self.piece)).map_err(closed)?;
        self.window.push_back(UnderWay { turns, answers });
        Ok(())
    }

    fn drain(&mut self) -> Outcome {
        if !self.piece.is_empty() {
            self.send()?;
        }
        while !self.window.is_empty() {
            self.receive()?;
        }
        Ok(())
    }

    /// Takes the answers of the oldest piece under way.
    fn receive(&mut self) -> Outcome {
        let Some(UnderWay { turns, answers }) = self.window.pop_front() else { return Ok(()) };
        let answers = answers.recv().map_err(closed)?;
        for ((then, key), answer) in turns.into_iter().zip(answers) {
            if let Some(position) = then.position() {
                self.bar.set_position(position);
            }
            self.note(then, key, answer)?;
        }
        Ok(())
    }

    fn note(&mut self, then: Then, key: Key, answer: Answer) -> Outcome {
        match &then {
            Then::Accepted(_) => self.decided.commands += 1,
            Then::Refused(_) => self.decided.tried += 1,
            Then::Unsent => {}
        }
        match (answer, then) {
            (Answer::Accepted(accepted), Then::Accepted(position)) => {
                self.positions.stands(position, accepted.commit.position);
            }
            (Answer::Accepted(accepted), Then::Refused(code)) if !accepted.duplicate => {
                self.decided.accepted.insert(key, code);
            }
            (Answer::Accepted(_), Then::Refused(_) | Then::Unsent)
            | (Answer::Rejected { .. }, Then::Refused(_)) => {}
            (Answer::Rejected { refused, .. }, Then::Accepted(position)) => {
                self.positions.is_gone(position);
                let (code, message) = (refused.code().to_owned(), refused.to_string());
                self.decided.refused.insert(position, Refusal { code, message });
            }
            (Answer::Rejected { refused, .. }, Then::Unsent) => {
                let text = format!("the other terms: {}: {refused}", refused.code());
                return Err(Failure::new(Exit::Rejected, text));
            }
            (Answer::Failed { failure, .. }, _) => {
                return Err(Failure::new(Exit::Internal, failure));
            }
        }
        Ok(())
    }
}

fn closed(_: impl std::error::Error) -> Failure {
    Failure::new(Exit::Internal, "the ledger beside was closed before all was decided")
}
