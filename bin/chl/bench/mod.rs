//! `chl bench`: what a ledger does on the user's own disk, and what the disk itself would allow.

mod check;
mod limit;
mod run;
mod scratch;

use crate::{
    demo,
    exit::Exit,
    failure::{Failure, Outcome},
    output::{Output, Sheet, Sink},
    talk,
};
use run::Told;
use scratch::Scratch;
use serde_json::{Value, json};
use std::{num::NonZeroUsize, path::Path, time::Duration};

/// The least share of partners to commands: the demo's own.
const COMMANDS_PER_PARTNER: u64 = demo::DEMO.commands / demo::DEMO.partners as u64;

/// Measures a channel year on this disk: durable commands a second, and how long an answer takes.
///
/// The demo's commands go through a ledger in a scratch folder under --data, which is removed at the
/// end: read as JSON, decided, synced to the disk, answered as JSON, with read models following. As
/// the limit the same bytes go into a plain file that is synced once for every so many commands as
/// are in flight. Rates are in commands a second, times in microseconds.
#[derive(Debug, clap::Args)]
pub(crate) struct Bench {
    /// About how many commands.
    #[arg(long, default_value_t = 20_000)]
    commands: u64,
    /// How many commands wait for their answer at a time; one measurement each.
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,32,256")]
    in_flight: Vec<NonZeroUsize>,
    /// Another year.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Holds every answer against the log, verifies the log, and builds the read models anew.
    #[arg(long)]
    validate: bool,
}

const COLUMNS: &[&str] = &[
    "in_flight",
    "commands",
    "accepted",
    "refused",
    "commits",
    "commands_per_second",
    "p50_us",
    "p99_us",
    "with_read_models_per_second",
    "raw_file_per_second",
    "ratio",
    "valid",
];

impl Bench {
    /// Measures.
    pub(crate) fn run(&self, data: &Path, mut output: Output) -> Outcome<Exit> {
        let partners = usize::try_from(self.commands / COMMANDS_PER_PARTNER).unwrap_or(usize::MAX);
        let size = demo::Size { partners: partners.max(1), commands: self.commands };
        let lines: Vec<String> = demo::commands(self.seed, size).collect();
        let scratch = Scratch::make(data)?;
        let sheet = Sheet::new("", COLUMNS);
        output.begin(&sheet)?;
        let mut exit = Exit::Success;
        for in_flight in &self.in_flight {
            let (row, held) = self.measure(&scratch, &lines, in_flight.get())?;
            if !held {
                exit = Exit::Verification;
            }
            output.row(sheet.values(row))?;
        }
        scratch.remove()?;
        output.end()?;
        Ok(exit)
    }

    /// One measurement: its row, and whether everything held that was asked to be checked.
    fn measure(
        &self,
        scratch: &Scratch,
        lines: &[String],
        in_flight: usize,
    ) -> Outcome<(Value, bool)> {
        let place = scratch.place(in_flight)?;
        let (owning, told) = run::tell(&place, lines, in_flight)?;
        let broken = if self.validate { Some(check::broken(&owning, &told)?) } else { None };
        for flaw in broken.iter().flatten() {
            talk::say(&format!("{in_flight} in flight: {flaw}"));
        }
        let bytes = limit::bytes(&owning)?;
        let commits = owning.reading.log.head().next;
        owning.close()?;
        let Told { answered, drained, ref accepted, refused, .. } = told;
        let count = accepted.len() as u64 + refused;
        let raw = limit::raw(&scratch.file(), &bytes, count, in_flight as u64)?;
        let valid = broken.as_ref().map(Vec::is_empty);
        let row = json!({
            "in_flight": in_flight,
            "commands": count,
            "accepted": accepted.len(),
            "refused": refused,
            "commits": commits,
            "commands_per_second": rate(count, answered),
            "p50_us": told.percentile(50),
            "p99_us": told.percentile(99),
            "with_read_models_per_second": rate(count, drained),
            "raw_file_per_second": rate(count, raw),
            "ratio": hundredths(raw, answered),
            "valid": valid,
        });
        Ok((row, valid.unwrap_or(true)))
    }
}

/// So many in so much time, by the second.
fn rate(count: u64, took: Duration) -> u64 {
    let rate = u128::from(count) * 1_000_000_000 / took.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// One time as a share of another, as a decimal of two places.
fn hundredths(of: Duration, whole: Duration) -> String {
    let share = of.as_nanos() * 100 / whole.as_nanos().max(1);
    format!("{}.{:02}", share / 100, share % 100)
}

/// A failure of the scratch folder.
fn unusable(path: &Path, error: std::io::Error) -> Failure {
    let what = format!("the scratch folder {}", path.display());
    Failure::Told { exit: Exit::Unavailable, error: anyhow::Error::new(error).context(what) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shares_are_whole_numbers() {
        assert_eq!(rate(500, Duration::from_millis(250)), 2000);
        assert_eq!(rate(1, Duration::ZERO), 1_000_000_000);
        assert_eq!(hundredths(Duration::from_millis(5), Duration::from_millis(20)), "0.25");
        assert_eq!(hundredths(Duration::from_secs(3), Duration::from_secs(2)), "1.50");
    }
}
