//! Publishing: a thread that follows the log and sends what comes of it to a stream, until it is
//! told to stop.

use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How many events are on their way at most.
pub(crate) const UNDER_WAY: usize = 256;
/// How long it waits for new commits before it looks whether it is to stop.
pub(crate) const GLANCE: Duration = Duration::from_millis(200);
/// How long it waits after a failure.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// Whether a publisher is to stop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether it is.
    pub(crate) fn is_told(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A publisher at work; being dropped waits until it has ended.
pub(crate) struct Publishing {
    what: &'static str,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Publishing {
    /// Begins to publish.
    pub(crate) fn begin(what: &'static str, publish: impl FnOnce(Stop) + Send + 'static) -> Self {
        let stop = Stop::default();
        let told = stop.clone();
        Self { what, stop, thread: Some(thread::spawn(move || publish(told))) }
    }

    /// Tells the publisher to end, without waiting until it has.
    pub(crate) fn stop(&self) {
        self.stop.0.store(true, Ordering::Release);
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the publisher of {} ended by panicking", self.what);
        }
    }
}

/// The id of the newest message of a stream; none for an empty one.
pub(crate) async fn last_id(stream: &Stream) -> Result<Option<String>, async_nats::Error> {
    let last = stream.cached_info().state.last_sequence;
    let message = match stream.get_raw_message(last).await {
        Ok(message) => message,
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(None),
        Err(_) if last == 0 => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let id = message.headers.get(async_nats::header::NATS_MESSAGE_ID);
    Ok(id.map(|id| id.as_str().to_owned()))
}
