//! A ledger in this process, put together as the program does it: the bus over the embedded log,
//! keys, states, vault, and the read models following.

use anyhow::{Context, Result, bail};
use chl_bus::{
    Bus, Client, Connection, Journal, JournalLimits, LogError, MemoryKeys, OpenLog, Opening,
    Options, Parts, Prepared, StatesFile, SystemClock, Vault, prepare,
};
use chl_events::{ActorId, LedgerId};
use chl_log::{EventLog, MemoryLog, ReadLog};
use chl_log_files::KeyIndex;
use chl_log_sled::{Options as LogOptions, Seen, SledLog};
use chl_runtime::{ApplyError, Reader, Views};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    thread::{Builder, JoinHandle},
};

#[path = "../../../bin/chl/ledger/keys.rs"]
mod keys;

/// The id of the benchmark's ledgers.
pub const LEDGER: LedgerId = LedgerId([7; 16]);
/// Blocks of so many bytes may wait for the read models before the ledger waits for them.
const BYTES_WAITING: usize = 8 << 20;
/// So many of them are folded in one go.
const BYTES_AT_ONCE: usize = 1 << 20;

/// An open ledger.
pub struct Ledger {
    bus: Option<Bus>,
    /// The keys of persons.
    pub vault: Arc<Vault>,
    views: PathBuf,
    log: Arc<dyn ReadLog>,
    following: Option<Follows>,
}

/// The read models' thread, and the word that it has read what it needs of the log.
type Follows = (JoinHandle<Result<Views>>, Receiver<()>);

impl Ledger {
    /// Opens the ledger in a folder that has the program's layout, or makes one.
    pub fn open(dir: &Path, opening: &Opening) -> Result<Self> {
        let log = SledLog::open(
            &dir.join("log"),
            LogOptions { create: Some(LEDGER), seen: seen(dir), ..LogOptions::default() },
        )?;
        let head = log.head();
        let vault = Arc::new(Vault::open(&dir.join("vault.sqlite"))?);
        let index = KeyIndex::open(&dir.join("keys"), head.ledger)?;
        index.forget_beyond(head.next)?;
        let journal = Journal::open(&dir.join("journal"), JournalLimits::default())?;
        let mut opened = Some(log);
        let again = dir.join("log");
        let parts = Parts {
            log: Box::new(move || {
                let log = match opened.take() {
                    Some(log) => log,
                    None => SledLog::open(&again, LogOptions::default())?,
                };
                Ok::<Box<dyn EventLog>, LogError>(Box::new(log))
            }),
            keys: Arc::new(named("keys", || keys::KeyFiles::new(index))?),
            states: Some(StatesFile::open(&dir.join("states.sqlite"))?),
            vault: Arc::clone(&vault),
            clock: Box::new(SystemClock::new()),
            journal: Some(Arc::new(journal)),
        };
        let bus = Bus::open(parts, &Options::new(opening.clone()))?;
        let views = dir.join("views.sqlite");
        let log = bus.reader();
        let mut ledger = Self { bus: Some(bus), vault, views, log, following: None };
        ledger.following = Some(ledger.follow()?);
        Ok(ledger)
    }

    /// Opens an empty ledger in memory alone, without read models.
    pub fn in_memory(opening: &Opening) -> Result<Self> {
        let log = MemoryLog::new(LEDGER);
        Self::over(
            Box::new(move || Ok::<Box<dyn EventLog>, LogError>(Box::new(log.clone()))),
            opening,
        )
    }

    /// Opens a ledger over a log, with everything else in memory and without read models.
    pub fn over(log: OpenLog, opening: &Opening) -> Result<Self> {
        let vault = Arc::new(Vault::in_memory()?);
        let parts = Parts {
            log,
            keys: Arc::new(MemoryKeys::default()),
            states: None,
            vault: Arc::clone(&vault),
            clock: Box::new(SystemClock::new()),
            journal: None,
        };
        let bus = Bus::open(parts, &Options::new(opening.clone()))?;
        let log = bus.reader();
        Ok(Self { bus: Some(bus), vault, views: PathBuf::new(), log, following: None })
    }

