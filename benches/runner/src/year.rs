//! The workload "channel year": the demo's own lines, generated from a seed.

use crate::{demo, ledger::Ledger};
use anyhow::{Context, Result};
use chl_bus::{Connection, Opening, Prepared, decode, prepare, replaying};
use chl_events::Commit;

/// The actor of what names none.
const ACTOR: &str = "bench";

/// The lines of a seed's year of about so many commands, in the order in which they are recorded.
pub fn lines(seed: u64, partners: usize, commands: u64) -> Vec<String> {
    demo::commands(seed, demo::Size { partners, commands }).collect()
}

/// A connection that believes what the lines claim, recorded times included.
pub fn connection() -> Result<Connection> {
    Ok(replaying(ACTOR.parse()?))
}

/// Every commit of a ledger.
pub fn commits(ledger: &Ledger) -> Result<Vec<Commit>> {
    let mut commits = Vec::new();
    for block in ledger.log().read(0)? {
        for bytes in block?.commits() {
            commits.push(Commit::decode(bytes)?);
        }
    }
    Ok(commits)
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
