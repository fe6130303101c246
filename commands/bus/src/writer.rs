//! The writer: one thread that owns the ledger. It drains the waiting jobs into a group, decides
//! it while the committer makes the one before it durable, and starts over where one failed.

use crate::{
    answer::{Answer, Failure},
    catch_up::{CatchUpError, Owed, ReadFrom, catch_up},
    committer::{Follower, Group, GroupError, Report, Task, Waiting},
    desk::{Decided, Desk},
    flusher::Flusher,
    forgetting::to_destroy,
    job::{Job, parted},
    meter::Meter,
    prepare::Prepared,
};
use chl_events::LedgerId;
use chl_log::{Head, ReadLog};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
};

/// How many groups are on their way at most: one being made durable, one ready behind it.
const GROUPS_UNDER_WAY: usize = 2;

/// What arrives at the writer.
pub(crate) enum Message {
    /// Commands, and who takes their answers.
    Job(Job),
    /// What became of a group.
    Report(Report),
    /// What became of a flush.
    Flushed(Result<(), crate::states::StatesError>),
    /// Somebody looked at the clock and believes it.
    BelieveClock,
    /// Somebody wants blocks.
    Follow(Follower),
    /// The end: what waits is decided, then states are written down.
    Close(Sender<()>),
}

/// The writer's bounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) group_commands: usize,
    pub(crate) flush_bytes: u64,
}

/// Owns the ledger.
pub(crate) struct Writer {
    pub(crate) desk: Desk,
    pub(crate) ledger: LedgerId,
    pub(crate) bounds: Bounds,
    pub(crate) meter: Arc<Meter>,
    pub(crate) inbox: Receiver<Message>,
    pub(crate) tasks: Sender<Task>,
    pub(crate) flusher: Option<Flusher>,
    pub(crate) jobs: VecDeque<Job>,
    pub(crate) under_way: usize,
    /// Whether what is under way forgets somebody.
    pub(crate) forgetting: bool,
    /// Behind the last durable commit.
    pub(crate) durable: u64,
    pub(crate) failed: Vec<(Group, GroupError)>,
    /// Why the log cannot be used: the next job tries it again.
    pub(crate) lost: Option<String>,
    /// Where the chain begins whose owed end is not durable yet.
    pub(crate) owing: Option<u64>,
    pub(crate) unflushed_bytes: u64,
    pub(crate) closing: Option<Sender<()>>,
}

impl Writer {
    /// Works until it is closed or everybody who could send has gone.
    pub(crate) fn run(mut self) {
        loop {
            if !self.can_decide() {
                match self.inbox.recv() {
                    Ok(message) => self.take(message),
                    Err(_) => break,
                }
            }
            while let Ok(message) = self.inbox.try_recv() {
                self.take(message);
            }
            if self.under_way == 0 && !self.failed.is_empty() {
                self.recover();
            }
            if self.can_decide() {
                self.next();
            } else if self.under_way == 0 && self.jobs.is_empty() && self.closing.is_some() {
                break;
            }
        }
        self.close();
    }

