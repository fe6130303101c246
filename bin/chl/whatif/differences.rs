//! Decisions then and now, compared command by command; a refusal hangs under the one it follows
//! from.

use super::{
    chains::{Chain, Chains},
    deciding::{Decided, Key},
    positions::named,
    things::{Thing, made, needed},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    reads::command_name,
};
use chl_bus::LEDGER_SOURCE;
use chl_commands::Command;
use chl_events::{Commit, Instant, Role};
use std::collections::{BTreeMap, BTreeSet};

/// In what a decision differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Accepted then, refused now.
    Refused,
    /// Refused then, accepted now.
    Accepted,
    /// Accepted both times, with an amount that is smaller now.
    Capped,
    /// Accepted both times, with other events.
    Otherwise,
}

impl Kind {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Capped => "capped",
            Self::Otherwise => "otherwise",
        }
    }
}

/// A command that is decided otherwise.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) kind: Kind,
    /// Where it stood then; nowhere when it was refused.
    pub(super) position: Option<u64>,
    pub(super) source: String,
    pub(super) id: String,
    pub(super) command: &'static str,
    pub(super) recorded_at: Instant,
    /// The code of the refusal, then or now.
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    /// The types of its events then and now.
    pub(super) then: Vec<&'static str>,
    pub(super) now: Vec<&'static str>,
    /// The place in the list of the difference it follows from.
    pub(super) under: Option<usize>,
}

/// Compares the decisions of two logs, in the order of the first.
pub(super) fn differences(
    then: impl Iterator<Item = Outcome<Commit>>,
    now: impl Iterator<Item = Outcome<Commit>>,
    decided: &Decided,
) -> Outcome<Vec<Difference>> {
    let mut comparing = Comparing { decided, found: Vec::new(), missing: BTreeMap::new() };
    let mut now = Chains::new(now).peekable();
    // What was refused first and accepted when it was sent again may be accepted at once now.
    let mut ahead = BTreeSet::new();
    for chain in Chains::new(then) {
        let chain = chain?;
        let (key, recorded_at) = (key(&chain.own), chain.own.recorded_at);
        while let Some(added) = now.next_if(|next| comparing.comes_before(next, recorded_at)) {
            let added = added?;
            comparing.added(&added)?;
            ahead.insert(self::key(&added.own));
        }
        if chain.own.origin.source == LEDGER_SOURCE {
            continue;
        }
        if decided.refused.contains_key(&chain.own.position) {
            comparing.refused(&chain)?;
        } else if !ahead.contains(&key) {
            let same = loop {
                let next = now.next().transpose()?.ok_or_else(|| lost(&chain.own))?;
                if self::key(&next.own) == key {
                    break next;
                }
                comparing.added(&next)?;
                ahead.insert(self::key(&next.own));
            };
            comparing.accepted(&chain, &same)?;
        }
    }
    for chain in now {
        comparing.added(&chain?)?;
    }
    Ok(comparing.found)
}

struct Comparing<'a> {
    decided: &'a Decided,
    found: Vec<Difference>,
    /// What was made then and is not now, with the difference it follows from.
    missing: BTreeMap<Thing, usize>,
}

