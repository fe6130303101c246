//! The embedded log: its head in sled, its history in sealed files.
//!
//! ```text
//! DIR/lock               held by the owner, with its process id
//! DIR/witness            how far the log has durably come, told outside sled
//! DIR/sealed/FIRST.blocks  history, by the position of the first commit
//! DIR/head-NUMBER/       sled: what is not sealed yet; the newest one is written to
//! DIR/new-NUMBER/        a head that is being made, DIR/gone-NUMBER/ one that is being removed
//! DIR/damaged-NUMBER/    what a repair set aside
//! ```
//!
//! sled is trusted with nothing that is not checked: it is synced by hand, guarded against its
//! panics, and believed only as far as checksums, roots and the witness agree.

mod backup;
#[cfg(test)]
mod crash;
mod error;
mod guard;
mod head;
mod keeper;
mod layout;
mod log;
mod open;
mod options;
mod plan;
mod read;
mod repair;
mod salvage;

pub use backup::{BackupError, backup, restore};
pub use error::{HeadError, OpenError};
pub use guard::is_guarded;
pub use log::SledLog;
pub use options::{DigestOfKeys, Observer, Options, Seen, Step};
pub use repair::{Inspection, RepairError, Repaired, inspect, repair};
pub use salvage::Damage;
