//! Deciding a ledger's commands again: into an empty one, with the recorded times they name.

use super::{
    answers::Tally,
    decide::{Decider, Deciding, sheet},
    service::{fed, open_door},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Attempt, Birth, Owning, own, require_log},
    output::Sink,
    owner::Submission,
    place::Place,
    user,
};
use serde_json::Value;

/// What a sink of answers keeps, when nobody wants to see them: nothing but the refused ones.
pub(super) struct Refused<'a> {
    /// Where refusals go.
    pub(super) sink: &'a mut dyn Sink,
}

/// Makes an empty ledger of lines of commands: as `birth` says, else as their first line does.
///
/// The lines are believed: actors, roles, recorded times, sealed texts.
pub(super) fn replay(
    place: &Place,
    birth: Birth,
    lines: impl Iterator<Item = Outcome<(u64, Vec<u8>)>> + Send,
    sink: &mut dyn Sink,
) -> Outcome<(Owning, Tally)> {
    place.require_none("a replay")?;
    require_log(place)?;
    let owning = match own(place, Some(&birth))? {
        Attempt::Opened(owning) => owning,
        Attempt::Owned(failure) => return Err(failure),
    };
    if owning.reading.log.head().next > 1 {
        return Err(place.is_there("a replay"));
    }
    let door = open_door(place, &owning)?;
    let submission = Submission {
        actor: user::actor()?.to_string(),
        source: "/chl".to_owned(),
        trust_claims: true,
        dry_run: false,
        wait: Vec::new(),
    };
    sink.begin(&sheet())?;
    let deciding = Deciding::of(owning.client()?, &owning.reading, &submission);
    let decider = Decider::new(deciding, &submission, sink)?.replaying();
    let tally = fed(decider, lines)?;
    drop(door);
    Ok((owning, tally))
}

/// The ledger an export of commands makes, by its first line.
pub(super) fn birth_of(line: &[u8]) -> Outcome<Birth> {
    let opening = chl_bus::read_opening(line).or_exit(Exit::Usage, "the first line")?;
    let (ledger, opening) = opening.ok_or_else(|| {
        Failure::usage("the first line is no LedgerOpened; `chl log export --commands` begins so")
    })?;
    Ok(Birth { ledger, opening })
}

impl Sink for Refused<'_> {
    fn document(&mut self, json: &str) -> Outcome {
        let answer: Value = serde_json::from_str(json).or_exit(Exit::Internal, "an answer")?;
        if answer.get("outcome").and_then(Value::as_str) == Some("accepted") {
            return Ok(());
        }
        self.sink.note(json)
    }

    fn note(&mut self, text: &str) -> Outcome {
        self.sink.note(text)
    }
}
