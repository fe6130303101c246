//! Checkpoints signed at a cadence while a ledger is served.

use crate::{ledger::Reading, talk};
use std::{
    sync::{
        Arc,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How often a checkpoint is signed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct CheckpointEvery {
    /// Signs a checkpoint every so many seconds, where something has come since the last one;
    /// `chl audit keygen` makes the key.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: Option<u64>,
}

/// The thread that signs, until it is dropped.
pub(crate) struct Cadence {
    ended: Option<Sender<()>>,
    signing: Option<JoinHandle<()>>,
}

impl CheckpointEvery {
    /// Begins to sign, where it was asked for.
    pub(crate) fn begin(self, ledger: &str, reading: &Arc<Reading>) -> Option<Cadence> {
        let every = Duration::from_secs(self.checkpoint_every?);
        let (ended, end) = channel();
        let (ledger, reading) = (ledger.to_owned(), Arc::clone(reading));
        let signing = thread::spawn(move || {
            let mut told = String::new();
            while end.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                told = sign(&ledger, &reading, told);
            }
        });
        Some(Cadence { ended: Some(ended), signing: Some(signing) })
    }
}

/// Signs what has come; the same trouble again and again is told once.
fn sign(ledger: &str, reading: &Reading, told: String) -> String {
    let signed = reading.proofs.notary().signed().ok().flatten();
    if signed.is_some_and(|signed| signed.tree.size == reading.log.head().next) {
        return told;
    }
    match reading.proofs.sign() {
        Ok(_) => String::new(),
        Err(failure) => {
            let trouble = format!("ledger {ledger:?}: no checkpoint: {failure}");
            if trouble != told {
                talk::say(&trouble);
            }
            trouble
        }
    }
}

impl Drop for Cadence {
    fn drop(&mut self) {
        self.ended = None;
        if let Some(signing) = self.signing.take()
            && signing.join().is_err()
        {
            talk::say("the thread that signs checkpoints ended by panicking");
        }
    }
}
