//! The committer: a thread that owns the log, makes groups durable one after the other, and only
//! then lets their answers leave and hands their blocks on.

use crate::{
    answer::Answer,
    following::Hand,
    journal::{Entry, Journal},
    meter::Meter,
    vault::{Vault, VaultError},
};
use chl_events::{Block, BlockError, Instant, KeyId};
use chl_log::{AppendError, EventLog, Head, ReadError, ReadLog};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, Sender, TryRecvError},
    },
    time,
};

/// Opens the log: at the start, and again after it was poisoned.
pub type OpenLog = Box<dyn FnMut() -> Result<Box<dyn EventLog>, LogError> + Send>;

/// What a log's own way of opening says when it fails.
pub type LogError = Box<dyn std::error::Error + Send + Sync>;

/// Takes the answers of a job, in its order, once they may leave.
pub(crate) type Reply = Box<dyn FnOnce(Vec<Answer>) + Send>;

/// A job's answers, waiting for durability.
pub(crate) struct Waiting {
    pub(crate) reply: Reply,
    pub(crate) answers: Vec<Answer>,
    /// For each answer, the position behind the last commit its decision saw.
    pub(crate) seen: Vec<u64>,
}

/// What is made durable together.
pub(crate) struct Group {
    /// The position of its first commit.
    pub(crate) first: u64,
    /// The bytes of its commits, chain by chain.
    pub(crate) chains: Vec<Vec<Vec<u8>>>,
    /// The answers that leave once it is durable.
    pub(crate) waiting: Vec<Waiting>,
    /// Who was refused what.
    pub(crate) refusals: Vec<Entry>,
    /// The keys it forgets, destroyed once it is durable.
    pub(crate) forgotten: Vec<KeyId>,
    /// When it was decided, for the journal.
    pub(crate) decided_at: Instant,
}

/// What the writer asks for.
pub(crate) enum Task {
    Commit(Group),
    Recover,
    Follow(Follower),
}

/// Somebody to hand blocks to.
pub(crate) struct Follower {
    pub(crate) blocks: Hand,
    pub(crate) from: Sender<u64>,
}

/// What the committer has to say.
pub(crate) enum Report {
    Durable(Head),
    Failed(Group, GroupError),
    Recovered(Result<(Head, Arc<dyn ReadLog>), GroupError>),
}

/// Says why a group is not durable, or why the log could not be opened again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupError {
    #[error("new keys could not be kept: {0}")]
    Vault(#[from] VaultError),
    #[error("a forgotten person's key could not be destroyed: {0}")]
    Forgotten(#[source] VaultError),
    #[error(transparent)]
    Block(#[from] BlockError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("what an earlier group was to hold is not there")]
    Predecessor,
    #[error("the log could not be opened again: {0}")]
    Open(LogError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Owns the log.
pub(crate) struct Committer<F: Fn(Report)> {
    pub(crate) log: Option<Box<dyn EventLog>>,
    pub(crate) open: OpenLog,
    pub(crate) vault: Arc<Vault>,
    pub(crate) journal: Option<Arc<Journal>>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) followers: Vec<Hand>,
    pub(crate) handed: u64,
    pub(crate) reopen: bool,
    pub(crate) broken: bool,
    pub(crate) report: F,
}

impl<F: Fn(Report)> Committer<F> {
    /// Works until the writer goes.
    pub(crate) fn run(mut self, tasks: &Receiver<Task>) {
        loop {
            let task = match tasks.try_recv() {
                Ok(task) => task,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    self.settle();
                    match tasks.recv() {
                        Ok(task) => task,
                        Err(_) => break,
                    }
                }
            };
            match task {
                Task::Commit(group) => self.commit(group),
                Task::Recover => self.recover(),
                Task::Follow(follower) => self.follow(follower),
            }
        }
        self.settle();
    }

    /// Brings the witness up while nobody waits. A failure shows again at the next append.
    fn settle(&mut self) {
        if let Some(log) = self.log.as_mut().filter(|_| !self.broken)
            && let Err(error) = log.settle()
        {
            tracing::warn!(%error, "what trails the log could not be brought up");
        }
        if let Some(Err(error)) = self.journal.as_ref().map(|journal| journal.flush()) {
            tracing::warn!(%error, "the decision journal could not be written");
        }
    }

    fn commit(&mut self, group: Group) {
        let began = time::Instant::now();
        match self.append(&group) {
            Ok((head, blocks)) => {
                let commands = group.waiting.iter().map(|waiting| waiting.answers.len()).sum();
                self.meter.durable(commands, (!blocks.is_empty()).then(|| began.elapsed()));
                self.answer(group);
                (self.report)(Report::Durable(head));
                self.hand(&blocks);
            }
            Err(error) => {
                tracing::error!(%error, first = group.first, "a group is not durable");
                self.reopen |= !matches!(
                    error,
                    GroupError::Append(AppendError::Unavailable(_))
                        | GroupError::Vault(_)
                        | GroupError::Forgotten(_)
                        | GroupError::Predecessor
                );
                self.broken = true;
                (self.report)(Report::Failed(group, error));
            }
        }
    }

    fn append(&mut self, group: &Group) -> Result<(Head, Vec<Block>), GroupError> {
        let log = self.log.as_mut().filter(|_| !self.broken).ok_or(GroupError::Predecessor)?;
        let head = log.head();
        if group.first != head.next {
            return Err(GroupError::Predecessor);
        }
        if group.chains.is_empty() {
            return Ok((log.confirm()?, Vec::new()));
        }
        self.vault.sync()?;
        let packed = log.chain().pack_runs(&group.chains)?;
        let head = log.append_packed(&packed)?;
        self.vault.forget(&group.forgotten).map_err(GroupError::Forgotten)?;
        Ok((head, packed.into_blocks()))
    }

    fn answer(&mut self, group: Group) {
        for Waiting { reply, answers, .. } in group.waiting {
            reply(answers);
        }
        if let Some(journal) = &self.journal
            && let Err(error) = journal.refused(group.decided_at, &group.refusals)
        {
            tracing::warn!(%error, "refusals are missing in the decision journal");
        }
    }

    /// Hands blocks to those who follow; a full one is waited for, so that its lag stays bounded.
    fn hand(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.handed = block.next();
            self.followers.retain(|follower| follower.hand(block.clone()));
        }
    }

    fn follow(&mut self, follower: Follower) {
        if follower.from.send(self.handed).is_ok() {
            self.followers.push(follower.blocks);
        }
    }

    /// Makes the log usable again and hands on what a failed group left in it.
    fn recover(&mut self) {
        let recovered = self.again();
        if recovered.is_ok() {
            (self.broken, self.reopen) = (false, false);
        }
        let missed = recovered.as_ref().ok().map(|(_, reader)| Arc::clone(reader));
        (self.report)(Report::Recovered(recovered));
        let blocks = missed.and_then(|reader| reader.read(self.handed).ok());
        for block in blocks.into_iter().flatten().map_while(Result::ok) {
            self.hand(&[block]);
        }
    }

    fn again(&mut self) -> Result<(Head, Arc<dyn ReadLog>), GroupError> {
        if self.reopen {
            self.log = None;
        }
        let mut log = match self.log.take() {
            Some(log) => log,
            None => (self.open)().map_err(GroupError::Open)?,
        };
        let (confirmed, reader) = (log.confirm(), log.reader());
        self.log = Some(log);
        Ok((confirmed?, reader))
    }
}
