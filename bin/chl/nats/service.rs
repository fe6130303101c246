//! The bus of a served ledger: requests, the queue, and their end.

use super::questions::OfLedger;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::Owning,
    place::Place,
    reads::InReadModels,
    servers::Servers,
};
use chl_bus::Actors;
use chl_bus_nats::{
    Behind, Door, Events, EventsOptions, FeedReader, Feeds, FeedsOptions, Limits, Queue,
    QueueOptions,
};
use chl_events::Code;
use chl_log_nats::Connection;
use std::{sync::Arc, thread, time::Duration};

/// How long the door may take to close: servers that are gone take no answers.
const PATIENCE: Duration = Duration::from_secs(4);

/// How commands and questions come over NATS.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct BusOptions {
    /// Takes commands and questions from these servers (nats://HOST:PORT, separated by commas);
    /// without it from those the ledger lives on, if any.
    #[arg(long, value_name = "URL", env = "CHL_BUS")]
    bus: Option<String>,
    /// Believes what documents on `chl.LEDGER.cmd.TYPE` say of their sender: whoever may publish
    /// there may do anything.
    #[arg(long)]
    trust_bus: bool,
    /// On how many servers commands of the queue, results and events are kept; without it on as many
    /// as the log (--nats-replicas), or one where the log is embedded.
    #[arg(long, value_name = "N")]
    queue_replicas: Option<usize>,
    /// Where no event has left yet, they leave from the commit at this position on; without it, what
    /// is recorded from now on.
    #[arg(long, value_name = "POSITION")]
    events_from: Option<u64>,
}

/// A ledger's door on NATS, open until it is closed.
pub(crate) struct OnNats {
    connection: Connection,
    door: Door,
    queue: Queue,
    events: Events,
    feeds: Option<Feeds>,
}

impl BusOptions {
    /// The servers commands come from; none without a bus.
    fn urls<'a>(&'a self, servers: &'a Servers) -> Option<&'a str> {
        self.bus.as_deref().or(servers.nats.as_deref())
    }

    /// Refuses options that do not go together, before anything is opened; says whether there is a
    /// bus.
    pub(crate) fn check(&self, servers: &Servers, actors: Option<&Actors>) -> Outcome<bool> {
        let bus = self.urls(servers).is_some();
        if bus && actors.is_none() && !self.trust_bus {
            let text = "a bus needs --actors, the list of who may send, or --trust-bus";
            return Err(Failure::usage(text));
        }
        if self.trust_bus && !bus {
            return Err(Failure::usage("--trust-bus belongs to --bus or --nats"));
        }
        Ok(bus)
    }

    /// Opens the door of a ledger, where one is asked for.
    pub(crate) fn open(
        &self,
        place: &Place,
        servers: &Servers,
        actors: Arc<Actors>,
        owning: &Owning,
    ) -> Outcome<Option<OnNats>> {
        let Some(urls) = self.urls(servers) else { return Ok(None) };
        let connection = servers.connect(urls)?;
        let reading = Arc::clone(&owning.reading);
        let ledger = Code::new(place.ledger()).or_exit(Exit::Usage, "--ledger")?;
        let (log, client) = (Arc::clone(&reading.log), owning.client()?);
        let (traces, vault, trust_bus) = (client.traces(), reading.vault.clone(), self.trust_bus);
        let nats = connection.client();
        let as_the_log = servers.nats.as_ref().map_or(1, |_| servers.nats_replicas);
        let (replicas, from) = (self.queue_replicas.unwrap_or(as_the_log), self.events_from);
        let options = QueueOptions { replicas, ..QueueOptions::default() };
        let published = EventsOptions { replicas, from, ..EventsOptions::default() };
        let fed = FeedsOptions { replicas, from, ..FeedsOptions::default() };
        let opening = async move {
            let (log_of_feeds, partners) = (Arc::clone(&log), actors.partners());
            let parties = Arc::new(InReadModels(Arc::clone(&reading)));
            let questions = OfLedger { reading, feeds: FeedReader::new(&nats, &ledger) };
            let behind = Behind {
                ledger: ledger.clone(),
                client,
                vault,
                actors,
                questions: Arc::new(questions),
                trust_bus,
            };
            let events = Events::open(&nats, &ledger, (log, traces), published).await;
            let feeds = (!partners.is_empty())
                .then(|| Feeds::open(&nats, &ledger, (log_of_feeds, parties), partners, fed));
            let queue = Queue::open(&nats, &behind, options).await;
            let door = Door::open(&nats, behind, Limits::default()).await;
            (events, feeds, queue, door)
        };
        let lost = "the bus cannot be opened";
        let opened = connection.wait(opening).or_exit(Exit::Unavailable, lost)?;
        let (events, feeds, queue, door) = opened;
        let events = events.or_exit(Exit::Unavailable, lost)?;
        let queue = queue.or_exit(Exit::Unavailable, lost)?;
        let door = door.or_exit(Exit::Unavailable, lost)?;
        Ok(Some(OnNats { connection, door, queue, events, feeds }))
    }
}

impl OnNats {
    /// Closes the door: nothing more is taken, what was taken is answered, the rest of the queue
    /// stays for the next owner.
    pub(crate) fn close(self) -> Outcome {
        let Self { connection, door, queue, events, feeds } = self;
        let client = connection.client();
        let closing = async move {
            door.close().await;
            queue.close().await;
            client.flush().await
        };
        // An event on its way is waited for, and sent again by whoever comes next.
        events.stop();
        feeds.iter().for_each(Feeds::stop);
        let leaving = thread::spawn(move || drop((events, feeds)));
        let closing = async move { tokio::time::timeout(PATIENCE, closing).await };
        let told = connection.wait(closing).or_exit(Exit::Unavailable, "the bus")?;
        let unsent = "the last answers may not have left";
        let flushed = told.or_exit(Exit::Unavailable, unsent)?;
        if leaving.is_finished() && leaving.join().is_err() {
            tracing::error!("the end of the events broke");
        }
        flushed.or_exit(Exit::Unavailable, unsent)
    }
}
