//! The aggregates alone: the channel year's accepted commands decided again over rows in memory —
//! what is due, decision, evolution, policies — with nothing of a bus around them.
//!
//! Each decision must come to the events that the ledger recorded; that is checked outside the
//! timed part, on the first pass.

use crate::machine::thread_cpu;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use chl_aggregates::{
    Context, Facts, Reaction, Refusal, Rejection, Row, RowKey, Rows, RowsMut, Unavailable,
    books_open_from, decide, due, evolve, react, react_to_refusal,
};
use chl_commands::Command;
use chl_events::{Commit, Role};
use hashbrown::HashMap;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// The accepted commands of a year, and every commit of it.
pub struct Year {
    commits: Vec<Arc<Commit>>,
    /// Positions of the commits from outside, with their commands.
    commands: Vec<(usize, Command)>,
}

impl Year {
    /// Takes the commits of a ledger in which a year took place.
    pub fn of(commits: Vec<Commit>) -> Result<Self> {
        let mut commands = Vec::new();
        for (at, commit) in commits.iter().enumerate().skip(1) {
            if !matches!(commit.origin.role, Role::Policy | Role::Clock) {
                commands.push((at, Command::decode(&commit.command)?));
            }
        }
        let year = Self { commits: commits.into_iter().map(Arc::new).collect(), commands };
        year.decide(true)?;
        Ok(year)
    }

    /// How many commands from outside it has.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Decides all of them on nothing; says the processor time it took.
    pub fn timed(&self) -> Result<Duration> {
        let before = thread_cpu()?;
        let rows = self.decide(false)?;
        let took = thread_cpu()?.saturating_sub(before);
        drop(rows);
        Ok(took)
    }

    fn decide(&self, check: bool) -> Result<HashMap<RowKey, Row>> {
        let opened = self.commits.first().context("a ledger is opened by a commit")?;
        let mut desk = Desk { year: self, rows: HashMap::new(), next: 1, check };
        evolve(opened, &mut desk)?;
        for (at, command) in &self.commands {
            desk.take(*at, command)?;
        }
        ensure!(desk.next == self.commits.len(), "the year ends elsewhere");
        Ok(desk.rows)
    }
}

/// The commit a command comes to.
type Next<'a> = &'a Arc<Commit>;

/// Rows in memory, and how far the year has come.
struct Desk<'a> {
    year: &'a Year,
    rows: HashMap<RowKey, Row>,
    next: usize,
    check: bool,
}

impl Rows for Desk<'_> {
    fn row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        Ok(self.rows.get(key).cloned())
    }

    fn commit(&self, position: u64) -> Result<Option<Arc<Commit>>, Unavailable> {
        let commits = &self.year.commits[..self.next];
        Ok(usize::try_from(position).ok().and_then(|at| commits.get(at)).cloned())
    }
}

impl RowsMut for Desk<'_> {
    fn set(&mut self, key: RowKey, row: Option<Row>) {
        match row {
            Some(row) => self.rows.insert(key, row),
            None => self.rows.remove(&key),
        };
    }
}

impl<'a> Desk<'a> {
    /// A command from outside: what is due before it, itself, and what follows from it.
    fn take(&mut self, at: usize, command: &Command) -> Result<()> {
        let cause = &self.year.commits[at];
        let time = cause.time();
        loop {
            let owed = due(command, Facts(self), time)?;
            if owed.is_empty() {
                break;
            }
            for due in owed {
                let commit = self.one(&due.command)?.map_err(|no| anyhow!("due, but {no}"))?;
                self.policies(commit)?;
            }
        }
        ensure!(self.next == at, "the commands of position {at} come at {}", self.next);
        let commit = self.one(command)?.map_err(|no| anyhow!("accepted before, but {no}"))?;
        self.policies(commit)
    }

    /// Decides a command as the next commit has it, and takes that in; or why it is refused.
    fn one(&mut self, command: &Command) -> Result<std::result::Result<Next<'a>, Rejection>> {
        let year = self.year;
        let commit = year.commits.get(self.next).context("the year has ended")?;
        let (recorded_at, time) = (commit.recorded_at, commit.time());
        let context = Context { origin: &commit.origin, recorded_at, time };
        let facts = match decide(command, Facts(self), &context) {
            Ok(facts) => facts,
            Err(Refusal::Rejected(rejection)) => return Ok(Err(rejection)),
            Err(Refusal::Unavailable(error)) => return Err(error.into()),
        };
        if self.check {
            let open_from = books_open_from(Facts(self))?;
            let events: Vec<_> = facts.into_iter().map(|fact| fact.record(open_from)).collect();
            if events != commit.events {
                bail!("{events:?} at {}, where {:?} was recorded", self.next, commit.events);
            }
        }
        self.next += 1;
        evolve(commit, self)?;
        Ok(Ok(commit))
    }

    fn policies(&mut self, cause: Next<'a>) -> Result<()> {
        let mut causes = VecDeque::from([cause]);
        while let Some(cause) = causes.pop_front() {
            for Reaction { command, .. } in react(cause, Facts(self))? {
                let instead = match self.one(&command)? {
                    Ok(commit) => {
                        causes.push_back(commit);
                        continue;
                    }
                    Err(rejection) => react_to_refusal(&command, &rejection),
                };
                if let Some(Reaction { command, .. }) = instead {
                    causes.extend(self.one(&command)?.ok());
                }
            }
        }
        Ok(())
    }
}
