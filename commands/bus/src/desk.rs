//! The desk: one command after the other, decided against what the one before it left.
//!
//! It knows nothing of threads, groups or disks: the writer feeds it and says what became durable.

use crate::{
    answer::{Accepted, Answer, Failure},
    chain::{Chain, Kept, Stop},
    clock::{Clock, Watch},
    history::History,
    journal::{Entry, Tried},
    keys::{Keys, KeysError, command_key},
    prepare::Prepared,
    rejection::{BusRejection, Refused},
    seal,
    sent::Sent,
    states::{Changes, States},
    trace::{TraceParent, Traces},
    vault::Vault,
};
use chl_aggregates::{Class, Context, Rejection, stream_of};
use chl_commands::Command;
use chl_events::{Commit, Instant, MAX_COMMIT_BYTES, Origin, Role, Stream};
use serde_json::value::to_raw_value;
use std::sync::Arc;

/// Decides commands.
pub(crate) struct Desk {
    pub(crate) states: States,
    pub(crate) history: History,
    pub(crate) keys: Keys,
    pub(crate) watch: Watch,
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) scratch: Changes,
    pub(crate) traces: Arc<Traces>,
}

/// A decided command: its answer, and what has to become durable before it may leave.
pub(crate) struct Decided {
    /// The answer.
    pub(crate) answer: Answer,
    /// The bytes of the commits of its chain, in order; none when it changed nothing.
    pub(crate) commits: Vec<Vec<u8>>,
    /// Who was refused what, for the journal.
    pub(crate) refusals: Vec<Entry>,
}

impl Decided {
    /// An answer that leaves nothing behind.
    fn alone(answer: Answer) -> Self {
        Self { answer, commits: Vec::new(), refusals: Vec::new() }
    }
}

/// A chain's own parts of an accepted answer, before its bytes are checked.
struct Accepting {
    kept: Kept,
    bytes: Vec<Vec<u8>>,
    answer: Accepted,
}

impl From<KeysError> for Stop {
    fn from(error: KeysError) -> Self {
        Failure::StateUnavailable(error.to_string()).into()
    }
}

impl Desk {
    /// The position of the next commit.
    pub(crate) fn next(&self) -> u64 {
        self.history.next()
    }

    /// A chain behind everything decided so far.
    pub(crate) fn chain(&mut self) -> Chain<'_> {
        Chain::new(&self.states, &self.history, std::mem::take(&mut self.scratch))
    }

    /// Decides a command.
    pub(crate) fn decide(&mut self, prepared: Prepared, dry_run: bool) -> Decided {
        let (origin, command) = (prepared.sender.origin.clone(), prepared.command.kind().name);
        let id = || Some(origin.id.to_string());
        let (trace, span) = (prepared.trace, prepared.span.clone());
        let _within = span.enter();
        let (refused, tried) = match self.run(prepared) {
            Ok(Verdict::New(accepting)) => return self.take(*accepting, trace, dry_run),
            Ok(Verdict::Again(accepted)) => {
                return Decided::alone(Answer::Accepted(Accepted { dry_run, ..accepted }));
            }
            Ok(Verdict::No(rejection, tried)) => (Refused::Decision(rejection), tried),
            Err(Stop::Rejected(refused)) => (refused, None),
            Err(Stop::Failed(failure)) => {
                return Decided::alone(Answer::Failed { id: id(), failure });
            }
        };
        let entry = Entry::new(&origin, command, refused.code()).with(tried);
        let answer = Answer::Rejected { id: id(), refused, dry_run };
        Decided { refusals: vec![entry], ..Decided::alone(answer) }
    }

    fn take(&mut self, accepting: Accepting, trace: Option<TraceParent>, dry_run: bool) -> Decided {
        let Accepting { mut kept, bytes, answer } = accepting;
        let first = self.history.next();
        self.states.merge(&mut kept.changes);
        self.scratch = kept.changes;
        self.keys.push(command_key(&answer.commit.origin), answer.commit.position);
        self.watch.recorded(answer.commit.recorded_at);
        kept.commits.into_iter().for_each(|commit| self.history.push(commit));
        if let Some(trace) = trace {
            self.traces.note(first, self.history.next(), trace);
        }
        let answer = Answer::Accepted(Accepted { dry_run, ..answer });
        Decided { answer, commits: bytes, refusals: kept.refusals }
    }

    fn run(&mut self, prepared: Prepared) -> Result<Verdict, Stop> {
        let now = self.clock.read();
        let recorded_at = match prepared.recorded_at {
            Some(at) => self.watch.not_before(at),
            None => self.watch.recording(now).map_err(Failure::from)?,
        };
        let key = command_key(&prepared.sender.origin);
        if let Some(position) = self.keys.get(&key)? {
            let commit = self.commit(position)?;
            // The index knows keys by a hash; the commit knows them whole.
            if command_key(&commit.origin) == key {
                return self.again(commit, prepared).map(Verdict::Again);
            }
        }
        let changes = std::mem::take(&mut self.scratch);
        let chain = Chain::new(&self.states, &self.history, changes);
        decide(chain, prepared, recorded_at, &self.vault)
    }

    /// The first answer of a key again, or the refusal of other content under it.
    fn again(&self, commit: Arc<Commit>, prepared: Prepared) -> Result<Accepted, Stop> {
        let Prepared { sender, reason, command, .. } = prepared;
        let (origin, mut later, mut reason) = (sender.origin, command, reason);
        let broken =
            |error| Failure::Defect(format!("the command at {}: {error}", commit.position));
        let mut earlier = Command::decode(&commit.command).map_err(broken)?;
        let sealed = commit.origin.reason.as_ref();
        seal::align(&self.vault, &origin, (&mut earlier, sealed), (&mut later, &mut reason))?;
        let reason = reason.as_ref().and_then(chl_events::Sealable::sealed);
        let same = earlier == later
            && sealed == reason
            && commit.origin.partner == origin.partner
            && commit.origin.on_behalf_of == origin.on_behalf_of
            && commit.origin.backfill == origin.backfill
            && commit.believed_time == sender.believed_time;
        if !same {
            let (position, recorded_at) = (commit.position, commit.recorded_at);
            let id = origin.id.to_string();
            return Err(BusRejection::IdReused { id, position, recorded_at }.into());
        }
        let version = self.version_after_chain(&commit)?;
        Ok(Accepted { commit, version, duplicate: true, dry_run: false })
    }

    /// The version of a commit's stream after what policies did about it, which follows at once.
    fn version_after_chain(&self, commit: &Commit) -> Result<u64, Stop> {
        let mut version = commit.version;
        for position in commit.position.saturating_add(1)..self.next() {
            let next = self.commit(position)?;
            if next.origin.role != Role::Policy {
                break;
            }
            if next.stream == commit.stream {
                version = next.version;
            }
        }
        Ok(version)
    }

    fn commit(&self, position: u64) -> Result<Arc<Commit>, Stop> {
        let unavailable =
            |error: crate::history::HistoryError| Failure::LogUnavailable(error.to_string());
        let commit = self.history.commit(position).map_err(unavailable)?;
        let missing = || Failure::Defect(format!("no commit at position {position}"));
        commit.ok_or_else(missing).map_err(Stop::from)
    }

    /// Throws away what was decided from a position on.
    pub(crate) fn roll_back(&mut self, next: u64, last: Option<Instant>) {
        self.states.roll_back();
        self.keys.roll_back(next);
        self.history.roll_back(next);
        self.traces.roll_back(next);
        self.watch.rewind(last);
    }
}

