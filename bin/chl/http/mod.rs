//! The HTTP door: health for monitors and metrics for those who watch over many.
//!
//! ```text
//! GET /health/live     200 while the process runs
//! GET /health/ready    200 while each of its ledgers is answered for or followed, else 503
//! GET /metrics         what was counted, as Prometheus text
//! ```
//!
//! A route is a file of its own with a `routes` of its own; [`door`] joins them. Nothing here knows
//! who counts: crates below speak to a facade, and [`standing`] says what the process is to its
//! ledgers.

mod door;
mod health;
mod metrics;
mod standing;

pub(crate) use door::HttpOptions;
pub(crate) use standing::{Part, Standing, Standings};
