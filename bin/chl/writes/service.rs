//! What the owner does for others: questions, commands, rebuilds, through its socket.

use super::{
    answers::Tally,
    decide::{Decider, Deciding, Numbered, sheet},
    rebuild::rebuild,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::{Closing, Owning, Reading},
    output::Sink,
    owner::{Door, Incoming, Request, Serves, Submission},
    place::Place,
};
use chl_bus::Client;
use std::{
    sync::{Arc, mpsc::sync_channel},
    thread,
};

/// How many lines wait to be prepared.
const LINES_WAITING: usize = 2048;

/// Serves a ledger that this process owns.
struct Service {
    client: Client,
    reading: Arc<Reading>,
}

/// Opens the owner's socket.
pub(super) fn open_door(place: &Place, owning: &Owning) -> Outcome<Door> {
    let reading = Arc::clone(&owning.reading);
    let closing = reading.closing.clone();
    Door::open(place.socket(), Arc::new(Service { client: owning.client()?, reading }), closing)
}

/// Answers what is asked of a ledger that this process follows.
struct Follower {
    reading: Arc<Reading>,
}

/// Opens the socket of a node that follows.
pub(super) fn open_reading_door(place: &Place, reading: &Arc<Reading>) -> Outcome<Door> {
    let follower = Follower { reading: Arc::clone(reading) };
    Door::open(place.reading_socket(), Arc::new(follower), Closing::default())
}

impl Serves for Follower {
    fn serve(&self, request: Request, _: Incoming, sink: &mut dyn Sink) -> Outcome<Exit> {
        match request {
            Request::Read(read) => read.answer_another(&self.reading, sink),
            Request::Submit(_) | Request::Rebuild(_) => Err(Failure::new(
                Exit::Unavailable,
                "this node follows the ledger; ask the one that leads it",
            )),
        }
    }
}

impl Serves for Service {
    fn serve(&self, request: Request, lines: Incoming, sink: &mut dyn Sink) -> Outcome<Exit> {
        match request {
            Request::Read(read) => read.answer_another(&self.reading, sink),
            Request::Submit(submission) => {
                let deciding = Deciding::of(self.client.clone(), &self.reading, &submission);
                let tally = decided(deciding, &submission, lines, sink)?;
                Ok(tally.exit())
            }
            Request::Rebuild(asked) => rebuild(&self.reading, &asked, sink),
        }
    }
}

/// Has lines decided, reading them beside.
pub(super) fn decided(
    deciding: Deciding,
    submission: &Submission,
    lines: impl Iterator<Item = Outcome<Numbered>> + Send,
    sink: &mut dyn Sink,
) -> Outcome<Tally> {
    sink.begin(&sheet())?;
    let decider = Decider::new(deciding, submission, sink)?;
    let tally = fed(decider, lines)?;
    sink.note(&tally.to_string())?;
    Ok(tally)
}

/// Feeds lines to a decider, reading them beside.
pub(super) fn fed(
    decider: Decider<'_>,
    lines: impl Iterator<Item = Outcome<Numbered>> + Send,
) -> Outcome<Tally> {
    let (line, read) = sync_channel(LINES_WAITING);
    thread::scope(|scope| {
        scope.spawn(move || {
            for numbered in lines {
                let broken = numbered.is_err();
                // The other side ends first only by a failure of its own, which is told there.
                if line.send(numbered).is_err() || broken {
                    break;
                }
            }
        });
        let tally = decider.run(&read);
        drop(read);
        tally
    })
}