enum Verdict {
    Again(Accepted),
    New(Box<Accepting>),
    No(Rejection, Option<Tried>),
}

/// Decides a new command: expected version, then permission, then the clock, the decision itself
/// and the policies.
fn decide(
    mut chain: Chain<'_>,
    prepared: Prepared,
    recorded_at: Instant,
    vault: &Vault,
) -> Result<Verdict, Stop> {
    let Prepared { sender, reason, expected_version, mut command, capped, .. } = prepared;
    let (mut origin, believed_time) = (sender.origin, sender.believed_time);
    if let Some(expected) = expected_version {
        check_version(&chain, &origin, &command, expected)?;
    }
    if let Some(refused) = sender.refused {
        return Err(refused.into());
    }
    seal::seal(vault, &mut origin, reason, &mut command)?;
    let time = believed_time.unwrap_or(recorded_at);
    let context = Context { origin: &origin, recorded_at, time };
    chain.clock(&command, &context)?;
    let mut enacted = chain.enact(&command, &context, believed_time);
    while capped
        && let Err(Stop::Rejected(Refused::Decision(rejection))) = &enacted
        && let Some(lower) = chl_aggregates::capped(&command, rejection)
    {
        command = lower;
        enacted = chain.enact(&command, &context, believed_time);
    }
    let commit = match not_in_future(enacted, time, recorded_at) {
        Err(Stop::Rejected(Refused::Decision(rejection))) => {
            let times = (believed_time, recorded_at);
            let sent = Sent::new(&origin, times, command.kind().name, &command);
            let tried = to_raw_value(&sent).ok();
            let tried = tried.map(|document| Tried { before: chain.first(), document });
            return Ok(Verdict::No(rejection, tried));
        }
        other => other?,
    };
    chain.policies(Arc::clone(&commit))?;
    let version = chain.facts().version(&commit.stream)?;
    let kept = chain.keep();
    let bytes = encode(&kept.commits)?;
    let answer = Accepted { commit, version, duplicate: false, dry_run: false };
    Ok(Verdict::New(Box::new(Accepting { kept, bytes, answer })))
}

fn check_version(
    chain: &Chain<'_>,
    origin: &Origin,
    command: &Command,
    expected: u64,
) -> Result<(), Stop> {
    let stream = stream_of(command, chain.facts())?;
    if origin.role == Role::Partner && matches!(stream, Stream::Customer(_)) {
        return Err(BusRejection::ExpectedVersion { role: origin.role }.into());
    }
    let current = chain.facts().version(&stream)?;
    if current == expected {
        return Ok(());
    }
    Err(BusRejection::StreamChanged { stream: stream.to_string(), expected, current }.into())
}

/// Refuses a time after the recording time, in its place among the terms' rejections.
fn not_in_future<T>(
    enacted: Result<T, Stop>,
    time: Instant,
    recorded_at: Instant,
) -> Result<T, Stop> {
    let earlier = match &enacted {
        Ok(_) => false,
        Err(Stop::Rejected(refused)) => refused.class() < Class::Terms,
        Err(Stop::Failed(_)) => true,
    };
    if time > recorded_at && !earlier {
        return Err(BusRejection::TimeInFuture { time, recorded_at }.into());
    }
    enacted
}

fn encode(commits: &[Arc<Commit>]) -> Result<Vec<Vec<u8>>, Stop> {
    let mut all = Vec::with_capacity(commits.len());
    for commit in commits {
        let defect = |error| Failure::Defect(format!("a commit does not encode: {error}"));
        let bytes = commit.encode().map_err(defect)?;
        if bytes.len() > MAX_COMMIT_BYTES {
            let (bytes, at_most) = (bytes.len(), MAX_COMMIT_BYTES);
            return Err(Refused::from(BusRejection::TooLarge { bytes, at_most }).into());
        }
        all.push(bytes);
    }
    Ok(all)
}
