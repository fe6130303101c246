//! The ledger on NATS, against the same messages without one.

mod append;
mod bus;
mod read;
mod stage;

pub use append::run as append;
pub use bus::run as bus;
pub use read::run as read;