impl Comparing<'_> {
    fn refused(&mut self, chain: &Chain) -> Outcome {
        let position = chain.own.position;
        let refusal = self.decided.refused.get(&position);
        let (code, mut message) = (
            refusal.map(|refusal| refusal.code.clone()),
            refusal.map(|refusal| refusal.message.clone()),
        );
        let reversed = reversed(&chain.own)?.filter(|at| self.decided.refused.contains_key(at));
        if let Some(at) = reversed {
            message = Some(format!("the entry at position {at} is refused itself"));
        }
        let under = match reversed {
            Some(at) => self.found.iter().position(|found| found.position == Some(at)),
            None => self.cause(&chain.own)?,
        };
        let place = self.found.len();
        let then = events(chain);
        let difference = Difference { code, message, under, then, ..of(&chain.own, Kind::Refused) };
        self.found.push(difference);
        for thing in made(chain)? {
            self.missing.entry(thing).or_insert(place);
        }
        Ok(())
    }

    /// Whether a chain of now was refused then, and is of a time or before.
    fn comes_before(&self, next: &Outcome<Chain>, recorded_at: Instant) -> bool {
        next.as_ref().is_ok_and(|next| {
            let refused_then = self.decided.accepted.contains_key(&key(&next.own));
            refused_then && next.own.recorded_at <= recorded_at
        })
    }

    /// A command that was refused then, or that nobody sent.
    fn added(&mut self, chain: &Chain) -> Outcome {
        self.is_made(chain)?;
        if let Some(code) = self.decided.accepted.get(&key(&chain.own)) {
            let (code, now) = (Some(code.clone()), events(chain));
            let difference = of(&chain.own, Kind::Accepted);
            self.found.push(Difference { position: None, code, now, ..difference });
        }
        Ok(())
    }

    fn accepted(&mut self, then: &Chain, now: &Chain) -> Outcome {
        let (events_then, events_now) = (events(then), events(now));
        self.is_made(now)?;
        let kind = if events_then != events_now {
            Kind::Otherwise
        } else if is_capped(&then.own, &now.own)? {
            Kind::Capped
        } else {
            return Ok(());
        };
        let (under, place) = (self.cause(&then.own)?, self.found.len());
        let difference = of(&then.own, kind);
        self.found.push(Difference { under, then: events_then, now: events_now, ..difference });
        let now = made(now)?;
        for thing in made(then)?.into_iter().filter(|thing| !now.contains(thing)) {
            self.missing.entry(thing).or_insert(place);
        }
        Ok(())
    }

    /// Takes note of what is made now, if perhaps later than then.
    fn is_made(&mut self, chain: &Chain) -> Outcome {
        if !self.missing.is_empty() {
            for thing in made(chain)? {
                self.missing.remove(&thing);
            }
        }
        Ok(())
    }

    /// The nearest difference that a command follows from.
    fn cause(&self, commit: &Commit) -> Outcome<Option<usize>> {
        if self.missing.is_empty() {
            return Ok(None);
        }
        let needed = needed(commit)?;
        Ok(needed.iter().filter_map(|thing| self.missing.get(thing)).max().copied())
    }
}

fn key(commit: &Commit) -> Key {
    (commit.origin.source.to_string(), commit.origin.id.to_string())
}

/// The types of a command's own events, and of those that policies made of them.
fn events(chain: &Chain) -> Vec<&'static str> {
    let policies = chain.others.iter().filter(|commit| commit.origin.role == Role::Policy);
    let commits = std::iter::once(&chain.own).chain(policies);
    commits.flat_map(|commit| &commit.events).map(|recorded| recorded.event.kind().name).collect()
}

fn of(commit: &Commit, kind: Kind) -> Difference {
    let (source, id) = key(commit);
    Difference {
        kind,
        position: Some(commit.position),
        source,
        id,
        command: command_name(commit),
        recorded_at: commit.recorded_at,
        code: None,
        message: None,
        then: Vec::new(),
        now: Vec::new(),
        under: None,
    }
}

/// Whether a command has another amount now. Where it names an entry, or terms, it has them as they
/// are now.
fn is_capped(then: &Commit, now: &Commit) -> Outcome<bool> {
    if then.command.data == now.command.data {
        return Ok(false);
    }
    let (then, now) = (command(then)?, command(now)?);
    Ok(then != now && named(&then).is_none() && !matches!(then, Command::Programme(_)))
}

/// The position of the entry that a command reverses.
fn reversed(commit: &Commit) -> Outcome<Option<u64>> {
    Ok(named(&command(commit)?))
}

fn command(commit: &Commit) -> Outcome<Command> {
    let unread = format!("the command at position {}", commit.position);
    Command::decode(&commit.command).or_exit(Exit::Verification, unread)
}

fn lost(commit: &Commit) -> Failure {
    let position = commit.position;
    let text = format!("what was accepted at position {position} is missing in the log beside");
    Failure::new(Exit::Internal, text)
}
