//! Given these commands, when that one, then these facts: the real decisions on rows in memory.
//!
//! Runs a command as the writer does: what is due first, then the command, then its policies,
//! breadth first; everything is kept only when the command is accepted.

use crate::{
    Context, Fact, Facts, Reaction, Refusal, Rejection, Row, RowKey, Rows, RowsMut, Unavailable,
    books_open_from, decide, due, evolve, react, react_to_refusal, stream_of,
};
use chl_commands::Command;
use chl_events::{
    ActorId, Commit, Event, Instant, KeyId, Origin, PartnerId, PostingLine, RecordedCommand, Role,
    Sealable, Sealed, Stream,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A ledger in memory, and the sender whose turn it is.
#[derive(Clone)]
pub(crate) struct Given {
    rows: BTreeMap<RowKey, Row>,
    commits: Vec<Arc<Commit>>,
    origin: Origin,
    recorded_at: Instant,
    time: Option<Instant>,
    /// What a command must not make true, whatever it is; called after every commit.
    pub(crate) watch: Option<fn(&Given)>,
}

/// What became of a command.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its commits: what was due, its own, its policies'.
    Accepted(Vec<Arc<Commit>>),
    /// The business answer.
    Rejected(Rejection),
}

impl Rows for Given {
    fn row(&self, key: &RowKey) -> Result<Option<Row>, Unavailable> {
        Ok(self.rows.get(key).cloned())
    }

    fn commit(&self, position: u64) -> Result<Option<Arc<Commit>>, Unavailable> {
        let at = usize::try_from(position).expect("a test's positions are few");
        Ok(self.commits.get(at).cloned())
    }
}

impl RowsMut for Given {
    fn set(&mut self, key: RowKey, row: Option<Row>) {
        match row {
            Some(row) => {
                // What a store keeps must come back as it was.
                let bytes = row.encode().expect("every row has bytes");
                let back = Row::decode(key.kind, &bytes).expect("its kind is known");
                assert_eq!(back.expect("its bytes can be read"), row);
                self.rows.insert(key, row)
            }
            None => self.rows.remove(&key),
        };
    }
}

/// Given nothing yet: an operator at 09:00 on 1 March 2026.
pub(crate) fn given() -> Given {
    Given {
        rows: BTreeMap::new(),
        commits: Vec::new(),
        origin: Origin {
            source: "/test".into(),
            id: "1".into(),
            actor: "op".parse().expect("a literal"),
            on_behalf_of: None,
            role: Role::Operator,
            partner: None,
            level: None,
            backfill: false,
            reason: None,
            correlation: None,
            causation: None,
        },
        recorded_at: "2026-03-01T09:00:00Z".parse().expect("a literal"),
        time: None,
        watch: None,
    }
}

impl Given {
    /// From now on the ledger's clock shows this instant, and commands happen then.
    pub(crate) fn at(mut self, instant: &str) -> Self {
        self.recorded_at = instant.parse().expect("an instant of the test");
        self.time = None;
        self
    }

    /// So many microseconds go by.
    pub(crate) fn later(mut self, micros: i64) -> Self {
        self.recorded_at = Instant::from_micros(self.recorded_at.micros() + micros);
        self
    }

    /// From now on commands are said to have happened at this instant; the clock stays.
    pub(crate) fn claiming(mut self, instant: &str) -> Self {
        self.time = Some(instant.parse().expect("an instant of the test"));
        self
    }

    /// From now on this one sends.
    pub(crate) fn by(mut self, role: Role, actor: &str) -> Self {
        self.origin.role = role;
        self.origin.actor = actor.parse().expect("an actor of the test");
        (self.origin.partner, self.origin.level, self.origin.backfill) = (None, None, false);
        self.origin.source = "/test".into();
        self
    }

    /// From now on an operator sends.
    pub(crate) fn by_operator(self) -> Self {
        self.by(Role::Operator, "op")
    }

    /// From now on a user of this partner sends.
    pub(crate) fn by_partner(self, partner: &str) -> Self {
        let mut given = self.by(Role::Partner, &format!("user-{partner}"));
        given.origin.partner = Some(PartnerId::new(partner).expect("a partner of the test"));
        given
    }

    /// From now on a channel manager of this level sends.
    pub(crate) fn by_manager(self, actor: &str, level: u8) -> Self {
        let mut given = self.by(Role::ChannelManager, actor);
        given.origin.level = Some(level);
        given
    }

    /// From now on commands come from this source.
    pub(crate) fn sent_from(mut self, source: &str) -> Self {
        self.origin.source = source.into();
        self
    }

    /// From now on registrations are late ones that displace nobody.
    pub(crate) fn backfilling(mut self) -> Self {
        self.origin.backfill = true;
        self
    }

    /// The command is accepted, and the story goes on.
    pub(crate) fn and(mut self, command: impl Into<Command>) -> Self {
        match self.when(command) {
            Outcome::Accepted(_) => self,
            Outcome::Rejected(rejection) => {
                panic!("refused: {}: {rejection}", rejection.doc().code)
            }
        }
    }

