//! The HTTP door: health for monitors, metrics for those who watch over many, and for those in the
//! list of actors commands and questions.
//!
//! ```text
//! GET  /health/live     200 while the process runs
//! GET  /health/ready    200 while each of its ledgers is answered for or followed, else 503
//! GET  /metrics         what was counted, as Prometheus text
//! GET  /v1/VIEW         a read model
//! POST /v1/commands     a command
//! GET  /v1/events       what is recorded, as it is
//! GET  /v1/changes      that something was recorded
//! GET  /v1/openapi.json all of it, for tools
//! GET  /                pages for people
//! ```
//!
//! A route is a file of its own with a `routes` of its own; [`door`] joins them. Who calls says
//! [`caller`], what there is to ask [`behind`], what is no answer [`problem`], what the door counts
//! [`counted`]. Nothing here knows
//! who counts: crates below speak to a facade, and [`standing`] says what the process is to its
//! ledgers.

mod behind;
mod caller;
mod changes;
mod commands;
mod console;
mod counted;
mod door;
mod events;
mod health;
mod metrics;
mod openapi;
mod problem;
mod queries;
mod remembered;
mod sessions;
mod standing;
mod stream;

pub(crate) use door::HttpOptions;
pub(crate) use standing::{Part, Standing, Standings};
