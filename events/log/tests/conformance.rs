//! The suite on the log in memory and on one that fails.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::{Block, LedgerId};
use chl_log::conformance::{self, Bed, Broken};
use chl_log::{AppendError, EventLog, Fault, FaultyLog, MemoryLog};

const LEDGER: LedgerId = LedgerId(*b"memory of a log.");

struct InMemory(MemoryLog);

impl Bed for InMemory {
    fn ledger(&self) -> LedgerId {
        LEDGER
    }

    fn open(&mut self) -> Result<Box<dyn EventLog>, Broken> {
        Ok(Box::new(self.0.clone()))
    }
}

struct Faulty {
    store: MemoryLog,
    seed: u64,
    per_mille: u64,
}

impl Bed for Faulty {
    fn ledger(&self) -> LedgerId {
        LEDGER
    }

    fn open(&mut self) -> Result<Box<dyn EventLog>, Broken> {
        self.seed += 1;
        let store = Box::new(self.store.clone());
        Ok(Box::new(FaultyLog::new(store, self.seed, self.per_mille)))
    }
}

#[test]
fn a_log_in_memory_conforms() {
    conformance::run(|| Ok(InMemory(MemoryLog::new(LEDGER)))).unwrap();
}

#[test]
fn writers_of_one_log_in_memory_conform() {
    conformance::run_rivals(|| Ok(InMemory(MemoryLog::new(LEDGER)))).unwrap();
}

#[test]
fn a_faulty_log_conforms_while_nothing_fails() {
    conformance::run(|| Ok(Faulty { store: MemoryLog::new(LEDGER), seed: 1, per_mille: 0 }))
        .unwrap();
}

#[test]
fn a_faulty_log_loses_and_doubles_nothing() {
    for seed in 0..200 {
        let mut bed = Faulty { store: MemoryLog::new(LEDGER), seed: seed * 1000, per_mille: 300 };
        conformance::survives_faults(&mut bed, seed, 40).unwrap();
    }
}

#[test]
fn every_fault_leaves_what_it_says() {
    // What is stored at once, and what after the log was dropped, of a group of four blocks.
    let expectations = [
        (Fault::Lost, 0, 0),
        (Fault::Torn, 2, 2),
        (Fault::Delayed, 0, 4),
        (Fault::ErrorAfterSuccess, 4, 4),
        (Fault::SuccessAfterError, 0, 0),
    ];
    for (fault, at_once, in_the_end) in expectations {
        let store = MemoryLog::new(LEDGER);
        let mut log = FaultyLog::new(Box::new(store.clone()), 0, 0);
        let mut chain = log.chain();
        let one = |chain: &mut chl_log::Chain| chain.pack(&[b"commit"]).unwrap();
        let group: Vec<Block> = (0..4).flat_map(|_| one(&mut chain)).collect();
        log.fail_next(fault);
        let failed = log.append(0, &group).unwrap_err();
        assert_eq!(store.head().next, at_once, "{fault:?}");
        let again = log.append(store.head().next, &[]);
        match failed {
            AppendError::Poisoned(_) => {
                assert!(matches!(again, Err(AppendError::Poisoned(_))), "{fault:?}");
            }
            AppendError::Unavailable(_) => {
                assert_eq!(fault, Fault::SuccessAfterError);
                assert!(again.is_ok());
            }
            AppendError::Conflict { .. } | AppendError::Refused(_) => panic!("{failed}"),
        }
        drop(log);
        assert_eq!(store.head().next, in_the_end, "{fault:?}");
    }
}
