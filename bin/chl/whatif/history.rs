//! What is to be decided again: the recorded commands, and between them those that were refused.

use super::change::Change;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Birth, Reading, commits_from},
};
use chl_bus::{LEDGER_SOURCE, Noted, Opening, Prepared, again, prepare, replaying};
use chl_commands::{
    Command,
    programme::{Programme, PublishProgramme},
};
use chl_events::{ActorId, Commit, Event, Instant, ledger::LedgerEvent};
use chl_log::ReadLog;
use std::iter::Peekable;

/// What became of a command then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    /// It was accepted, with the commit at this position.
    Accepted(u64),
    /// It was refused with this code.
    Refused(String),
    /// Nobody sent it: it brings in the other terms.
    Unsent,
}

/// A command to be decided again, and what became of it then.
pub(super) struct Turn {
    pub(super) then: Then,
    pub(super) prepared: Prepared,
}

/// How a ledger began, so that another one begins the same.
pub(super) fn opened(log: &dyn ReadLog) -> Outcome<Birth> {
    let none = || Failure::new(Exit::Verification, "the log does not begin with LedgerOpened");
    let first = commits_from(log, 0)?.next().ok_or_else(none)??;
    let Some(Event::Ledger(LedgerEvent::LedgerOpened(event))) =
        first.events.first().map(|recorded| &recorded.event)
    else {
        return Err(none());
    };
    let (name, origin) = (event.name.clone(), event.origin.clone());
    let (actor, recorded_at) = (first.origin.actor.clone(), Some(first.recorded_at));
    Ok(Birth { ledger: event.ledger, opening: Opening { name, origin, actor, recorded_at } })
}

/// Since when the decision journal has noted refusals; none where it has none.
pub(super) fn noted_since(ledger: &Reading) -> Outcome<Option<Instant>> {
    let first = ledger.refusals()?.next().transpose()?;
    Ok(first.map(|noted| noted.at))
}

/// The commands of a history up to an end, in the order in which they were decided.
pub(super) fn history<'a>(
    ledger: &'a Reading,
    end: u64,
    change: &'a Change,
) -> Outcome<impl Iterator<Item = Outcome<Turn>> + 'a> {
    let mut refusals = Refusals {
        noted: refusals(ledger, change)?.peekable(),
        since: Instant::from_micros(i64::MIN),
    };
    let commits = commits_from(ledger.log.as_ref(), 0)?.map(Some).chain([None]);
    Ok(commits.flat_map(move |commit| {
        let commit = match commit {
            None => return refusals.before(end),
            Some(Err(failure)) => return vec![Err(failure)],
            Some(Ok(commit)) if commit.position >= end => return Vec::new(),
            Some(Ok(commit)) => commit,
        };
        let (inserted, own) = match sent(&commit, change) {
            Ok(turns) => turns,
            Err(failure) => return vec![Err(failure)],
        };
        let mut turns: Vec<_> = inserted.into_iter().map(Ok).collect();
        if own.is_some() || commit.origin.source == LEDGER_SOURCE {
            turns.extend(refusals.before(commit.position));
            refusals.since = commit.recorded_at;
        }
        turns.extend(own.map(Ok));
        turns
    }))
}

/// Refusals of the journal, in the order of the log.
struct Refusals<I: Iterator<Item = Outcome<(u64, Turn)>>> {
    noted: Peekable<I>,
    /// When the last commit was recorded that they could see.
    since: Instant,
}

impl<I: Iterator<Item = Outcome<(u64, Turn)>>> Refusals<I> {
    /// Those decided before a position. What was recorded before the commit it follows is of a
    /// history that was lost and repaired.
    fn before(&mut self, position: u64) -> Vec<Outcome<Turn>> {
        let due = |refusal: &Outcome<(u64, Turn)>| {
            refusal.as_ref().map_or(true, |(before, _)| *before <= position)
        };
        let mut turns = Vec::new();
        while let Some(refusal) = self.noted.next_if(due) {
            match refusal {
                Ok((_, turn)) if turn.prepared.recorded_at() < Some(self.since) => {}
                refusal => turns.push(refusal.map(|(_, turn)| turn)),
            }
        }
        turns
    }
}

/// What is sent in the place of a commit: the version that comes in before it, and its own command.
fn sent(commit: &Commit, change: &Change) -> Outcome<(Option<Turn>, Option<Turn>)> {
    let inserted = change.before(commit.position)?;
    let inserted = inserted.map(|prepared| Turn { then: Then::Unsent, prepared });
    let unread = format!("the command at position {}", commit.position);
    let own = again(commit).or_exit(Exit::Verification, unread)?.map(|prepared| {
        let prepared = prepared.capped();
        let prepared = match publication(prepared.command()) {
            Some(version) => {
                let version = change.published(commit.position, version);
                prepared.saying(version)
            }
            None => prepared,
        };
        Turn { then: Then::Accepted(commit.position), prepared }
    });
    Ok((inserted, own))
}

fn publication(command: &Command) -> Option<&PublishProgramme> {
    let Command::Programme(Programme::PublishProgramme(version)) = command else { return None };
    Some(version)
}

/// What decisions refused, each with the position it was decided before.
///
/// A version of the programme that could not be published then is not tried: the terms are others.
fn refusals<'a>(
    ledger: &Reading,
    change: &'a Change,
) -> Outcome<impl Iterator<Item = Outcome<(u64, Turn)>> + 'a> {
    let actor = crate::user::actor()?;
    Ok(ledger.refusals()?.filter_map(move |noted| match noted {
        Ok(noted) => refusal(noted, &actor, change).map(Ok),
        Err(failure) => Some(Err(failure)),
    }))
}

fn refusal(noted: Noted, actor: &ActorId, change: &Change) -> Option<(u64, Turn)> {
    let (before, document) = (noted.before?, noted.document?);
    let prepared = prepare(document.get().as_bytes(), &replaying(actor.clone())).ok()?;
    let of_programme = |version: &PublishProgramme| version.programme == *change.programme();
    if publication(prepared.command()).is_some_and(of_programme) {
        return None;
    }
    Some((before, Turn { then: Then::Refused(noted.code), prepared }))
}
