//! A ledger that this process owns: the bus over the embedded log, and the read models behind it.

use super::{
    Reading,
    keys::KeyFiles,
    leased::{Leased, Lost},
};
use crate::{
    exit::{Exit, OwnExit},
    failure::{Failure, Outcome, Step},
    place::Place,
    talk,
};
use chl_bus::{
    Bus, Client, Following, Journal, JournalLimits, OpenError as BusError, OpenLog, Opening,
    Options as BusOptions, Parts, Standby, StatesFile, SystemClock, Vault,
};
use chl_events::LedgerId;
use chl_log::{Head, ReadLog};
use chl_log_files::KeyIndex;
use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

/// Only the owner's user may look into a ledger.
const FOLDER_MODE: u32 = 0o700;
/// Blocks of so many bytes may wait for the read models before the ledger waits for them.
const BYTES_WAITING: usize = 8 << 20;
/// How often it looks whether a snapshot of the past is wanted.
const LOOK_BACK: Duration = Duration::from_secs(5);
/// So many commits since it looked last leave the machine time for that.
const LITTLE: u64 = 1_000;
/// So many of them are folded in one go.
const BYTES_AT_ONCE: usize = 1 << 20;

/// How a ledger that is not there yet begins.
#[derive(Debug, Clone)]
pub(crate) struct Birth {
    /// Its id.
    pub(crate) ledger: LedgerId,
    /// What its log begins with.
    pub(crate) opening: Opening,
}

impl Birth {
    /// A new ledger, of an id nobody else has.
    pub(crate) fn new(place: &Place) -> Outcome<Self> {
        let name = place.ledger().to_owned();
        let (origin, actor) = (name.clone(), crate::user::actor()?);
        let opening = Opening { name, origin, actor, recorded_at: None };
        Ok(Self { ledger: LedgerId(rand::random()), opening })
    }
}

/// A ledger that this process owns until it is closed.
pub(crate) struct Owning {
    bus: Option<Bus>,
    /// What answers are read from.
    pub(crate) reading: Arc<Reading>,
    following: Option<JoinHandle<()>>,
    /// Keeps snapshots of the past.
    looking_back: Option<JoinHandle<()>>,
    /// Given up last, when everything is written down.
    lease: Option<(Leased, Lost)>,
}

/// Makes the folder of a ledger, where it is not there yet.
pub(super) fn make_dir(place: &Place) -> Outcome {
    let mut folder = DirBuilder::new();
    folder.recursive(true).mode(FOLDER_MODE);
    let made = folder.create(place.dir());
    made.or_exit(Exit::Unavailable, format_args!("{} cannot be made", place.dir().display()))
}

/// What a bus is made of: the log, and what this machine keeps beside it.
pub(super) fn parts(place: &Place, head: Head, log: OpenLog, vault: Arc<Vault>) -> Outcome<Parts> {
    let unavailable = |what: &str| format!("{what} of ledger {:?}", place.ledger());
    let keys = KeyIndex::open(&place.keys(), head.ledger)
        .or_exit(Exit::Unavailable, unavailable("the keys"))?;
    keys.forget_beyond(head.next).or_exit(Exit::Unavailable, unavailable("the keys"))?;
    let states =
        StatesFile::open(&place.states()).or_exit(Exit::Unavailable, unavailable("the states"))?;
    let journal = Journal::open(&place.journal(), JournalLimits::default())
        .or_exit(Exit::Unavailable, unavailable("the decision journal"))?;
    Ok(Parts {
        log,
        keys: Arc::new(KeyFiles::new(keys)),
        states: Some(states),
        vault,
        clock: Box::new(SystemClock::new()),
        journal: Some(Arc::new(journal)),
    })
}

/// Begins to stand by: behind what this machine has of states and keys.
pub(super) fn stand_by(
    place: &Place,
    parts: Parts,
    reader: Arc<dyn ReadLog>,
    birth: Option<&Birth>,
) -> Outcome<Standby> {
    let opening = match birth {
        Some(birth) => birth.opening.clone(),
        None => Birth::new(place)?.opening,
    };
    let standby = Standby::open(parts, reader, &BusOptions::new(opening));
    standby.map_err(|error| unowned(place, error))
}

