//! The client: how doors send commands and get their answers.

use crate::{
    answer::{Answer, Failure},
    authorise::Connection,
    committer::Follower,
    following::{Following, queue},
    job::Job,
    journal::Journal,
    meter::{Meter, OnItsWay, Trouble},
    prepare::{Prepared, prepare},
    trace::Traces,
    writer::Message,
};
use chl_events::Instant;
use std::sync::{
    Arc,
    mpsc::{Receiver, Sender, channel},
};
use tokio::sync::oneshot;

/// Sends commands to an open ledger. Clones send to the same one.
#[derive(Clone)]
pub struct Client {
    inbox: Sender<Message>,
    journal: Option<Arc<Journal>>,
    meter: Arc<Meter>,
    traces: Arc<Traces>,
}

/// Says that the ledger was closed meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger is closed")]
pub struct Closed;

impl Client {
    pub(crate) fn new(
        inbox: Sender<Message>,
        journal: Option<Arc<Journal>>,
        meter: Arc<Meter>,
        traces: Arc<Traces>,
    ) -> Self {
        Self { inbox, journal, meter, traces }
    }

    /// Reads a document like [`prepare`](crate::prepare()), and notes in the journal what is refused
    /// at the door: its digest and the code, at a time the door supplies.
    pub fn prepare(
        &self,
        bytes: &[u8],
        connection: &Connection,
        at: Instant,
    ) -> Result<Prepared, Box<Answer>> {
        let prepared = prepare(bytes, connection);
        if let (Some(journal), Err(answer)) = (&self.journal, &prepared)
            && let Err(error) = journal.malformed(at, bytes, answer.code().unwrap_or_default())
        {
            tracing::warn!(%error, "a refusal is missing in the decision journal");
        }
        if let Err(answer) = &prepared {
            self.meter.refused(answer);
        }
        prepared
    }

    /// Sends a command, at once: the ledger decides in the order of these calls. Its answer comes
    /// once it is durable.
    pub fn submit(&self, command: Prepared) -> impl Future<Output = Answer> + Send + use<> {
        let id = command.sender.origin.id.to_string();
        let answers = self.submit_piece(vec![command]);
        async move { answers.await.into_iter().next().unwrap_or_else(|| closed(id)) }
    }

    /// Sends commands in one piece, at once: they are decided one after the other. Their answers
    /// come in order, once all of them are durable.
    pub fn submit_piece(
        &self,
        commands: Vec<Prepared>,
    ) -> impl Future<Output = Vec<Answer>> + Send + use<> {
        let id = |command: &Prepared| command.sender.origin.id.to_string();
        let ids: Vec<String> = commands.iter().map(id).collect();
        let (answered, answers) = oneshot::channel();
        let reply = move |answers: Vec<Answer>| {
            // Who does not wait any more gets the same answer when asking again.
            drop(answered.send(answers));
        };
        let sent = self.job(commands, false, reply);
        async move {
            let answers = match sent {
                Ok(()) => answers.await.ok(),
                Err(Closed) => None,
            };
            answers.unwrap_or_else(|| ids.into_iter().map(closed).collect())
        }
    }

    /// Sends commands that are decided one after the other and waits for their answers, in order.
    pub fn submit_all(&self, commands: Vec<Prepared>) -> Result<Vec<Answer>, Closed> {
        self.send(commands)?.recv().map_err(|_| Closed)
    }

    /// Decides commands on a scratch copy of what is durable, one seeing the other, and keeps
    /// nothing. The ledger takes no other command meanwhile.
    pub fn dry_run(&self, commands: Vec<Prepared>) -> Result<Vec<Answer>, Closed> {
        let (answered, answers) = channel();
        self.job(commands, true, move |tried| drop(answered.send(tried)))?;
        answers.recv().map_err(|_| Closed)
    }

    /// Sends commands without waiting; their answers come in order, in one piece.
    pub fn send(&self, commands: Vec<Prepared>) -> Result<Receiver<Vec<Answer>>, Closed> {
        let (answered, answers) = channel();
        self.job(commands, false, move |decided| drop(answered.send(decided)))?;
        Ok(answers)
    }

    fn job(
        &self,
        commands: Vec<Prepared>,
        dry_run: bool,
        reply: impl FnOnce(Vec<Answer>) + Send + 'static,
    ) -> Result<(), Closed> {
        let (meter, received) = (Arc::clone(&self.meter), std::time::Instant::now());
        let told: Vec<OnItsWay> =
            if dry_run { Vec::new() } else { commands.iter().map(OnItsWay::from).collect() };
        let reply = Box::new(move |answers: Vec<Answer>| {
            meter.answered(&told, &answers, received.elapsed());
            reply(answers);
        });
        let job = Job { commands, dry_run, forgets: false, reply };
        self.inbox.send(Message::Job(job)).map_err(|_| Closed)
    }

    /// Follows the ledger from what is durable now on; blocks of at most `room` bytes wait.
    pub fn follow(&self, room: usize) -> Result<Following, Closed> {
        let (hand, taking) = queue(room);
        let (from, begins) = channel();
        let follower = Follower { blocks: hand, from };
        self.inbox.send(Message::Follow(follower)).map_err(|_| Closed)?;
        Ok(Following::new(begins.recv().map_err(|_| Closed)?, taking))
    }

    /// Believes the machine's clock again after somebody has looked at it.
    pub fn believe_clock(&self) -> Result<(), Closed> {
        self.inbox.send(Message::BelieveClock).map_err(|_| Closed)
    }

    /// What hindered the ledger last, if anything has since it was opened.
    pub fn trouble(&self) -> Option<Trouble> {
        self.meter.trouble()
    }

    /// Which traces the newest commits belong to.
    pub fn traces(&self) -> Arc<Traces> {
        Arc::clone(&self.traces)
    }

    pub(crate) fn close(&self) {
        let (done, closed) = channel();
        // A writer that has ended closes the channel, which means the same: it is done.
        if self.inbox.send(Message::Close(done)).is_ok() && closed.recv().is_err() {
            tracing::debug!("the ledger was closed already");
        }
    }
}

/// The answer to a command that a ledger was closed under.
fn closed(id: String) -> Answer {
    Answer::Failed { id: Some(id), failure: Failure::Closed }
}