    fn can_decide(&self) -> bool {
        let apart = self.jobs.front().is_some_and(|job| job.dry_run || job.forgets);
        let apart = apart || self.forgetting;
        let alone = apart || self.wants_flush() || !self.failed.is_empty();
        let room = match alone {
            _ if self.desk.states.is_overfull() => 0,
            true => 1,
            false => GROUPS_UNDER_WAY,
        };
        !self.jobs.is_empty() && self.under_way < room
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Job(job) => self.jobs.extend(parted(job)),
            Message::Report(report) => self.report(report),
            Message::Flushed(flushed) => self.flushed(flushed),
            Message::BelieveClock => self.desk.watch.believe(self.desk.clock.read()),
            Message::Follow(follower) => self.task(Task::Follow(follower)),
            Message::Close(done) => self.closing = Some(done),
        }
    }

    fn task(&self, task: Task) {
        // The committer ends only after the writer: it holds the other end of this channel.
        if self.tasks.send(task).is_err() {
            tracing::error!("the committer is gone");
        }
    }

    fn report(&mut self, report: Report) {
        self.forgetting = false;
        match report {
            Report::Durable(head) => {
                self.under_way = self.under_way.saturating_sub(1);
                self.durable(head.next);
                self.owing = None;
                self.desk.states.keep_oldest();
            }
            Report::Failed(group, error) => {
                self.under_way = self.under_way.saturating_sub(1);
                self.failed.push((group, error));
            }
            Report::Recovered(_) => tracing::error!("the log was recovered unasked"),
        }
    }

    fn durable(&mut self, next: u64) {
        self.durable = next;
        self.desk.history.durable(next);
        if let Err(error) = self.desk.keys.durable(next) {
            tracing::error!(%error, "keys could not be kept; opening again will read them anew");
        }
    }

    /// Decides what waits: a dry run alone, or as many jobs as a group holds.
    fn next(&mut self) {
        if self.lost.is_some() {
            return self.try_again();
        }
        if self.wants_flush() {
            self.begin_flush();
        }
        match self.jobs.pop_front() {
            Some(job) if job.dry_run => self.try_out(job),
            Some(job) => self.group(job),
            None => {}
        }
    }

    fn group(&mut self, first: Job) {
        let mut group = Group {
            first: self.desk.next(),
            chains: Vec::new(),
            waiting: Vec::new(),
            refusals: Vec::new(),
            forgotten: Vec::new(),
            decided_at: self.desk.clock.read().wall,
        };
        let mut room = self.bounds.group_commands;
        let mut job = Some(first);
        while let Some(Job { commands, reply, forgets, .. }) = job {
            room = room.saturating_sub(commands.len());
            let (answers, seen): (Vec<_>, _) =
                commands.into_iter().map(|command| self.decide(command, &mut group)).unzip();
            if forgets {
                group.forgotten = to_destroy(&answers);
                self.forgetting = true;
            }
            group.waiting.push(Waiting { reply, answers, seen });
            let fits = |job: &mut Job| !job.dry_run && !job.forgets && job.commands.len() <= room;
            job = if forgets { None } else { self.jobs.pop_front_if(fits) };
        }
        self.send(group);
    }

    fn decide(&mut self, command: Prepared, group: &mut Group) -> (Answer, u64) {
        let Decided { answer, commits, refusals } = self.desk.decide(command, false);
        if !commits.is_empty() {
            group.chains.push(commits);
        }
        group.refusals.extend(refusals);
        (answer, self.desk.next())
    }

    fn send(&mut self, group: Group) {
        let bytes: usize = group.chains.iter().flatten().map(Vec::len).sum();
        self.unflushed_bytes = self.unflushed_bytes.saturating_add(bytes as u64);
        self.desk.states.end_group();
        self.under_way = self.under_way.saturating_add(1);
        self.task(Task::Commit(group));
    }

    /// Decides a dry run on top of what is durable, and throws it away.
    fn try_out(&mut self, job: Job) {
        let (next, last) = (self.desk.next(), self.desk.watch.last());
        self.desk.vault.begin_trial();
        let answers = job
            .commands
            .into_iter()
            .map(|command| self.desk.decide(command, true).answer)
            .collect();
        self.desk.roll_back(next, last);
        self.desk.vault.end_trial();
        (job.reply)(answers);
    }

    /// Starts over behind what is durable: what a failed group left in the log is settled and
    /// answered, the rest is answered as failed.
    fn recover(&mut self) {
        let failed = std::mem::take(&mut self.failed);
        let cause = failed.first().map(|(_, error)| error.to_string()).unwrap_or_default();
        let recovered = self.recovered();
        let settled = recovered.as_ref().map_or(0, |log| stored(&failed, log.as_ref()));
        // Where others have appended, what was refused before has to be looked at again.
        let alone = settled == self.durable;
        for waiting in failed.into_iter().flat_map(|(group, _)| group.waiting) {
            let answers = waiting.answers.into_iter().zip(waiting.seen);
            let answers =
                answers.map(|(answer, seen)| leave(answer, seen, (settled, alone), &cause));
            (waiting.reply)(answers.collect());
        }
        self.meter.troubled(self.desk.clock.read().wall, &cause);
        self.lost(recovered.err());
    }

    /// Whether the log is lost, and why.
    fn lost(&mut self, why: Option<String>) {
        match &why {
            Some(why) => self.meter.troubled(self.desk.clock.read().wall, why),
            None => self.meter.relieved(),
        }
        self.lost = why;
    }

    /// Tries the log again for the jobs that wait, and fails them where it stays away.
    fn try_again(&mut self) {
        let lost = self.recovered().err();
        self.lost(lost);
        let Some(cause) = &self.lost else { return };
        tracing::error!(%cause, "the log stays unavailable");
        for Job { commands, reply, .. } in self.jobs.drain(..) {
            let ids = commands.into_iter().map(|command| command.sender.origin.id.to_string());
            reply(ids.map(|id| unavailable(Some(id), cause)).collect());
        }
    }

    fn recovered(&mut self) -> Result<Arc<dyn ReadLog>, String> {
        // When the last durable commit was recorded is read again with the log's tail.
        self.desk.roll_back(self.durable, None);
        self.task(Task::Recover);
        let (head, reader) = self.wait_recovered()?;
        let log = Arc::clone(&reader);
        self.go_on(head, reader).map_err(|error| error.to_string())?;
        Ok(log)
    }

    fn wait_recovered(&mut self) -> Result<(Head, Arc<dyn ReadLog>), String> {
        loop {
            match self.inbox.recv() {
                Ok(Message::Report(Report::Recovered(recovered))) => {
                    return recovered.map_err(|error| error.to_string());
                }
                Ok(message) => self.take(message),
                Err(_) => return Err("everybody has gone".into()),
            }
        }
    }

    fn go_on(&mut self, head: Head, reader: Arc<dyn ReadLog>) -> Result<(), CatchUpError> {
        if head.next < self.durable || head.ledger != self.ledger {
            let message = format!("the log ends at {}, before {}", head.next, self.durable);
            return Err(CatchUpError::Contradiction(message));
        }
        self.desk.history.reopen(Arc::clone(&reader));
        let states = self.owing.unwrap_or(self.durable);
        let from = ReadFrom { states, keys: self.durable };
        let owed = catch_up(&mut self.desk, reader.as_ref(), from)?;
        self.durable(head.next);
        self.settle(owed)
    }

    /// Sends what is owed to the log, before anything else.
    pub(crate) fn settle(&mut self, owed: Owed) -> Result<(), CatchUpError> {
        if owed.commits.is_empty() {
            self.owing = None;
            self.desk.states.keep_oldest();
            return Ok(());
        }
        self.owing = Some(owed.from);
        let first = self.desk.next();
        let encoded = owed.commits.iter().map(|commit| commit.encode());
        let encoded = encoded.collect::<Result<_, _>>()?;
        owed.commits.into_iter().for_each(|commit| self.desk.history.push(commit));
        self.send(Group {
            first,
            chains: vec![encoded],
            waiting: Vec::new(),
            refusals: Vec::new(),
            forgotten: Vec::new(),
            decided_at: self.desk.clock.read().wall,
        });
        Ok(())
    }

    fn wants_flush(&self) -> bool {
        let idle = self.flusher.as_ref().is_some_and(Flusher::is_idle);
        let full = self.desk.states.is_full() || self.unflushed_bytes >= self.bounds.flush_bytes;
        idle && full
    }

    /// Has states and keys written down beside the writer; called with nothing under way.
    fn begin_flush(&mut self) {
        let Some(flusher) = self.flusher.as_mut() else { return };
        let Some(rows) = self.desk.states.begin_flush() else { return };
        flusher.begin(rows, self.ledger, self.durable);
        self.unflushed_bytes = 0;
    }

    fn flushed(&mut self, flushed: Result<(), crate::states::StatesError>) {
        if let Some(flusher) = self.flusher.as_mut() {
            flusher.ended();
        }
        match flushed {
            Ok(()) => self.desk.states.end_flush(),
            Err(error) => {
                tracing::error!(%error, "states could not be written down; they stay in memory");
                self.desk.states.fail_flush();
            }
        }
    }

    fn close(mut self) {
        while self.flusher.as_ref().is_some_and(|flusher| !flusher.is_idle()) {
            match self.inbox.recv() {
                Ok(message) => self.take(message),
                Err(_) => break,
            }
        }
        for Job { commands, reply, .. } in self.jobs.drain(..) {
            let ids = commands.into_iter().map(|command| command.sender.origin.id.to_string());
            let closed = |id| Answer::Failed { id: Some(id), failure: Failure::Closed };
            reply(ids.map(closed).collect());
        }
        let flushed = self.desk.states.flush_now(self.ledger, self.durable);
        if let Err(error) = flushed {
            tracing::warn!(%error, "states could not be written down; opening will replay");
        }
        drop(self.tasks);
        if let Some(done) = self.closing
            && done.send(()).is_err()
        {
            tracing::debug!("nobody waited for the end");
        }
    }
}

