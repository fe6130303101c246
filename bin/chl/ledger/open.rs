//! Opening the log: its errors as the user meets them.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    place::Place,
};
use chl_bus::StatesFile;
use chl_log_sled::{OpenError, Options, Seen, SledLog, inspect};
use chl_runtime::Reader;

/// An attempt to open a ledger.
pub(crate) enum Attempt<T> {
    /// It is open.
    Opened(T),
    /// Another process owns it; said so with the words of this failure.
    Owned(Failure),
}

/// Opens the log.
pub(crate) fn open_log(place: &Place, options: Options) -> Result<SledLog, OpenError> {
    let seal_bytes = place.seal_bytes().unwrap_or(options.seal_bytes);
    SledLog::open(&place.log(), Options { seal_bytes, ..options })
}

/// Why a log could not be opened, and what to do.
pub(crate) fn unopened(place: &Place, error: OpenError) -> Failure {
    let ledger = place.ledger();
    let hint = if error.is_damage() {
        let from = readable(place);
        format!(
            "ledger {ledger:?} is damaged{from}; keep a copy, then restore a backup, or accept the \
             loss with `chl log repair --accept-loss-after POSITION --reason TEXT`"
        )
    } else if matches!(error, OpenError::NotFound { .. }) {
        let others = match place.beside().as_slice() {
            [] => String::new(),
            others => format!(" (there is {})", others.join(", ")),
        };
        format!(
            "there is no ledger {ledger:?} yet{others}; `chl submit`, `chl import` and `chl demo` \
             make one, and --data and --ledger say where"
        )
    } else if matches!(error, OpenError::Owned { .. }) {
        format!("ledger {ledger:?} has an owner that does not answer")
    } else {
        format!("ledger {ledger:?} cannot be opened")
    };
    let exit = if error.is_damage() { Exit::Verification } else { Exit::Unavailable };
    Failure::Told { exit, error: anyhow::Error::new(error).context(hint) }
}

/// From which position on a damaged log cannot be read, where that can be told.
fn readable(place: &Place) -> String {
    let found = inspect(&place.log()).map(|found| found.readable.next);
    found.map_or_else(|_| String::new(), |next| format!(" from position {next} on"))
}

/// Refuses a folder whose log is gone while what was built from it is there: a new log beside it
/// would be another ledger under the old one's name.
pub(crate) fn require_log(place: &Place) -> Outcome {
    let rest = place.built();
    if place.exists() || rest.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Verification,
        format_args!(
            "ledger {:?} has lost its log: {} is gone, and {} are still there; put the log back \
             from a backup (`chl restore` makes the ledger under another --ledger or --data), or \
             move {} away to begin anew",
            place.ledger(),
            place.log().display(),
            rest.join(", "),
            place.dir().display()
        ),
    ))
}

/// What else is durable and has seen the log: a head below it has lost its tail.
pub(crate) fn seen(place: &Place) -> Vec<Seen> {
    let views = Reader::open(&place.views()).and_then(|reader| reader.position());
    let views =
        views.ok().map(|position| Seen { what: "the file of the read models".into(), position });
    let states = place.states().exists().then(|| StatesFile::open(&place.states()));
    let states = states.and_then(|file| file.ok()?.stands_for().ok().flatten());
    let states = states.map(|(_, position)| Seen { what: "the file of states".into(), position });
    views.into_iter().chain(states).collect()
}
