//! Asking a ledger: through its owner, or by opening it to read and appending nothing.

use crate::{
    exit::Exit,
    failure::Outcome,
    ledger::{
        Attempt, Reading, compare_signed, forget_again, open_bucket, open_copy, open_log,
        open_stream, open_vault, unopened,
    },
    output::{Output, Sink},
    owner::{Reached, Request, connect, connect_to_read, reach},
    place::Place,
    reads::{Read, Tail},
    servers::Servers,
    talk,
};
use chl_log::EventLog;
use chl_log_sled::{OpenError, Options};
use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

/// How often a follower without an owner looks for news.
const GLANCE: Duration = Duration::from_millis(200);

/// A ledger that this process holds the lock of, to read it.
pub(crate) struct OpenedToRead {
    /// What answers are read from.
    pub(crate) reading: Reading,
    /// The lock is held, and the log open, as long as this lives.
    _log: Box<dyn EventLog>,
}

/// Opens a ledger to read it; appends nothing.
pub(crate) fn open_to_read(place: &Place) -> Outcome<Attempt<OpenedToRead>> {
    if let Some(servers) = place.servers() {
        return followed(place, servers);
    }
    let options = Options { seen: crate::ledger::seen(place), ..Options::default() };
    match open_log(place, options) {
        Ok(log) => {
            compare_signed(place, log.reader().as_ref())?;
            let vault = place.vault().exists().then(|| open_vault(place)).transpose()?;
            let reading = Reading::new(place, log.reader(), vault.map(Arc::new));
            Ok(Attempt::Opened(OpenedToRead { reading, _log: Box::new(log) }))
        }
        Err(error @ OpenError::Owned { .. }) => Ok(Attempt::Owned(unopened(place, error))),
        Err(error) => Err(unopened(place, error)),
    }
}

/// Opens a ledger on servers to read it: this machine's copy, brought up to the stream.
fn followed(place: &Place, servers: &Servers) -> Outcome<Attempt<OpenedToRead>> {
    let (connection, log) = match open_stream(place, servers, None)? {
        Attempt::Opened((connection, _, log)) => (connection, log),
        Attempt::Owned(failure) => return Ok(Attempt::Owned(failure)),
    };
    let vault = match open_bucket(place, servers, &connection) {
        Ok(vault) => Some(Arc::new(vault)),
        // Who may read the log need not be one who may read the keys.
        Err(failure) => {
            talk::say(&format!("texts of persons stay sealed: {failure}"));
            None
        }
    };
    let reading = Reading::new(place, log.reader(), vault);
    Ok(Attempt::Opened(OpenedToRead { reading, _log: Box::new(log) }))
}

/// Asks a question and writes the answer.
pub(crate) fn ask(place: &Place, read: Read, mut output: Output) -> Outcome<Exit> {
    let exit = ask_into(place, read, &mut output)?;
    output.end()?;
    Ok(exit)
}

/// Asks what needs no ledger.
pub(crate) fn ask_nobody(
    mut output: Output,
    answer: impl FnOnce(&mut dyn Sink) -> Outcome<Exit>,
) -> Outcome<Exit> {
    let exit = answer(&mut output)?;
    output.end()?;
    Ok(exit)
}

/// Asks what this node keeps of a ledger whose servers are out of reach.
pub(crate) fn ask_copy(place: &Place, read: &Read, mut output: Output) -> Outcome<Exit> {
    let copy = open_copy(place)?;
    let exit = read.answer(&copy.reading, &mut output)?;
    output.end()?;
    Ok(exit)
}

/// Asks a question and hands the answer on.
pub(crate) fn ask_into(place: &Place, read: Read, sink: &mut dyn Sink) -> Outcome<Exit> {
    // A node that follows has the copy, and answers beside it.
    if place.servers().is_some()
        && let Some(connection) = connect_to_read(place)?
    {
        return connection.ask(Request::Read(read), sink);
    }
    match reach(place, || open_to_read(place))? {
        Reached::Owner(connection) => connection.ask(Request::Read(read), sink),
        Reached::Own(ledger) => {
            // An owner did so when it opened the ledger.
            if let Some(vault) = ledger.reading.vault.as_ref().filter(|_| read.needs_keys())
                && place.servers().is_none()
            {
                forget_again(ledger.reading.log.as_ref(), || Ok(Arc::clone(vault)))?;
            }
            read.answer(&ledger.reading, sink)
        }
    }
}

/// Shows the newest commits and follows the log: through its owner while there is one, and without
/// keeping the ledger from anybody else.
pub(crate) fn follow(place: &Place, tail: Tail, mut output: Output) -> Outcome<Exit> {
    let mut seen = Seen { sink: &mut output, next: tail.from };
    loop {
        let mark = written(place);
        let again = Tail { from: seen.next, ..tail.clone() };
        if let Some(connection) = connect(place)? {
            // The owner ends the answer when it leaves.
            connection.ask(Request::Read(Read::Tail(again)), &mut seen)?;
        } else {
            ask_into(place, Read::Tail(Tail { follow: false, ..again }), &mut seen)?;
        }
        while connect(place)?.is_none() && written(place) == mark {
            thread::sleep(GLANCE);
        }
    }
}

/// What changes when somebody has written: the witness of the log.
pub(crate) fn written(place: &Place) -> Option<SystemTime> {
    fs::metadata(place.log().join("witness")).and_then(|meta| meta.modified()).ok()
}

/// Remembers where the next answer has to go on.
struct Seen<'a> {
    sink: &'a mut Output,
    next: Option<u64>,
}

impl Sink for Seen<'_> {
    fn begin(&mut self, sheet: &crate::output::Sheet<'_>) -> Outcome {
        if self.next.is_none() { self.sink.begin(sheet) } else { Ok(()) }
    }

    fn row(&mut self, values: Vec<serde_json::Value>) -> Outcome {
        let position = values.first().and_then(serde_json::Value::as_u64);
        self.next = position.map(|position| position.saturating_add(1)).or(self.next);
        self.sink.row(values)
    }

    fn document(&mut self, json: &str) -> Outcome {
        self.sink.document(json)
    }

    fn line(&mut self, line: &str) -> Outcome {
        self.sink.line(line)
    }

    fn pass_on(&mut self) -> Outcome {
        self.sink.pass_on()
    }

    fn note(&mut self, text: &str) -> Outcome {
        self.sink.note(text)
    }
}
