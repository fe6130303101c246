//! What is said to who waits for read models that are being built, after an upgrade or a loss of
//! their file: at once, and how far it has come.

use crate::{failure::Outcome, ledger::Reading, output::Sink};
use chl_bus::Unanswered;
use std::time::Duration;

/// Longer than this takes no opening of what is there.
const AT_ONCE: Duration = Duration::from_millis(300);
/// How often it is said again.
const AGAIN: Duration = Duration::from_secs(5);
/// So long a question waits whose asker cannot be told meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// Waits until the read models are open, and tells.
pub(super) fn wait_for_models(ledger: &Reading, sink: &mut dyn Sink) -> Outcome {
    let mut patience = AT_ONCE;
    while let Some(opening) = ledger.views.open_within(patience) {
        sink.note(&opening.to_string())?;
        patience = AGAIN;
    }
    Ok(())
}

/// Refuses a question for now whose read models are not open soon.
pub(crate) fn require_models(ledger: &Reading) -> Result<(), Unanswered> {
    match ledger.views.open_within(PATIENCE) {
        None => Ok(()),
        Some(opening) => Err(Unanswered::for_now("query.unavailable", opening)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::place::Place;
    use chl_events::LedgerId;
    use chl_log::{Blocks, EventLog, Head, MemoryLog, ReadError, ReadLog};
    use std::{
        sync::{Arc, Mutex, MutexGuard},
        thread::{self, ThreadId},
    };

    /// A log that keeps all threads but one waiting while somebody holds its gate.
    struct Gated {
        log: Arc<dyn ReadLog>,
        gate: Arc<Mutex<()>>,
        passes: ThreadId,
    }

    impl ReadLog for Gated {
        fn head(&self) -> Head {
            let _passed =
                (thread::current().id() != self.passes).then(|| self.gate.lock().unwrap());
            self.log.head()
        }

        fn read(&self, from: u64) -> Result<Blocks, ReadError> {
            self.log.read(from)
        }

        fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
            self.log.wait_beyond(position, timeout)
        }
    }

    /// Opens the gate when it hears something.
    struct Opens<'a> {
        held: Option<MutexGuard<'a, ()>>,
        heard: Vec<String>,
    }

    impl Sink for Opens<'_> {
        fn note(&mut self, text: &str) -> Outcome {
            self.heard.push(text.to_owned());
            self.held = None;
            Ok(())
        }
    }

    #[test]
    fn who_waits_is_told_at_once_and_goes_on_when_it_is_done() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path(), "main").unwrap();
        std::fs::create_dir(place.dir()).unwrap();
        let gate = Arc::new(Mutex::new(()));
        let log = Gated {
            log: MemoryLog::new(LedgerId([1; 16])).reader(),
            gate: Arc::clone(&gate),
            passes: thread::current().id(),
        };
        let ledger = Reading::new(&place, Arc::new(log), None);
        let held = Some(gate.lock().unwrap());
        let refused = require_models(&ledger).unwrap_err();
        assert!(refused.retry && refused.message.contains("are being built: 0 of"), "{refused:?}");
        let mut sink = Opens { held, heard: Vec::new() };
        wait_for_models(&ledger, &mut sink).unwrap();
        assert_eq!(sink.heard, [refused.message]);
        assert_eq!(require_models(&ledger), Ok(()));
    }
}
