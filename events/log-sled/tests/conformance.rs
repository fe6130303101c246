//! The suite on the embedded log, with heads of every size.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::LedgerId;
use chl_log::conformance::{self, Bed, Broken};
use chl_log::{EventLog, FaultyLog};
use chl_log_sled::{Options, SledLog};
use tempfile::TempDir;

const LEDGER: LedgerId = LedgerId(*b"a ledger in sled");

struct InSled {
    dir: TempDir,
    seal_bytes: u64,
    faults: Option<u64>,
}

impl InSled {
    fn new(seal_bytes: u64) -> Result<Self, Broken> {
        Ok(Self { dir: tempfile::tempdir()?, seal_bytes, faults: None })
    }
}

impl Bed for InSled {
    fn ledger(&self) -> LedgerId {
        LEDGER
    }

    fn open(&mut self) -> Result<Box<dyn EventLog>, Broken> {
        let options = Options { seal_bytes: self.seal_bytes, ..Options::create(LEDGER) };
        let log = Box::new(SledLog::open(&self.dir.path().join("ledger"), options)?);
        let Some(seed) = &mut self.faults else {
            return Ok(log);
        };
        *seed += 1;
        Ok(Box::new(FaultyLog::new(log, *seed, 300)))
    }
}

#[test]
fn the_log_in_sled_conforms() {
    conformance::run(|| InSled::new(16 << 20)).unwrap();
}

#[test]
fn the_log_in_sled_conforms_while_it_seals_all_the_time() {
    conformance::run(|| InSled::new(1)).unwrap();
    conformance::run(|| InSled::new(3000)).unwrap();
}

#[test]
fn failing_appends_lose_and_double_nothing() {
    for seed in 0..4 {
        let mut bed = InSled::new(4000).unwrap();
        bed.faults = Some(seed * 1000);
        conformance::survives_faults(&mut bed, seed, 40).unwrap();
    }
}
