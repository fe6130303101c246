//! The bus over NATS: what services in any language hold on to.
//!
//! ```text
//! chl.LEDGER.as.ACTOR.cmd.TYPE      a command, its answer by reply
//! chl.LEDGER.as.ACTOR.query.NAME    a question, its answer by reply
//! chl.LEDGER.as.ACTOR.queue.TYPE    a command to publish and go: kept until it is decided
//! chl.LEDGER.as.ACTOR.result.TYPE   the answer to a command of the queue
//! chl.LEDGER.parked.ACTOR.TYPE      a command of the queue that is none, with the reason
//! chl.LEDGER.settled.ACTOR.TYPE     what became of it
//! chl.LEDGER.event.TYPE.STREAM…     what was recorded, in order, for those who react
//! chl.LEDGER.partner.PARTNER.TYPE   the same for one partner, as far as it may see it
//! chl.LEDGER.cmd.TYPE               a command whose claims are believed, where that is allowed
//! ```
//!
//! A subscriber never sees who published, so who sent it is in the subject, where the server's
//! permissions guard it: an actor may publish only under its own token. What an actor is to the
//! ledger says the list of actors.

mod client;
mod counts;
mod desk;
mod door;
mod events;
mod feeds;
mod lease;
mod missed;
mod parking;
mod publishing;
mod queue;
mod subject;
mod vault;

pub use client::{ClientError, LedgerClient, Reply};
pub use desk::{DEADLINE, TRACE};
pub use door::{Behind, Door, DoorError, Limits, Questions};
pub use events::{Events, EventsError, EventsOptions};
pub use feeds::{Feeds, FeedsOptions};
pub use lease::{Held, Lease, LeaseError};
pub use missed::{FeedReader, Missed, MissedError};
pub use parking::{Deal, Parked, Parking, ParkingError, Settled};
pub use queue::{Queue, QueueError, QueueOptions, REPLY_TO};
pub use vault::{BucketError, BucketKeys};