    /// A handle to send commands through.
    pub fn client(&self) -> Result<Client> {
        self.bus.as_ref().map(Bus::client).context("the ledger is closed")
    }

    /// The log, to be read.
    pub fn log(&self) -> &Arc<dyn ReadLog> {
        &self.log
    }

    /// Sends lines that must all be accepted.
    pub fn accept(&self, lines: &[String]) -> Result<()> {
        let connection = operator()?;
        let read = |line: &String| {
            prepare(line.as_bytes(), &connection).map_err(|answer| anyhow::anyhow!("{answer:?}"))
        };
        let commands = lines.iter().map(read).collect::<Result<Vec<Prepared>>>()?;
        let answers = self.client()?.submit_all(commands)?;
        match answers.iter().find(|answer| !answer.is_accepted()) {
            Some(refused) => bail!("not accepted: {refused:?}"),
            None => Ok(()),
        }
    }

    /// Lets the read models follow, as the program does: folded in memory, and in SQLite whenever
    /// they have caught up.
    fn follow(&self) -> Result<Follows> {
        let follows = self.client()?.follow(BYTES_WAITING)?;
        let (log, path) = (Arc::clone(&self.log), self.views.clone());
        let (caught_up, word) = channel();
        let follow = move || {
            let mut views = Views::open_or_build(&path, log, &mut |_, _| {})?;
            // Nobody listens when the ledger is dropped without being closed.
            let _unheard = caught_up.send(());
            while let Some(blocks) = follows.next(BYTES_AT_ONCE) {
                match views.apply(&blocks) {
                    Err(ApplyError::Gap { .. }) => views.catch_up(&mut |_, _| {})?,
                    other => other?,
                }
                if follows.is_drained() {
                    views.flush()?;
                }
            }
            Ok(views)
        };
        Ok((Builder::new().name("views".into()).spawn(follow)?, word))
    }

    /// Closes the ledger and writes its read models down; they come back to be looked at.
    pub fn close(mut self) -> Result<Option<Views>> {
        let following = self.following.take();
        if let Some((_, word)) = &following {
            // While the log can still be read; a thread that failed says so when it is joined.
            let _failed = word.recv();
        }
        drop(self.bus.take());
        let views =
            following.map(|(thread, _)| thread.join().expect("the read models do not panic"));
        let mut views = views.transpose()?;
        if let Some(views) = &mut views {
            views.flush()?;
        }
        Ok(views)
    }
}

/// What else is durable and has seen the log, as the program asks before it opens one.
fn seen(dir: &Path) -> Vec<Seen> {
    let views = Reader::open(&dir.join("views.sqlite")).and_then(|reader| reader.position());
    let views = views.ok().map(|position| Seen { what: "the read models".into(), position });
    let states = dir.join("states.sqlite");
    let states = states.exists().then(|| StatesFile::open(&states));
    let states = states.and_then(|file| file.ok()?.stands_for().ok().flatten());
    let states = states.map(|(_, position)| Seen { what: "the states".into(), position });
    views.into_iter().chain(states).collect()
}

/// Runs something in a thread of a name, which the threads it starts bear too.
fn named<T: Send>(name: &str, run: impl FnOnce() -> T + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = Builder::new().name(name.into()).spawn_scoped(scope, run)?;
        thread.join().map_err(|_| anyhow::anyhow!("the thread {name} panicked"))
    })
}

/// The operator of a command line.
pub fn operator() -> Result<Connection> {
    let actor: ActorId = "bench".parse()?;
    Ok(Connection { default_source: Some("/bench".into()), ..Connection::operator(actor) })
}

/// An opening at the present moment.
pub fn opening() -> Result<Opening> {
    let name = "main".to_owned();
    Ok(Opening { origin: name.clone(), name, actor: "bench".parse()?, recorded_at: None })
}
