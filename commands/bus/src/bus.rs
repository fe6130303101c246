//! The bus: a ledger that is open, and the threads that work on it.

use crate::{
    catch_up::{CatchUpError, Owed, ReadFrom, catch_up},
    client::Client,
    clock::{Clock, Watch},
    committer::{Committer, LogError, OpenLog},
    desk::Desk,
    flusher::Flusher,
    history::History,
    journal::Journal,
    keys::{KeyStore, Keys},
    opening::{Opening, OpeningError},
    reader::SteadyReader,
    states::{Shelf, States, StatesError, StatesFile},
    vault::Vault,
    writer::{Bounds, Message, Writer},
};
use chl_log::{EventLog, ReadLog};
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

/// What a ledger is made of, as the door has found it.
pub struct Parts {
    /// Opens the log, and opens it again after it was poisoned.
    pub log: OpenLog,
    /// The keys of its commands.
    pub keys: Arc<dyn KeyStore>,
    /// The file of states; without one they are built from the log and stay in memory.
    pub states: Option<StatesFile>,
    /// The keys of persons.
    pub vault: Arc<Vault>,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// Where refusals are noted.
    pub journal: Option<Arc<Journal>>,
}

/// How a ledger is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// What an empty log begins with.
    pub opening: Opening,
    /// The most commands made durable together.
    pub group_commands: usize,
    /// How many unchanged rows stay in memory.
    pub cached_rows: usize,
    /// After how many bytes of commits states and keys are written down.
    pub flush_bytes: u64,
    /// How far the clock may be off before nothing is written any more.
    pub clock_tolerance: Duration,
}

impl Options {
    /// The usual bounds.
    pub fn new(opening: Opening) -> Self {
        Self {
            opening,
            group_commands: 1024,
            cached_rows: 100_000,
            flush_bytes: 16 << 20,
            clock_tolerance: Duration::from_secs(300),
        }
    }
}

/// Says why a ledger could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The log could not be opened.
    #[error("{0}")]
    Log(#[source] LogError),
    /// The first commit could not be written.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// States could not be brought up to the log.
    #[error(transparent)]
    CatchUp(#[from] CatchUpError),
    /// The file of states failed.
    #[error(transparent)]
    States(#[from] StatesError),
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// An open ledger.
pub struct Bus {
    client: Client,
    reader: Arc<SteadyReader>,
    threads: Vec<JoinHandle<()>>,
}

impl Bus {
    /// Opens a ledger: brings states and keys up to the log's end, settles what is owed there, and
    /// starts to take commands.
    pub fn open(parts: Parts, options: &Options) -> Result<Self, OpenError> {
        let Parts { log: mut open, keys, states, vault, clock, journal } = parts;
        let mut log = open().map_err(OpenError::Log)?;
        if log.head().next == 0 {
            options.opening.write(log.as_mut(), clock.as_ref())?;
        }
        let reader = Arc::new(SteadyReader::new(log.reader()));
        let shelf = states.map(|file| Shelf::new(file, Arc::clone(&keys)));
        let stands_for = shelf.as_ref().map(Shelf::stands_for).transpose()?.flatten();
        let filled = shelf.as_ref().map(Shelf::again).transpose()?;
        let mut desk = Desk {
            states: States::new(shelf, options.cached_rows),
            history: History::new(Arc::clone(&reader)),
            keys: Keys::new(keys),
            watch: Watch::new(options.clock_tolerance, None),
            clock,
            vault: Arc::clone(&vault),
            scratch: Default::default(),
        };
        let owed = bring_up(&mut desk, reader.as_ref(), stands_for)?;
        let (inbox, messages) = channel();
        let client = Client::new(inbox.clone(), journal.clone());
        let bounds =
            Bounds { group_commands: options.group_commands, flush_bytes: options.flush_bytes };
        let committer = (log, open, vault, journal);
        let threads = start(desk, owed, bounds, committer, filled, (inbox, messages))?;
        Ok(Self { client, reader, threads })
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

/// Brings the desk up to the log; a file of states in any doubt is built anew.
fn bring_up(
    desk: &mut Desk,
    reader: &dyn ReadLog,
    stands_for: Option<(chl_events::LedgerId, u64)>,
) -> Result<Owed, OpenError> {
    let head = reader.head();
    let keys = desk.keys.covered_to().min(head.next);
    let usable = stands_for.filter(|(ledger, at)| *ledger == head.ledger && *at <= head.next);
    if let Some((_, states)) = usable {
        match catch_up(desk, reader, ReadFrom { states, keys }) {
            Ok(owed) => return Ok(owed),
            Err(
                error @ (CatchUpError::Log(_) | CatchUpError::Commit(_) | CatchUpError::Keys(_)),
            ) => {
                return Err(error.into());
            }
            Err(
                error @ (CatchUpError::States(_)
                | CatchUpError::History(_)
                | CatchUpError::Contradiction(_)),
            ) => tracing::warn!(%error, "states are built anew from the log"),
        }
    }
    desk.states.clear()?;
    Ok(catch_up(desk, reader, ReadFrom { states: 0, keys })?)
}

type CommitterParts = (Box<dyn EventLog>, OpenLog, Arc<Vault>, Option<Arc<Journal>>);

fn start(
    desk: Desk,
    owed: Owed,
    bounds: Bounds,
    (log, open, vault, journal): CommitterParts,
    filled: Option<Shelf>,
    (inbox, messages): (Sender<Message>, Receiver<Message>),
) -> Result<Vec<JoinHandle<()>>, OpenError> {
    let head = log.head();
    let (tasks, work) = channel();
    let reports = inbox.clone();
    let committer = Committer {
        log: Some(log),
        open,
        vault,
        journal,
        followers: Vec::new(),
        handed: head.next,
        reopen: false,
        broken: false,
        report: move |report| send(&reports, Message::Report(report)),
    };
    let flusher = filled
        .map(|shelf| Flusher::start(shelf, move |done| send(&inbox, Message::Flushed(done))))
        .transpose()?;
    let mut writer = Writer {
        desk,
        ledger: head.ledger,
        bounds,
        inbox: messages,
        tasks,
        flusher,
        jobs: VecDeque::new(),
        under_way: 0,
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
    Ok(vec![writing, committing])
}

/// Tells the writer. It may have ended already, when nobody needs to be told any more.
fn send(inbox: &Sender<Message>, message: Message) {
    if inbox.send(message).is_err() {
        tracing::debug!("the writer has ended");
    }
}
