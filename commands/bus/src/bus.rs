//! The bus: a ledger that is open, and the threads that work on it.

use crate::{
    catch_up::{Owed, catch_up},
    client::Client,
    committer::Committer,
    flusher::Flusher,
    meter::Meter,
    parts::{OpenError, Options, Parts},
    reader::SteadyReader,
    standby::Standby,
    writer::{Bounds, Message, Writer},
};
use chl_log::{EventLog, ReadLog};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Sender, channel},
    },
    thread::JoinHandle,
};

/// An open ledger.
pub struct Bus {
    client: Client,
    reader: Arc<SteadyReader>,
    threads: Vec<JoinHandle<()>>,
}

impl Bus {
    /// Opens a ledger: brings states and keys up to the log's end, settles what is owed there, and
    /// starts to take commands.
    pub fn open(mut parts: Parts, options: &Options) -> Result<Self, OpenError> {
        let log = (parts.log)().map_err(OpenError::Log)?;
        let standby = Standby::open(parts, log.reader(), options)?;
        Self::over(standby, log)
    }

    /// Takes over a ledger that was followed: opens its log to be written, settles what is owed at
    /// its end, and starts to take commands.
    pub fn take_over(mut standby: Standby) -> Result<Self, OpenError> {
        let log = (standby.log)().map_err(OpenError::Log)?;
        Self::over(standby, log)
    }

    fn over(mut standby: Standby, mut log: Box<dyn EventLog>) -> Result<Self, OpenError> {
        if log.head().next == 0 {
            let clock = standby.desk.clock.as_ref();
            standby.options.opening.write(log.as_mut(), clock)?;
        }
        standby.reader.replace(log.reader());
        let owed = standby.bring_up(catch_up)?;
        start(standby, log, owed)
    }

    /// A handle to send commands through; any number of threads may hold one.
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// A handle to read the log through; it stays good when the log has to be opened again.
    pub fn reader(&self) -> Arc<dyn ReadLog> {
        Arc::clone(&self.reader) as Arc<dyn ReadLog>
    }

    /// Closes the ledger: what waits is decided, states and keys are written down, the log's
    /// witness is brought up.
    pub fn close(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.client.close();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the ledger ended by panicking");
            }
        }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.end();
    }
}

fn start(standby: Standby, log: Box<dyn EventLog>, owed: Owed) -> Result<Bus, OpenError> {
    let Standby { desk, reader, vault, journal, filled, options, log: open, .. } = standby;
    let (inbox, messages) = channel();
    let meter = Arc::new(Meter::new(&options.opening.name));
    let traces = Arc::clone(&desk.traces);
    let client = Client::new(inbox.clone(), journal.clone(), Arc::clone(&meter), traces);
    let head = log.head();
    let (tasks, work) = channel();
    let reports = inbox.clone();
    let committer = Committer {
        log: Some(log),
        open,
        vault,
        journal,
        meter: Arc::clone(&meter),
        followers: Vec::new(),
        handed: head.next,
        reopen: false,
        broken: false,
        report: move |report| send(&reports, Message::Report(report)),
    };
    let flusher = filled
        .map(|shelf| Flusher::start(shelf, move |done| send(&inbox, Message::Flushed(done))))
        .transpose()?;
    let bounds =
        Bounds { group_commands: options.group_commands, flush_bytes: options.flush_bytes };
    let mut writer = Writer {
        desk,
        ledger: head.ledger,
        bounds,
        meter,
        inbox: messages,
        tasks,
        flusher,
        jobs: VecDeque::new(),
        under_way: 0,
        forgetting: false,
        durable: head.next,
        failed: Vec::new(),
        lost: None,
        owing: None,
        unflushed_bytes: 0,
        closing: None,
    };
    writer.settle(owed)?;
    let thread = |name: &str| std::thread::Builder::new().name(name.into());
    let committing = thread("chl-committer").spawn(move || committer.run(&work))?;
    let writing = thread("chl-writer").spawn(move || writer.run())?;
    Ok(Bus { client, reader, threads: vec![writing, committing] })
}

/// Tells the writer. It may have ended already, when nobody needs to be told any more.
fn send(inbox: &Sender<Message>, message: Message) {
    if inbox.send(message).is_err() {
        tracing::debug!("the writer has ended");
    }
}