    /// Every event of the story so far.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        self.commits.iter().flat_map(|commit| &commit.events).map(|recorded| &recorded.event)
    }

    /// Every posting line of the story so far, event by event.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[PostingLine]> {
        self.commits.iter().flat_map(|commit| &commit.events).map(|event| event.lines.as_slice())
    }

    /// Every commit of the story so far.
    pub(crate) fn commits(&self) -> &[Arc<Commit>] {
        &self.commits
    }

    /// Every row, by its key.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&RowKey, &Row)> {
        self.rows.iter()
    }

    /// The read side, to look at states.
    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts(self)
    }

    /// What becomes of a command; an accepted one is kept.
    pub(crate) fn when(&mut self, command: impl Into<Command>) -> Outcome {
        let command = sealed(command.into());
        let before = self.commits.len();
        let mut scratch = self.clone();
        let time = self.time.unwrap_or(self.recorded_at);
        let owed = due(&command, scratch.facts(), time).expect("rows in memory are there");
        for item in owed {
            let origin = scratch.internal(Role::Clock, "/clock");
            let clocked = scratch.decided(&item.command, &origin, item.at);
            clocked.unwrap_or_else(|rejection| panic!("the clock was refused: {rejection}"));
        }
        let origin = scratch.origin.clone();
        if let Err(rejection) = scratch.decided(&command, &origin, time) {
            return Outcome::Rejected(rejection);
        }
        scratch.settle(before);
        let made = scratch.commits.iter().skip(before).cloned().collect();
        *self = scratch;
        Outcome::Accepted(made)
    }

    fn internal(&self, role: Role, source: &str) -> Origin {
        let actor: ActorId = role.as_str().parse().expect("a word is an identifier");
        Origin { role, actor, source: source.into(), ..given().origin }
    }

    /// Runs the policies of everything recorded since, breadth first.
    fn settle(&mut self, since: usize) {
        let mut next = since;
        while let Some(commit) = self.commits.get(next).cloned() {
            next += 1;
            let reactions = react(&commit, self.facts()).expect("rows in memory are there");
            let mut queue: VecDeque<Reaction> = reactions.into();
            while let Some(Reaction { policy, command }) = queue.pop_front() {
                let origin = self.internal(Role::Policy, &format!("/policy/{policy}"));
                if let Err(rejection) = self.decided(&command, &origin, commit.time()) {
                    queue.extend(react_to_refusal(&command, &rejection));
                }
            }
        }
    }

    fn decided(
        &mut self,
        command: &Command,
        origin: &Origin,
        time: Instant,
    ) -> Result<(), Rejection> {
        let context = Context { origin, recorded_at: self.recorded_at, time };
        let decided = stream_of(command, self.facts())
            .and_then(|stream| Ok((stream, decide(command, self.facts(), &context)?)));
        match decided {
            Ok((stream, facts)) => {
                self.record(stream, command, origin, time, facts);
                Ok(())
            }
            Err(Refusal::Rejected(rejection)) => Err(rejection),
            Err(Refusal::Unavailable(cause)) => panic!("{cause}"),
        }
    }

    fn record(
        &mut self,
        stream: Stream,
        command: &Command,
        origin: &Origin,
        time: Instant,
        facts: Vec<Fact>,
    ) {
        assert!((1..=64).contains(&facts.len()), "{command:?} made {} events", facts.len());
        let internal = matches!(origin.role, Role::Policy | Role::Clock);
        let data = command.record().expect("every command has bytes");
        let open_from = books_open_from(self.facts()).expect("rows in memory are there");
        let commit = Commit {
            position: self.commits.len() as u64,
            version: self.facts().version(&stream).expect("rows in memory are there") + 1,
            stream,
            origin: origin.clone(),
            command: if internal { RecordedCommand { data: Vec::new(), ..data } } else { data },
            recorded_at: self.recorded_at,
            believed_time: (time != self.recorded_at).then_some(time),
            events: facts.into_iter().map(|fact| fact.record(open_from)).collect(),
        };
        let bytes = commit.encode().expect("every commit has bytes");
        assert!(bytes.len() <= chl_events::MAX_COMMIT_BYTES);
        assert_eq!(Commit::decode(&bytes).expect("what was written can be read"), commit);
        evolve(&commit, self).expect("what was decided can be folded");
        self.commits.push(Arc::new(commit));
        if let Some(watch) = self.watch {
            watch(self);
        }
    }
}

/// The bus seals texts before a decision; here the cipher is the text itself.
fn sealed(mut command: Command) -> Command {
    let seal = |text: &mut dyn Sealable| {
        if let Some(plain) = text.plain() {
            let ciphertext = plain.as_bytes().to_vec();
            text.seal(Sealed { key: KeyId([0; 16]), ciphertext });
        }
    };
    if let Some((_, name)) = command.person_name() {
        seal(name);
    }
    command.texts().into_iter().for_each(seal);
    command
}

impl Outcome {
    /// The command was accepted; its own events and its policies' are these.
    #[track_caller]
    pub(crate) fn then(&self, expected: &[Event]) {
        assert_eq!(self.events(), expected);
    }

    /// The events that were made.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Event> {
        let events = self.commits().iter().flat_map(|commit| &commit.events);
        events.map(|recorded| recorded.event.clone()).collect()
    }

    /// The names of the events that were made.
    #[track_caller]
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.events().iter().map(|event| event.kind().name).collect()
    }

    /// The commits that were made.
    #[track_caller]
    pub(crate) fn commits(&self) -> &[Arc<Commit>] {
        match self {
            Self::Accepted(commits) => commits,
            Self::Rejected(rejection) => panic!("refused: {}: {rejection}", rejection.doc().code),
        }
    }

    /// The command was refused with this code.
    #[track_caller]
    pub(crate) fn refused(&self, code: &str) {
        match self {
            Self::Rejected(rejection) => assert_eq!(rejection.doc().code, code, "{rejection}"),
            Self::Accepted(commits) => panic!("accepted, not refused with {code}: {commits:?}"),
        }
    }
}
