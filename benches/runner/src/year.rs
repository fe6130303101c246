//! The workload "channel year": the demo's own lines, generated from a seed.

use crate::{Setup, demo};
use anyhow::{Context, Result};
use chl_bus::{Connection, Opening, Prepared, decode, prepare, replaying};

/// The actor of what names none.
const ACTOR: &str = "bench";

/// The year's lines, in the order in which they are recorded.
pub fn lines(setup: &Setup) -> Vec<String> {
    let size = demo::Size { partners: setup.args.partners, commands: setup.args.commands };
    demo::commands(setup.args.seed, size).collect()
}

/// A connection that believes what the lines claim, recorded times included.
pub fn connection() -> Result<Connection> {
    Ok(replaying(ACTOR.parse()?))
}

/// The lines as commands; those that cannot be read are refused at the door and left out.
pub fn prepared(lines: &[String], connection: &Connection) -> Vec<Prepared> {
    lines.iter().filter_map(|line| prepare(line.as_bytes(), connection).ok()).collect()
}

/// The opening of a ledger in which the year takes place: at the time of its first line.
pub fn opening(lines: &[String]) -> Result<Opening> {
    let first = lines.first().context("a year has lines")?;
    let document = decode(first.as_bytes(), chl_bus::Defaults::default()).ok();
    let recorded_at = document.and_then(|document| document.recorded_at);
    let name = ACTOR.to_owned();
    Ok(Opening { origin: name.clone(), name, actor: ACTOR.parse()?, recorded_at })
}