/// Behind which position nothing of failed groups is in the log. Another writer's commits may stand
/// where theirs were to: only the same bytes are theirs.
fn stored(failed: &[(Group, GroupError)], log: &dyn ReadLog) -> u64 {
    let Some(first) = failed.first().map(|(group, _)| group.first) else { return 0 };
    let decided = failed.iter().flat_map(|(group, _)| group.chains.iter().flatten());
    let same = (first..).zip(decided).take_while(|(position, bytes)| {
        log.commit_at(*position).is_ok_and(|commit| commit.as_ref() == Some(*bytes))
    });
    first.saturating_add(same.count() as u64)
}

/// The answer of a failed group, as far as what it saw was durable all the same.
fn leave(answer: Answer, seen: u64, (settled, alone): (u64, bool), cause: &str) -> Answer {
    let stored = match &answer {
        Answer::Accepted(accepted) => accepted.commit.position < settled && seen <= settled,
        Answer::Rejected { .. } | Answer::Failed { .. } => alone && seen <= settled,
    };
    if stored {
        return answer;
    }
    unavailable(answer.id().map(Into::into), cause)
}

fn unavailable(id: Option<String>, cause: &str) -> Answer {
    Answer::Failed { id, failure: Failure::LogUnavailable(cause.into()) }
}
