//! The connection to the servers: how it is made, kept up, and ends.

use crate::{
    login::{Access, ConnectError},
    version,
};
use async_nats::{Client, ConnectOptions, Event, ServerError, jetstream};
use std::{
    future::Future,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::sync_channel,
    },
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// What is counted of all connections of the process.
const CONNECTS: &str = "chl_nats_connects_total";
const DISCONNECTS: &str = "chl_nats_disconnects_total";

/// Threads that talk to the servers.
const THREADS: usize = 2;
/// The longest pause between two attempts to reach a server again.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A connection that is kept up until its last clone is dropped, with the threads it needs.
///
/// Its calls block and may be made from any thread.
#[derive(Debug, Clone)]
pub struct Connection {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    client: Client,
    refusals: Arc<Refusals>,
    /// How often the connection had been made when the server's version was last looked at.
    looked_at: AtomicU64,
    runtime: Option<Runtime>,
}

/// What servers have refused by permission: they do so beside the request, which only times out.
#[derive(Debug, Default)]
struct Refusals {
    last: Mutex<(u64, String)>,
}

impl Refusals {
    fn note(&self, event: &Event) {
        if let Event::ServerError(ServerError::Other(what)) = event
            && what.to_lowercase().contains("permissions violation")
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            *last = (last.0 + 1, what.clone());
        }
    }
}

impl Connection {
    /// Connects, and refuses servers that are too old.
    pub fn open(access: &Access) -> Result<Self, ConnectError> {
        metrics::describe_counter!(CONNECTS, "Connections made to servers.");
        metrics::describe_counter!(DISCONNECTS, "Connections to servers that were lost.");
        let refusals = Arc::new(Refusals::default());
        let options = options(access, &refusals)?;
        let threads = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("nats")
            .enable_all()
            .build();
        let runtime = threads.map_err(ConnectError::Threads)?;
        let servers = access.servers.clone();
        let connected = wait_on(&runtime, async move { options.connect(servers).await });
        let client = match connected {
            Some(Ok(client)) => client,
            failed => {
                runtime.shutdown_background();
                return Err(failed.map_or(ConnectError::Closed, |result| match result {
                    Err(error) => access.unreached(error),
                    Ok(_) => ConnectError::Closed,
                }));
            }
        };
        let looked_at = AtomicU64::new(0);
        let inner = Inner { client, refusals, looked_at, runtime: Some(runtime) };
        let connection = Self { inner: Arc::new(inner) };
        connection.check_version()?;
        Ok(connection)
    }

    /// The client, for others who talk over the same connection.
    pub fn client(&self) -> Client {
        self.inner.client.clone()
    }

    /// Refuses a server that is too old: the one of the first connection, and each one after.
    pub fn check_version(&self) -> Result<(), ConnectError> {
        let made = self.inner.client.statistics().connects.load(Ordering::Relaxed);
        if made == self.inner.looked_at.load(Ordering::Relaxed) {
            return Ok(());
        }
        version::check(&self.inner.client.server_info().version)?;
        self.inner.looked_at.store(made, Ordering::Relaxed);
        Ok(())
    }

    /// Does asynchronous work on the connection's threads and waits for it.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, ConnectError> {
        let runtime = self.inner.runtime.as_ref().ok_or(ConnectError::Closed)?;
        wait_on(runtime, work).ok_or(ConnectError::Closed)
    }

    /// Begins asynchronous work on the connection's threads.
    pub(crate) fn spawn(
        &self,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<tokio::task::AbortHandle, ConnectError> {
        let runtime = self.inner.runtime.as_ref().ok_or(ConnectError::Closed)?;
        Ok(runtime.spawn(work).abort_handle())
    }

    /// JetStream over this connection, with a limit for every request.
    pub(crate) fn jetstream(&self, timeout: Duration) -> Result<jetstream::Context, ConnectError> {
        let runtime = self.inner.runtime.as_ref().ok_or(ConnectError::Closed)?;
        let _inside = runtime.enter();
        Ok(jetstream::ContextBuilder::new().timeout(timeout).build(self.client()))
    }

    /// How many requests the servers have refused by permission so far.
    pub(crate) fn refusals(&self) -> u64 {
        self.inner.refusals.last.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// What they said of the last one, when it came after the first `before` and is about
    /// `subject`.
    pub(crate) fn refusal_after(&self, before: u64, subject: &str) -> Option<String> {
        let last = self.inner.refusals.last.lock().unwrap_or_else(PoisonError::into_inner);
        (last.0 > before && last.1.contains(subject)).then(|| last.1.clone())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // The last clone may go on one of these very threads, which must not wait for itself.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn wait_on<T: Send + 'static>(
    runtime: &Runtime,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    let (done, waiting) = sync_channel(1);
    runtime.spawn(async move {
        // Whoever waited is gone only when its thread is.
        let _taken = done.send(work.await);
    });
    waiting.recv().ok()
}

/// What servers are asked for, with a look at what they refuse meanwhile.
fn options(access: &Access, refusals: &Arc<Refusals>) -> Result<ConnectOptions, ConnectError> {
    let noted = Arc::clone(refusals);
    let options = access.options()?.reconnect_delay_callback(pause);
    Ok(options.event_callback(move |event| {
        noted.note(&event);
        tracing::debug!(%event, "NATS");
        count(&event);
        std::future::ready(())
    }))
}

/// Counts what became of the connection.
fn count(event: &Event) {
    if matches!(event, Event::Connected) {
        metrics::counter!(CONNECTS).increment(1);
    } else if matches!(event, Event::Disconnected) {
        metrics::counter!(DISCONNECTS).increment(1);
    }
}

/// How long to wait before a server is tried again: the first time not at all.
fn pause(attempts: usize) -> Duration {
    let tenths = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(50).saturating_mul(tenths).min(LONGEST_PAUSE)
}
