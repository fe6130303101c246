//! The log on JetStream: one ledger is one subject, one subject is one stream, and one message is
//! one block, byte for byte what every other log holds.
//!
//! ```text
//! chl.LEDGER.log      the subject; the stream of the same ledger is chl-LEDGER-log
//! DIR/witness         how far this node has seen the stream come
//! DIR/sealed/FIRST.blocks  this node's own copy of it, in files that never change
//! ```
//!
//! The stream denies deletes and purges and has no limits. Every block says which sequence it
//! expects to follow, so a writer that was deposed cannot append. What came of a publish without
//! an answer is asked from the stream's leader before anything else is written.
//!
//! Blocks are sent without waiting for each other's answers, and a sequence counts messages, not
//! histories: when another writer's block takes the place of the first, the second may find the
//! stream just as long as it expects. It is stored, but *void*: its root does not continue the
//! history, nobody has acknowledged it, and every reader passes it over. The same goes for what no
//! writer sent: JetStream can be made to answer into any subject.

mod connection;
mod copy;
mod error;
mod feed;
mod index;
mod log;
mod login;
mod monitor;
mod open;
mod options;
mod place;
mod publish;
mod read;
mod remote;
mod settings;
mod version;

pub use connection::Connection;
pub use error::{Fault, OpenError, PlaceError};
pub use log::NatsLog;
pub use login::{Access, ConnectError, Login, Tls};
pub use monitor::{MonitorError, Synced};
pub use options::Options;
pub use settings::Mismatch;
pub use version::TooOld;
