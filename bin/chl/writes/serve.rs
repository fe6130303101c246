//! `chl serve`: owns the ledger and takes commands and questions until it is told to stop.

use super::service::open_door;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{Birth, own},
    nats::{BusOptions, OnNats},
    owner::{Reached, reach},
    place::Place,
    talk,
};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Owns the ledger and serves all other `chl` calls through its local socket, until SIGINT or
/// SIGTERM.
///
/// While it runs, commands and questions of other processes go through it and need not open the
/// ledger: answers come within milliseconds, and many senders share one sync of the disk.
///
/// With --bus it also takes commands and questions from NATS: a request to
/// `chl.LEDGER.as.ACTOR.cmd.TYPE` is answered, and what is published to
/// `chl.LEDGER.as.ACTOR.queue.TYPE` is kept until it is decided.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    bus: BusOptions,
}

impl Serve {
    /// Serves.
    pub(crate) fn run(&self, place: &Place) -> Outcome<Exit> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.or_exit(Exit::Internal, "signals cannot be waited for")?;
        let signals = {
            let _within = runtime.enter();
            Signals::watch().or_exit(Exit::Internal, "signals cannot be waited for")?
        };
        let birth = Birth::new(place)?;
        let owning = match reach(place, || own(place, Some(&birth)))? {
            Reached::Own(owning) => owning,
            Reached::Owner(_) => return Err(already(place)),
        };
        let on_nats = self.bus.open(place, &owning)?;
        let door = open_door(place, &owning)?;
        let (ledger, socket) = (place.ledger(), place.socket());
        talk::say(&format!("ledger {ledger:?} is served at {}", socket.display()));
        runtime.block_on(signals.told_to_stop());
        talk::say("closing");
        let answered = on_nats.map_or(Ok(()), OnNats::close);
        drop(door);
        owning.close()?;
        answered.map(|()| Exit::Success)
    }
}

fn already(place: &Place) -> Failure {
    let owner = place.owner().map_or("another process".into(), |pid| format!("process {pid}"));
    Failure::new(
        Exit::Unavailable,
        format_args!("ledger {:?} is owned by {owner}; stop that one first", place.ledger()),
    )
}

/// The signals that end it; watched from the start, so that none comes too early.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn watch() -> std::io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn told_to_stop(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
