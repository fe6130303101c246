//! What this process is to its ledgers, as it says itself, and how each of them stands.

use crate::ledger::Reading;
use chl_bus::{Client, Clock, SystemClock, Trouble};
use chl_events::Instant;
use chl_runtime::{Frozen, Stand};
use metrics::counter;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{self, Duration},
};

/// So long a node counts as following that has not said so again.
const FOLLOWS_FOR: Duration = Duration::from_secs(10);

/// How often the lease of a ledger was taken or lost.
pub(super) const LEASES: &str = "chl_lease_changes_total";

/// What the process is to a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// It is about to open it.
    Opening,
    /// It follows the ledger on servers, ready to take over.
    Follows,
    /// It takes the commands of a ledger on servers.
    Leads,
    /// It owns a ledger in a folder of its own.
    Embedded,
    /// It is about to give it up.
    Closing,
}

impl Part {
    /// All of them.
    pub(super) const ALL: [Self; 5] =
        [Self::Opening, Self::Follows, Self::Leads, Self::Embedded, Self::Closing];

    /// Its word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Follows => "follows",
            Self::Leads => "leads",
            Self::Embedded => "embedded",
            Self::Closing => "closing",
        }
    }
}

struct Stands {
    part: Part,
    said: time::Instant,
    reading: Weak<Reading>,
    client: Option<Client>,
    trouble: Option<Trouble>,
}

impl Stands {
    fn begin(part: Part) -> Self {
        let said = time::Instant::now();
        Self { part, said, reading: Weak::new(), client: None, trouble: None }
    }
}

type Board = Arc<Mutex<BTreeMap<String, Stands>>>;

/// What the process is to each of its ledgers.
#[derive(Clone, Default)]
pub(crate) struct Standings(Board);

/// A ledger that is open at this moment.
pub(super) struct Opened {
    /// Its name.
    pub(super) ledger: String,
    /// What answers are read from.
    pub(super) reading: Arc<Reading>,
    /// Where commands go; none while another process takes them.
    pub(super) client: Option<Client>,
}

/// Why a ledger cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unopened {
    /// The process serves none of that name.
    #[error("no ledger {0:?} is served here")]
    Unknown(String),
    /// It serves several, and none is named.
    #[error("several ledgers are served here; say which: ?ledger= one of {0}")]
    Which(String),
    /// It is being opened or closed.
    #[error("the ledger is not open at this moment; try again")]
    NotNow,
}

/// What it is to one of them; said by whoever serves it.
#[derive(Clone)]
pub(crate) struct Standing {
    board: Board,
    ledger: String,
}

impl Standings {
    /// Begins to serve a ledger.
    pub(crate) fn of(&self, ledger: &str) -> Standing {
        held(&self.0).insert(ledger.to_owned(), Stands::begin(Part::Opening));
        Standing { board: Arc::clone(&self.0), ledger: ledger.to_owned() }
    }

    /// The names of all of them.
    pub(super) fn names(&self) -> Vec<String> {
        held(&self.0).keys().cloned().collect()
    }

    /// The ledger of a name; without a name the only one.
    pub(super) fn opened(&self, named: Option<&str>) -> Result<Opened, Unopened> {
        let board = held(&self.0);
        let (ledger, stands) = match named {
            Some(name) => {
                board.get_key_value(name).ok_or_else(|| Unopened::Unknown(name.to_owned()))?
            }
            None if board.len() > 1 => {
                let all: Vec<&str> = board.keys().map(String::as_str).collect();
                return Err(Unopened::Which(all.join(", ")));
            }
            None => board.iter().next().ok_or(Unopened::NotNow)?,
        };
        let reading = match stands.part {
            Part::Opening | Part::Closing => None,
            Part::Follows | Part::Leads | Part::Embedded => stands.reading.upgrade(),
        };
        let reading = reading.ok_or(Unopened::NotNow)?;
        let client = stands.client.clone().filter(|_| stands.part != Part::Follows);
        Ok(Opened { ledger: ledger.clone(), reading, client })
    }

    /// Looks at each of them. Reads from disks, and in the worst case from servers.
    pub(super) fn look(&self) -> Vec<Look> {
        let now = SystemClock::new().read().wall;
        let board = held(&self.0);
        let stand = board.iter().map(|(ledger, stands)| Glance::of(ledger, stands));
        let stand: Vec<Glance> = stand.collect();
        drop(board);
        stand.into_iter().map(|glance| glance.closer(now)).collect()
    }
}

impl Standing {
    /// It is opened, for the first time or again.
    pub(crate) fn opening(&self) {
        self.change(|stands| stands.part = Part::Opening);
    }

    /// It follows, and has just seen that it does.
    pub(crate) fn follows(&self, reading: &Arc<Reading>) {
        self.change(|stands| {
            stands.part = Part::Follows;
            stands.reading = Arc::downgrade(reading);
        });
    }