impl Owning {
    /// Takes over a ledger that stands by: under a lease, where others may want it too.
    pub(super) fn take_over(
        place: &Place,
        standby: Standby,
        reading: Arc<Reading>,
        lease: Option<(Leased, Lost)>,
    ) -> Outcome<Self> {
        let bus = Bus::take_over(standby).map_err(|error| unowned(place, error))?;
        let follows = bus.client().follow(BYTES_WAITING);
        let follows = follows.or_exit(Exit::Internal, "the ledger cannot be followed")?;
        let shown = Arc::clone(&reading);
        let following = thread::spawn(move || follow(&follows, &shown));
        let past = Arc::clone(&reading);
        let looking_back = Some(thread::spawn(move || look_back(&past)));
        Ok(Self { bus: Some(bus), reading, following: Some(following), looking_back, lease })
    }

    /// Whether the lease was lost: another node has taken the ledger over.
    pub(crate) fn is_lost(&self) -> bool {
        self.lease.as_ref().is_some_and(|(_, lost)| lost.is_so())
    }

    /// A handle to send commands through.
    pub(crate) fn client(&self) -> Outcome<Client> {
        let closed = || Failure::new(Exit::Unavailable, "the ledger is closed");
        self.bus.as_ref().map(Bus::client).ok_or_else(closed)
    }

    /// Closes the ledger: everything is written down, and the read models are brought up to it.
    pub(crate) fn close(mut self) -> Outcome {
        self.end();
        // The log stays readable for as long as the bus is held; the last fold has read it all.
        Ok(())
    }

    fn end(&mut self) {
        self.reading.closing.announce();
        if self.bus.is_some() {
            // While the log can still be read: a ledger that was open for a moment only has read
            // models that have not even been opened.
            if let Err(failure) = self.reading.views.catch_up() {
                talk::say(&format!("the read models stay behind: {failure}"));
            }
        }
        if let Some(bus) = self.bus.take() {
            bus.close();
        }
        for thread in [self.following.take(), self.looking_back.take()].into_iter().flatten() {
            if thread.join().is_err() {
                talk::say("a thread of the read models panicked; `chl rebuild` makes them anew");
            }
        }
        self.lease = None;
    }
}

impl Drop for Owning {
    fn drop(&mut self) {
        self.end();
    }
}

/// Opens the keys of persons.
pub(crate) fn open_vault(place: &Place) -> Outcome<Vault> {
    let path = place.vault();
    Vault::open(&path)
        .or_exit(Exit::Unavailable, format_args!("the vault {} cannot be opened", path.display()))
}

/// Lets the read models follow the ledger, and SQLite whenever it has caught up.
fn follow(follows: &Following, reading: &Reading) {
    while let Some(blocks) = follows.next(BYTES_AT_ONCE) {
        let folded = reading
            .views
            .follow(&blocks)
            .and_then(|()| if follows.is_drained() { reading.views.flush() } else { Ok(()) });
        if let Err(failure) = folded {
            // The ledger itself is whole; the next question or the next start folds again.
            talk::say(&format!("the read models stay behind: {failure}"));
        }
    }
}

/// Keeps snapshots of the past while little comes, until the ledger is about to be closed.
fn look_back(reading: &Reading) {
    let mut before = 0;
    while !reading.closing.is_near_within(LOOK_BACK) {
        let head = reading.log.head().next;
        let quiet = head.saturating_sub(before) <= LITTLE;
        before = head;
        while quiet && !reading.closing.is_near() {
            match reading.views.extend_past() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    tracing::warn!(%failure, "a snapshot of the read models could not be made");
                    break;
                }
            }
        }
    }
}

/// What it means to the user that the bus could not be opened.
fn unowned(place: &Place, error: BusError) -> Failure {
    let exit = match &error {
        BusError::CatchUp(error) => error.exit(),
        BusError::Log(_) | BusError::Opening(_) | BusError::States(_) | BusError::Thread(_) => {
            Exit::Unavailable
        }
    };
    let what = format!("ledger {:?} cannot be opened", place.ledger());
    Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
}
