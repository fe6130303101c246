//! A chain: one command from outside with what the clock owes before it and what policies do after
//! it, decided on a layer of its own and kept whole or not at all.

use crate::{
    answer::Failure,
    history::History,
    journal::Entry,
    rejection::Refused,
    states::{Changes, States},
};
use chl_aggregates::{
    Context, Due, Fact, Facts, Reaction, Refusal, Row, RowKey, Rows, RowsMut, Unavailable,
    books_open_from, decide, due, evolve, react, react_to_refusal, stream_of,
};
use chl_commands::Command;
use chl_events::{ActorId, Commit, Instant, Origin, RecordedCommand, Role, Stream};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::{collections::VecDeque, sync::Arc};

/// The most commits of one chain; more means that policies chase each other.
const MAX_CHAIN: usize = 256;

/// Why a chain was not kept.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The business answer is no.
    Rejected(Refused),
    /// It could not be decided.
    Failed(Failure),
}

impl<R: Into<Refused>> From<R> for Stop {
    fn from(refused: R) -> Self {
        Self::Rejected(refused.into())
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<Unavailable> for Stop {
    fn from(cause: Unavailable) -> Self {
        Self::Failed(Failure::StateUnavailable(cause.to_string()))
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rejected(rejection) => Self::Rejected(rejection.into()),
            Refusal::Unavailable(cause) => cause.into(),
        }
    }
}

/// A chain under decision.
pub(crate) struct Chain<'a> {
    states: &'a States,
    history: &'a History,
    changes: Changes,
    first: u64,
    commits: Vec<Arc<Commit>>,
    settled: VecDeque<Arc<Commit>>,
    refusals: Vec<Entry>,
}

/// What a chain that is kept leaves.
pub(crate) struct Kept {
    /// The rows it changed.
    pub(crate) changes: Changes,
    /// Its commits that are not in the log yet.
    pub(crate) commits: Vec<Arc<Commit>>,
    /// What policies asked for in vain.
    pub(crate) refusals: Vec<Entry>,
}

impl Rows for Chain<'_> {
    fn row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        match self.changes.get(key) {
            Some(row) => Ok(row.clone()),
            None => self.states.row(key),
        }
    }

    fn commit(&self, position: u64) -> Result<Option<Arc<Commit>>, Unavailable> {
        match position.checked_sub(self.first) {
            None => self.history.commit(position).map_err(|error| Unavailable(Box::new(error))),
            Some(index) => {
                Ok(usize::try_from(index).ok().and_then(|index| self.commits.get(index)).cloned())
            }
        }
    }
}

impl RowsMut for Chain<'_> {
    fn set(&mut self, key: RowKey, row: Option<Row>) {
        self.changes.insert(key, row);
    }
}

impl<'a> Chain<'a> {
    /// Begins a chain behind everything decided so far; `changes` is an empty map to fill.
    pub(crate) fn new(states: &'a States, history: &'a History, changes: Changes) -> Self {
        Self {
            states,
            history,
            changes,
            first: history.next(),
            commits: Vec::new(),
            settled: VecDeque::new(),
            refusals: Vec::new(),
        }
    }