    /// It takes commands from now on.
    pub(crate) fn takes_commands(&self, part: Part, reading: &Arc<Reading>, client: Client) {
        if part == Part::Leads {
            counter!(LEASES, "ledger" => self.ledger.clone(), "change" => "taken").increment(1);
        }
        self.change(|stands| {
            stands.part = part;
            stands.reading = Arc::downgrade(reading);
            stands.client = Some(client);
        });
    }

    /// It gives the ledger up.
    pub(crate) fn closing(&self) {
        self.change(|stands| {
            let told = stands.client.take().and_then(|client| client.trouble());
            stands.trouble = told.map(|told| Trouble { lasts: false, ..told });
            stands.part = Part::Closing;
        });
    }

    /// Another process goes on with it.
    pub(crate) fn lease_lost(&self, what: &str) {
        counter!(LEASES, "ledger" => self.ledger.clone(), "change" => "lost").increment(1);
        let at = SystemClock::new().read().wall;
        let trouble = Trouble { at, what: what.to_owned(), lasts: false };
        self.change(|stands| stands.trouble = Some(trouble));
    }

    /// It cannot be served now, and is opened again in a while.
    pub(crate) fn failed(&self, what: &str) {
        let at = SystemClock::new().read().wall;
        let trouble = Trouble { at, what: what.to_owned(), lasts: false };
        self.change(|stands| {
            stands.part = Part::Opening;
            stands.client = None;
            stands.trouble = Some(trouble);
        });
    }

    fn change(&self, change: impl FnOnce(&mut Stands)) {
        let mut board = held(&self.board);
        let stands =
            board.entry(self.ledger.clone()).or_insert_with(|| Stands::begin(Part::Opening));
        stands.said = time::Instant::now();
        change(stands);
    }
}

fn held(board: &Board) -> MutexGuard<'_, BTreeMap<String, Stands>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a ledger stands, as far as memory tells.
struct Glance {
    ledger: String,
    part: Part,
    silent: Duration,
    reading: Option<Arc<Reading>>,
    trouble: Option<Trouble>,
}

/// How a ledger stands.
#[derive(Debug, Serialize)]
pub(super) struct Look {
    pub(super) ledger: String,
    pub(super) part: Part,
    /// Whether its commands are answered, or it is followed.
    pub(super) ready: bool,
    /// The position the next commit gets.
    pub(super) position: Option<u64>,
    /// The position behind its sealed files.
    pub(super) sealed_position: Option<u64>,
    pub(super) views: Vec<ViewLook>,
    /// What hindered it last.
    pub(super) trouble: Option<TroubleLook>,
}

/// How far a read model has come.
#[derive(Debug, Serialize)]
pub(super) struct ViewLook {
    pub(super) view: &'static str,
    pub(super) position: u64,
    /// How many commits it has not folded yet.
    pub(super) lag_positions: u64,
    /// How long ago the first of those was recorded.
    pub(super) lag_seconds: f64,
    /// Where and why it failed, since when it stands still.
    pub(super) frozen: Option<Frozen>,
}

/// What hindered a ledger last.
#[derive(Debug, Serialize)]
pub(super) struct TroubleLook {
    at: Instant,
    what: String,
    lasts: bool,
}

impl Glance {
    fn of(ledger: &str, stands: &Stands) -> Self {
        let told = stands.client.as_ref().and_then(Client::trouble);
        Self {
            ledger: ledger.to_owned(),
            part: stands.part,
            silent: stands.said.elapsed(),
            reading: stands.reading.upgrade(),
            trouble: told.or_else(|| stands.trouble.clone()),
        }
    }

    fn ready(&self) -> bool {
        let hindered = self.trouble.as_ref().is_some_and(|trouble| trouble.lasts);
        match self.part {
            Part::Opening | Part::Closing => false,
            Part::Follows => self.silent < FOLLOWS_FOR,
            Part::Leads | Part::Embedded => !hindered,
        }
    }

    fn closer(self, now: Instant) -> Look {
        let ready = self.ready();
        let reading = self.reading.as_deref();
        Look {
            ready,
            position: reading.map(|reading| reading.log.head().next),
            sealed_position: reading.map(|reading| reading.log.sealed_to()),
            views: reading.map(|reading| views(reading, now)).unwrap_or_default(),
            ledger: self.ledger,
            part: self.part,
            trouble: self.trouble.map(|Trouble { at, what, lasts }| TroubleLook {
                at,
                what,
                lasts,
            }),
        }
    }
}

/// How far the read models have come; nothing before they have been built.
fn views(reading: &Reading, now: Instant) -> Vec<ViewLook> {
    let stands = reading.views.stands().into_iter();
    let look = |stand: Stand| {
        let position = stand.checkpoint.position;
        let lag = reading.lag(position);
        ViewLook {
            view: stand.view.name(),
            position,
            lag_positions: lag.map_or(0, |lag| lag.positions),
            lag_seconds: lag.map_or(0.0, |lag| lag.at(now).as_secs_f64()),
            frozen: stand.frozen,
        }
    };
    stands.map(look).collect()
}
