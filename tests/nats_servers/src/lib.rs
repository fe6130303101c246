//! Real NATS servers for tests: started on free loopback ports with the configuration files of
//! `docs/nats`, killed, paused, and started again with what they had stored.
//!
//! The program is the one that `CHL_NATS_SERVER` names, else the first `nats-server` in `PATH`,
//! else `target/nats/bin/nats-server`, which the gate installs. Where there is none, a test is
//! skipped and says so on a desk; where `CI` is set, it fails.

mod accounts;
mod certificates;
mod program;
mod proxy;
mod server;
mod servers;
mod ways;

pub use accounts::{Accounts, Nkey};
pub use certificates::{Authority, Certified};
pub use program::{Program, program};
pub use proxy::Proxy;
pub use server::{Server, ServerError};
pub use servers::{Servers, Shape};