    /// Where it begins: the position of its first commit.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The facts as this chain left them so far.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts(self)
    }

    /// Ends the chain.
    pub(crate) fn keep(self) -> Kept {
        let Self { changes, commits, refusals, .. } = self;
        Kept { changes, commits, refusals }
    }

    /// Commits what the clock owes by the time of a command, in the order it fell due.
    pub(crate) fn clock(&mut self, command: &Command, cause: &Context<'_>) -> Result<(), Stop> {
        loop {
            // A time in the future is refused in its place of precedence; nothing is due there yet.
            let until = cause.time.min(cause.recorded_at);
            let owed = due(command, self.facts(), until)?;
            let before = self.commits.len();
            for (index, due) in owed.into_iter().enumerate() {
                self.due(due, index, cause)?;
            }
            if self.commits.len() == before {
                return Ok(());
            }
        }
    }

    fn due(&mut self, due: Due, index: usize, cause: &Context<'_>) -> Result<(), Stop> {
        let Due { at, command } = due;
        let kind = command.kind();
        let index =
            [(index as u64).to_be_bytes(), (self.commits.len() as u64).to_be_bytes()].concat();
        let origin = &cause.origin;
        let parts: [&[u8]; 5] = [
            b"clock",
            kind.name.as_bytes(),
            origin.source.as_bytes(),
            origin.id.as_bytes(),
            &index,
        ];
        let origin = own_origin("/clock".into(), &parts, Role::Clock, cause.origin);
        let context = Context { origin: &origin, recorded_at: cause.recorded_at, time: at };
        match self.enact(&command, &context, Some(at)) {
            Ok(commit) => self.policies(commit),
            Err(Stop::Rejected(refused)) => {
                let message = format!("{} was due at {at} and refused: {refused}", kind.name);
                Err(Failure::Defect(message).into())
            }
            Err(stop) => Err(stop),
        }
    }

    /// Decides a command and takes its commit into the states.
    pub(crate) fn enact(
        &mut self,
        command: &Command,
        context: &Context<'_>,
        believed_time: Option<Instant>,
    ) -> Result<Arc<Commit>, Stop> {
        let facts = decide(command, self.facts(), context)?;
        let stream = stream_of(command, self.facts())?;
        let command = record(command, context)?;
        self.commit(stream, command, context, believed_time, facts)
    }

    /// Commits facts of a stream.
    pub(crate) fn commit(
        &mut self,
        stream: Stream,
        command: RecordedCommand,
        context: &Context<'_>,
        believed_time: Option<Instant>,
        facts: Vec<Fact>,
    ) -> Result<Arc<Commit>, Stop> {
        if self.commits.len() >= MAX_CHAIN || facts.is_empty() || facts.len() > MAX_EVENTS {
            let message =
                format!("{} events on {stream}, chain of {}", facts.len(), self.commits.len());
            return Err(Failure::Defect(message).into());
        }
        let version = self.facts().version(&stream)?.saturating_add(1);
        let posts = facts.iter().any(|fact| !fact.lines.is_empty());
        let open_from = if posts { books_open_from(self.facts())? } else { None };
        let commit = Arc::new(Commit {
            position: self.first.saturating_add(self.commits.len() as u64),
            stream,
            version,
            origin: context.origin.clone(),
            command,
            recorded_at: context.recorded_at,
            believed_time,
            events: facts.into_iter().map(|fact| fact.record(open_from)).collect(),
        });
        evolve(&commit, self)?;
        self.commits.push(Arc::clone(&commit));
        Ok(commit)
    }

    /// Lets the policies act on a commit and on what they caused, breadth first.
    pub(crate) fn policies(&mut self, cause: Arc<Commit>) -> Result<(), Stop> {
        let mut causes = VecDeque::from([cause]);
        while let Some(cause) = causes.pop_front() {
            let reactions = react(&cause, self.facts())?;
            for (index, reaction) in reactions.into_iter().enumerate() {
                self.react(&cause, index, reaction, &mut causes)?;
            }
        }
        Ok(())
    }

    fn react(
        &mut self,
        cause: &Commit,
        index: usize,
        reaction: Reaction,
        causes: &mut VecDeque<Arc<Commit>>,
    ) -> Result<(), Stop> {
        let mut next = Some((reaction, 0_u8));
        while let Some((reaction, attempt)) = next.take() {
            let origin = policy_origin(&reaction, cause, index, attempt);
            if let Some(commit) = self.settled_already(&origin)? {
                causes.push_back(commit);
                return Ok(());
            }
            let (recorded_at, time) = (cause.recorded_at, cause.time());
            let context = Context { origin: &origin, recorded_at, time };
            match self.enact(&reaction.command, &context, cause.believed_time) {
                Ok(commit) => causes.push_back(commit),
                Err(Stop::Rejected(Refused::Decision(rejection))) => {
                    let kind = reaction.command.kind().name;
                    let answer = react_to_refusal(&reaction.command, &rejection);
                    self.refusals.push(Entry::new(&origin, kind, rejection.doc().code));
                    next = answer.filter(|_| attempt == 0).map(|reaction| (reaction, 1));
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(())
    }

    /// Takes a commit that is in the log into the states.
    pub(crate) fn replay(&mut self, commit: &Commit) -> Result<(), Stop> {
        let known = self.facts().version(&commit.stream)?;
        if commit.version <= known {
            return Ok(());
        }
        if commit.version > known.saturating_add(1) {
            let Commit { position, stream, version, .. } = commit;
            let message = format!("{stream} goes from {known} to {version} at position {position}");
            return Err(Failure::Defect(message).into());
        }
        Ok(evolve(commit, self)?)
    }

    /// Says which commits of this chain are in the log already: what is owed is what follows them.
    pub(crate) fn settle_behind(&mut self, settled: impl IntoIterator<Item = Arc<Commit>>) {
        self.settled = settled.into_iter().collect();
    }

    /// The commit of a policy's command that is in the log already, taken into the states.
    fn settled_already(&mut self, origin: &Origin) -> Result<Option<Arc<Commit>>, Stop> {
        let same = |commit: &mut Arc<Commit>| {
            commit.origin.source == origin.source && commit.origin.id == origin.id
        };
        let Some(commit) = self.settled.pop_front_if(same) else { return Ok(None) };
        self.replay(&commit)?;
        Ok(Some(commit))
    }

    /// Takes what is in the log of this chain and was not made by today's policies.
    pub(crate) fn take_rest(&mut self) -> Result<usize, Stop> {
        let rest: Vec<_> = self.settled.drain(..).collect();
        for commit in &rest {
            self.replay(commit)?;
        }
        Ok(rest.len())
    }
}

/// The most events of one commit (log.md's bound on a decision).
const MAX_EVENTS: usize = 64;

/// The form in which a commit keeps a command; the ledger's own leave no data.
fn record(command: &Command, context: &Context<'_>) -> Result<RecordedCommand, Stop> {
    if context.is_internal() {
        let kind = command.kind();
        return Ok(RecordedCommand { tag: kind.tag, version: kind.version, data: Vec::new() });
    }
    let defect = |error| Failure::Defect(format!("a command does not encode: {error}"));
    command.record().map_err(defect).map_err(Stop::from)
}

fn policy_origin(reaction: &Reaction, cause: &Commit, index: usize, attempt: u8) -> Origin {
    let index = (index as u64).to_be_bytes();
    let parts: [&[u8]; 5] = [
        reaction.policy.as_bytes(),
        cause.origin.source.as_bytes(),
        cause.origin.id.as_bytes(),
        &index,
        &[attempt],
    ];
    own_origin(format!("/policy/{}", reaction.policy), &parts, Role::Policy, &cause.origin)
}

/// The origin of a command of the ledger's own: its id hashes what makes it this one.
fn own_origin(source: String, parts: &[&[u8]], role: Role, cause: &Origin) -> Origin {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let short = digest.get(..16).unwrap_or(&digest);
    Origin {
        source: source.into(),
        id: HEXLOWER.encode(short).into(),
        actor: ActorId::new(role.as_str()).expect("a role is a word"),
        on_behalf_of: None,
        role,
        partner: None,
        level: None,
        backfill: false,
        reason: None,
        correlation: cause.correlation.clone(),
        causation: Some(cause.id.clone()),
    }
}
