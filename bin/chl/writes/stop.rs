//! Being told to stop: in good order at the first signal, at once at the second.

use crate::{exit::Exit, talk};
use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// How long an end in good order may take.
const GRACE: Duration = Duration::from_secs(10);

/// Says that the process was told to stop, by SIGINT or SIGTERM; watched from the start, so that no
/// signal comes too early.
///
/// A second signal, or an end that takes longer than ten seconds, ends the process as a crash does.
/// Nothing acknowledged is lost by it; what was in hand is not answered and may be sent again.
#[derive(Clone)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Begins to watch.
    pub(crate) fn watch() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut interrupt, mut terminate) = {
            let _within = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let stop = Self(Arc::default());
        let told = stop.clone();
        thread::spawn(move || {
            let mut signalled = async || {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            };
            runtime.block_on(signalled());
            told.tell();
            let second = runtime.block_on(async { tokio::time::timeout(GRACE, signalled()).await });
            let why = match second {
                Ok(()) => "told to stop a second time".to_owned(),
                Err(_) => format!("not done within {} seconds", GRACE.as_secs()),
            };
            talk::say(&format!("{why}: ended at once; what was not answered may be sent again"));
            std::process::exit(Exit::Internal as i32);
        });
        Ok(stop)
    }

    fn tell(&self) {
        let (told, changed) = &*self.0;
        *told.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }

    /// Whether it was told to stop, or is within a time.
    pub(crate) fn within(&self, time: Duration) -> bool {
        let (told, changed) = &*self.0;
        let told = told.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(told, time, |told| !*told);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
