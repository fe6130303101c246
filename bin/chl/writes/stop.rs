//! Being told to stop: in good order at the first signal, at once at the second.

use crate::{exit::Exit, talk};
use std::{
    cell::Cell,
    sync::mpsc::{Receiver, channel},
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
pub(super) struct Stop {
    told: Receiver<()>,
    since: Cell<bool>,
}

impl Stop {
    /// Begins to watch.
    pub(super) fn watch() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut interrupt, mut terminate) = {
            let _within = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let (tell, told) = channel();
        thread::spawn(move || {
            let mut signalled = async || {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
            };
            runtime.block_on(signalled());
            // Nobody waits any more only when the process ends anyway.
            let _told = tell.send(());
            let second = runtime.block_on(async { tokio::time::timeout(GRACE, signalled()).await });
            let why = match second {
                Ok(()) => "told to stop a second time".to_owned(),
                Err(_) => format!("not done within {} seconds", GRACE.as_secs()),
            };
            talk::say(&format!("{why}: ended at once; what was not answered may be sent again"));
            std::process::exit(Exit::Internal as i32);
        });
        Ok(Self { told, since: Cell::new(false) })
    }

    /// Whether it was told to stop, or is within a time.
    pub(super) fn within(&self, time: Duration) -> bool {
        if !self.since.get() && self.told.recv_timeout(time).is_ok() {
            self.since.set(true);
        }
        self.since.get()
    }
}
