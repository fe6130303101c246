//! `chl serve`: owns the ledger and takes commands and questions until it is told to stop.

use super::{
    service::{open_door, open_reading_door},
    several::serve_each,
    stop::Stop,
};
use crate::{
    actors::ActorsOption,
    audit::CheckpointEvery,
    exit::Exit,
    failure::{Failure, Outcome, Step},
    http::{HttpOptions, Part, Standing, Standings},
    ledger::{Attempt, Birth, Node, Owning, Share, own},
    nats::{BusOptions, OnNats},
    owner::{Reached, reach},
    place::Place,
    servers::Servers,
    talk,
};
use chl_bus::Actors;
use std::{sync::Arc, thread, time::Duration};

/// How often it looks whether it is still to lead, or may.
const GLANCE: Duration = Duration::from_millis(200);

/// Owns the ledger and serves all other `chl` calls through its local socket, until SIGINT or
/// SIGTERM.
///
/// While it runs, commands and questions of other processes go through it and need not open the
/// ledger: answers come within milliseconds, and many senders share one sync of the disk.
///
/// With --bus it also takes commands and questions from NATS: a request to
/// `chl.LEDGER.as.ACTOR.cmd.TYPE` is answered, and what is published to
/// `chl.LEDGER.as.ACTOR.queue.TYPE` is kept until it is decided.
///
/// With --nats the ledger lives on servers. Any number of these processes may serve it: one takes
/// commands, the others follow, and when it ends another goes on within seconds.
///
/// Several ledgers (--ledger more than once) spread over the processes that serve them: one that
/// leads some already lets others take a free one first. What hinders one of them hinders no other.
///
/// With --http monitors are answered, whatever it is to its ledger; and, with --actors, commands and
/// questions of those whose tokens are in the list.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    actors: ActorsOption,
    #[command(flatten)]
    bus: BusOptions,
    #[command(flatten)]
    http: HttpOptions,
    #[command(flatten)]
    checkpoints: CheckpointEvery,
}

impl Serve {
    /// Serves.
    pub(crate) fn run(&self, places: &[Place], servers: &Servers) -> Outcome<Exit> {
        let actors = self.actors.read()?;
        let bus = self.bus.check(servers, actors.as_ref())?;
        if actors.is_some() && !bus && !self.http.is_asked_for() {
            return Err(Failure::usage("--actors belongs to --bus, --nats or --http"));
        }
        let actors = Arc::new(actors.unwrap_or_default());
        let _watched = self.actors.watch(&actors);
        let stop = Stop::watch().or_exit(Exit::Internal, "signals cannot be waited for")?;
        let standings = Standings::default();
        let _http = self.http.open(&standings, &actors)?;
        let (bus, checkpoints) = (&self.bus, self.checkpoints);
        let serving = Serving { bus, servers, actors, checkpoints, stop: &stop };
        match places {
            [place] => {
                let standing = standings.of(place.ledger());
                if servers.nats.is_some() {
                    serving.on_servers(place, &standing, &Share::default())?;
                } else {
                    serving.embedded(place, &standing)?;
                }
            }
            several => {
                if servers.nats.is_none() {
                    return Err(Failure::usage(
                        "several ledgers are served with --nats; an embedded one has a process of \
                         its own",
                    ));
                }
                // What is wrong with the servers is wrong with all of them.
                servers.connect_home()?;
                let share = Share::default();
                serve_each(several, &standings, &stop, |place, standing| {
                    serving.on_servers(place, standing, &share)
                });
            }
        }
        Ok(Exit::Success)
    }
}

/// What every ledger of this process is served with.
struct Serving<'a> {
    bus: &'a BusOptions,
    servers: &'a Servers,
    actors: Arc<Actors>,
    checkpoints: CheckpointEvery,
    stop: &'a Stop,
}

impl Serving<'_> {
    fn embedded(&self, place: &Place, standing: &Standing) -> Outcome {
        let birth = Birth::new(place)?;
        match reach(place, || own(place, Some(&birth)))? {
            Reached::Own(owning) => self.lead(place, owning, (standing, Part::Embedded)),
            Reached::Owner(_) => Err(already(place)),
        }
    }

    /// Stands by until the lease is free, leads until it is lost, and stands by again.
    fn on_servers(&self, place: &Place, standing: &Standing, share: &Share) -> Outcome {
        let stop = self.stop;
        let birth = Birth::new(place)?;
        let mut told = false;
        loop {
            standing.opening();
            let mut node = match Node::open(place, self.servers, Some(&birth))? {
                Attempt::Opened(node) => node,
                Attempt::Owned(failure) => return Err(failure),
            };
            let door = open_reading_door(place, &node.reading)?;
            let mut free = None;
            let (held, leading) = loop {
                if stop.within(Duration::ZERO) {
                    return Ok(());
                }
                node.follow(GLANCE)?;
                standing.follows(&node.reading);
                if let Some(taken) = share.take(&mut node, &mut free)? {
                    break taken;
                }
                if !told {
                    talk::say(&format!("ledger {:?}: standing by", place.ledger()));
                    told = true;
                }
            };
            // What is being answered is answered to the end, and nobody waits for it.
            thread::spawn(move || drop(door));
            let owning = node.lead(place, held)?;
            self.lead(place, owning, (standing, Part::Leads))?;
            drop(leading);
            if stop.within(Duration::ZERO) {
                return Ok(());
            }
            let lost = "the lease was lost";
            standing.lease_lost(lost);
            talk::say(&format!("ledger {:?}: {lost}; standing by", place.ledger()));
        }
    }

    /// Takes commands until told to stop, or until the lease is lost.
    fn lead(&self, place: &Place, owning: Owning, (standing, part): (&Standing, Part)) -> Outcome {
        let on_nats = self.bus.open(place, self.servers, Arc::clone(&self.actors), &owning)?;
        let door = open_door(place, &owning)?;
        let signing = self.checkpoints.begin(place.ledger(), &owning.reading);
        let (ledger, socket) = (place.ledger(), place.socket());
        talk::say(&format!("ledger {ledger:?} is served at {}", socket.display()));
        standing.takes_commands(part, &owning.reading, owning.client()?);
        while !self.stop.within(GLANCE) && !owning.is_lost() {}
        talk::say(&format!("ledger {ledger:?}: closing"));
        standing.closing();
        let answered = on_nats.map_or(Ok(()), OnNats::close);
        drop((door, signing));
        owning.close()?;
        answered
    }
}

fn already(place: &Place) -> Failure {
    let owner = place.owner().map_or("another process".into(), |pid| format!("process {pid}"));
    Failure::new(
        Exit::Unavailable,
        format_args!("ledger {:?} is owned by {owner}; stop that one first", place.ledger()),
    )
}
