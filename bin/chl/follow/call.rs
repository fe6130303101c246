//! The call, and where the log comes from: the ledger's owner, its folder, or its servers.

use super::kept::Kept;
use crate::{
    asking::{open_to_read, written},
    exit::Exit,
    failure::{Outcome, Step, StepToOwnExit},
    ledger::{open_stream_alone, sealed_history},
    owner::{OwnersLog, Reached, connect, reach},
    place::Place,
    reads::stored_views,
    servers::Servers,
    writes::Stop,
};
use chl_log::{EventLog, ReadLog};
use chl_runtime::View;
use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it looks whether it is to stop, or whether a ledger without an owner has grown.
const GLANCE: Duration = Duration::from_millis(200);

/// How long a ledger that was there may be out of reach.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps some read models in a file of their own, up to date until SIGINT or SIGTERM.
///
/// FILE is a database of SQLite, as the ledger's own `views.sqlite` is: with the tables named and
/// those whose rows they need (deals, conflicts and customers come together, as do claims, requests
/// and lots, and balances with lots), `_meta` and `_lag`. `chl query --views FILE` and `chl sql
/// --views FILE` read it, and so does any other tool.
///
/// While the ledger has an owner, blocks come from there as they become durable. Without one they
/// are read from the ledger's folder, which is locked only for what is not sealed yet; then it waits
/// for more, unless --once says to end. Of a ledger on servers it reads the stream itself, and needs
/// no node on this machine.
///
/// Ended or killed, it goes on where FILE stands. Where the ledger is not the one FILE knows, it ends
/// with 6. Tables of another release are built anew beside, and switched, as are others than named
/// before.
#[derive(Debug, clap::Args)]
pub(crate) struct Follow {
    /// The read models.
    #[arg(value_name = "VIEW", required = true, value_parser = stored_views())]
    views: Vec<String>,
    /// The file: a link to the newest build of it, which lies beside.
    #[arg(long, value_name = "FILE")]
    into: PathBuf,
    /// Ends when FILE holds what the ledger held at the beginning; with 6 when a read model stands
    /// still.
    #[arg(long)]
    once: bool,
    /// Builds FILE anew from this ledger first, whatever it holds.
    #[arg(long)]
    rebuild: bool,
}

impl Follow {
    /// Follows.
    pub(crate) fn run(&self, place: &Place) -> Outcome<Exit> {
        let stop = Stop::watch().or_exit(Exit::Internal, "signals cannot be waited for")?;
        let views: Vec<View> = self.views.iter().filter_map(|name| View::named(name)).collect();
        let mut kept = Kept::claim(place, &self.into, &views, &stop)?.anew(self.rebuild);
        let followed = match place.servers() {
            Some(servers) => self.on_servers(place, servers, &mut kept, &stop),
            None => self.embedded(place, &mut kept, &stop),
        };
        match followed {
            // What was given up half-way is folded again by whoever follows next.
            Err(failure) if failure.exit() == Exit::Unavailable && stop.within(Duration::ZERO) => {
                Ok(Exit::Success)
            }
            Err(failure) => Err(failure),
            Ok(()) if self.once => Ok(kept.exit()),
            Ok(()) => Ok(Exit::Success),
        }
    }

    /// Follows an embedded ledger, whoever owns it and whether anybody does.
    fn embedded(&self, place: &Place, kept: &mut Kept, stop: &Stop) -> Outcome {
        let mut reached = None;
        loop {
            let mark = written(place);
            let whole = match self.up_to_date(place, kept, stop) {
                Ok(whole) => {
                    reached = Some(Instant::now());
                    whole
                }
                // An owner that starts, or is told to stop, or works alone, is soon done.
                Err(failure) if failure.exit() == Exit::Unavailable && is_recent(reached) => {
                    tracing::debug!(%failure, "the ledger is out of reach");
                    false
                }
                Err(failure) => return Err(failure),
            };
            if (self.once && whole) || stop.within(Duration::ZERO) {
                return Ok(());
            }
            while !stop.within(GLANCE) && whole && written(place) == mark && !is_owned(place) {
                reached = Some(Instant::now());
            }
        }
    }

    /// Brings the file up to date, and keeps it so while there is an owner; says whether everything
    /// that there is had come by then.
    fn up_to_date(&self, place: &Place, kept: &mut Kept, stop: &Stop) -> Outcome<bool> {
        match OwnersLog::open(place)? {
            Some(log) => self.through_owner(&Arc::new(log), kept, stop),
            None => alone(place, kept),
        }
    }

    /// Follows for as long as the owner is there; says whether everything had come by then.
    fn through_owner(&self, log: &Arc<OwnersLog>, kept: &mut Kept, stop: &Stop) -> Outcome<bool> {
        let mut followed = false;
        let mut follow = || -> Outcome {
            let mut views = kept.open(Arc::clone(log) as Arc<dyn ReadLog>)?;
            loop {
                kept.catch_up(&mut views, log.as_ref())?;
                followed = true;
                if self.once || stop.within(Duration::ZERO) {
                    return Ok(());
                }
                let waited = log.wait_beyond(views.position(), GLANCE);
                waited.or_own_exit("the ledger's owner cannot be followed")?;
            }
        };
        let done = follow();
        match (done, log.damage()) {
            (Err(_), Some(damage)) => Err(damage),
            (Err(failure), None) if followed && failure.exit() == Exit::Unavailable => {
                tracing::debug!(%failure, "the ledger's owner has gone");
                Ok(false)
            }
            (done, _) => done.map(|()| true),
        }
    }

    /// Follows a ledger on servers.
    fn on_servers(
        &self,
        place: &Place,
        servers: &Servers,
        kept: &mut Kept,
        stop: &Stop,
    ) -> Outcome {
        let mut log = open_stream_alone(place, servers)?;
        let reader = log.reader();
        let mut views = kept.open(Arc::clone(&reader))?;
        loop {
            kept.catch_up(&mut views, reader.as_ref())?;
            if self.once || stop.within(Duration::ZERO) {
                return Ok(());
            }
            log.follow(GLANCE).or_own_exit("the stream cannot be followed")?;
        }
    }
}

/// Whether an owner listens, or something else that must be looked at.
fn is_owned(place: &Place) -> bool {
    !matches!(connect(place), Ok(None))
}

/// Whether a ledger was reached not long ago.
fn is_recent(reached: Option<Instant>) -> bool {
    reached.is_some_and(|at| at.elapsed() < PATIENCE)
}

/// Folds what the folder of a ledger without an owner holds; says whether it could be opened.
///
/// Most of a long history is sealed, and read without a lock: who wants the ledger meanwhile waits
/// only for the rest.
fn alone(place: &Place, kept: &mut Kept) -> Outcome<bool> {
    if let Some(sealed) = sealed_history(place) {
        kept.pass(Arc::new(sealed))?;
    }
    let Reached::Own(ledger) = reach(place, || open_to_read(place))? else { return Ok(false) };
    let log = Arc::clone(&ledger.reading.log);
    let mut views = kept.open(Arc::clone(&log))?;
    kept.catch_up(&mut views, log.as_ref())?;
    Ok(true)
}
