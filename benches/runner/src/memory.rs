//! Memory: what the program has resident at most while it writes a large ledger and rebuilds it.

use crate::{Setup, large, measure::once, session::wait};
use anyhow::{Context, Result};
use std::process::{Command, Stdio};

/// The line.
pub fn run(setup: &Setup) -> Result<()> {
    let events = setup.args.events;
    let large = large::ledger(setup, events)?;
    let line = format!("memory, {events} events over {} streams (bar: ≤ 512)", events / 10);
    once(&line, "chl submit, appending, read models live", large.peak_mb, "MB", 0);
    let rate = format!("appending {events} events over {} streams", events / 10);
    once(&rate, "chl submit, read models written down", large.rate, "commands/s", 0);
    let mut rebuilding = Command::new(&setup.args.chl)
        .arg("--data")
        .arg(&large.data)
        .arg("rebuild")
        .stdout(Stdio::null())
        .spawn()
        .context("CHL names the program")?;
    once(&line, "chl rebuild", wait(&mut rebuilding)?, "MB", 0);
    Ok(())
}
