//! The connection to the servers: where they are, as whom, and how it ends.

use async_nats::{Client, ConnectOptions, Event, ServerError, jetstream};
use std::{
    fmt,
    future::Future,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::sync_channel,
    },
    time::Duration,
};
use tokio::runtime::{Builder, Runtime};

/// The oldest server whose fences hold: before, replicated streams let writers past them.
pub(crate) const OLDEST_SERVER: Version = Version(2, 12, 3);
/// Threads that talk to the servers.
const THREADS: usize = 2;
/// The longest pause between two attempts to reach a server again.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Where the servers are, and as whom to connect.
#[derive(Debug, Clone)]
pub struct Access {
    /// Their addresses: `nats://HOST:PORT` or `tls://HOST:PORT`; more are learnt from them.
    pub servers: Vec<String>,
    /// What the servers call this client in their lists and logs.
    pub name: String,
    /// As whom.
    pub login: Login,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// How long one attempt to connect may take.
    pub connect_timeout: Duration,
}

impl Access {
    /// Reaches servers as nobody in particular, without encryption.
    pub fn new(servers: Vec<String>, name: &str) -> Self {
        Self {
            servers,
            name: name.to_owned(),
            login: Login::Nobody,
            tls: Tls::default(),
            connect_timeout: Duration::from_secs(5),
        }
    }
}

/// As whom to connect.
#[derive(Clone)]
pub enum Login {
    /// Without a name; the servers know what they let nobody do.
    Nobody,
    /// With a user's name and password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// With the seed of an nkey.
    Nkey {
        /// The file that holds the seed.
        seed: PathBuf,
    },
    /// With a credentials file: a JWT and its seed.
    Credentials {
        /// The file.
        file: PathBuf,
    },
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Password { user, .. } => write!(f, "Password({user})"),
            Self::Nkey { seed } => write!(f, "Nkey({})", seed.display()),
            Self::Credentials { file } => write!(f, "Credentials({})", file.display()),
        }
    }
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Refuses servers that do not encrypt.
    pub required: bool,
    /// The certificates to trust, beside the system's.
    pub roots: Option<PathBuf>,
    /// The client's own certificate and its key.
    pub client: Option<(PathBuf, PathBuf)>,
}

/// Says why the servers were not reached.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file of keys could not be read.
    #[error("{}: {source}", path.display())]
    Keys {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The threads that talk to the servers could not be started.
    #[error("the connection's threads could not be started: {0}")]
    Threads(#[source] io::Error),
    /// No server answered, or none let this client in.
    #[error("{servers}: {source}")]
    Connect {
        /// The servers asked.
        servers: String,
        /// What failed.
        source: async_nats::ConnectError,
    },
    /// A server is older than what holds its promises.
    #[error(
        "the server is of version {found}; at least {OLDEST_SERVER} is needed, since before it \
         replicated streams let a writer past another one's fence"
    )]
    TooOld {
        /// What it says of itself.
        found: String,
    },
    /// The connection was closed while something waited for it.
    #[error("the connection is closed")]
    Closed,
}

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
                let servers = access.servers.join(", ");
                return Err(failed.map_or(ConnectError::Closed, |result| match result {
                    Err(source) => ConnectError::Connect { servers, source },
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
        check_version(&self.inner.client.server_info().version)?;
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

fn options(access: &Access, refusals: &Arc<Refusals>) -> Result<ConnectOptions, ConnectError> {
    let read = |path: &PathBuf| {
        std::fs::read_to_string(path)
            .map_err(|source| ConnectError::Keys { path: path.clone(), source })
    };
    let options = match &access.login {
        Login::Nobody => ConnectOptions::new(),
        Login::Password { user, password } => {
            ConnectOptions::with_user_and_password(user.clone(), password.clone())
        }
        Login::Nkey { seed } => ConnectOptions::with_nkey(read(seed)?.trim().to_owned()),
        Login::Credentials { file } => ConnectOptions::with_credentials(&read(file)?)
            .map_err(|source| ConnectError::Keys { path: file.clone(), source })?,
    };
    let noted = Arc::clone(refusals);
    let mut options = options
        .name(&access.name)
        .connection_timeout(access.connect_timeout)
        .reconnect_delay_callback(pause)
        .event_callback(move |event| {
            noted.note(&event);
            tracing::debug!(%event, "NATS");
            std::future::ready(())
        })
        .require_tls(access.tls.required);
    if let Some(roots) = &access.tls.roots {
        options = options.add_root_certificates(roots.clone());
    }
    if let Some((certificate, key)) = &access.tls.client {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    Ok(options)
}

/// How long to wait before a server is tried again: the first time not at all.
fn pause(attempts: usize) -> Duration {
    let tenths = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(50).saturating_mul(tenths).min(LONGEST_PAUSE)
}

/// A server's version: major, minor, patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u32, u32, u32);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Refuses a version below the oldest; one that does not read is refused too.
pub(crate) fn check_version(found: &str) -> Result<(), ConnectError> {
    let mut parts = found.split(['.', '-', '+']).map(|part| part.parse().ok());
    let mut next = || parts.next().flatten();
    let version = (|| Some(Version(next()?, next()?, next()?)))();
    match version {
        Some(version) if version >= OLDEST_SERVER => Ok(()),
        _ => Err(ConnectError::TooOld { found: found.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_before_the_fences_held_are_refused() {
        for new_enough in ["2.12.3", "2.12.10", "2.15.1", "3.0.0", "2.13.0-RC.1"] {
            assert!(check_version(new_enough).is_ok(), "{new_enough}");
        }
        for too_old in ["2.12.2", "2.9.10", "1.99.99", "2.12", "", "unknown"] {
            let refused = check_version(too_old);
            assert!(
                matches!(&refused, Err(ConnectError::TooOld { found }) if found == too_old),
                "{too_old:?} gave {refused:?}"
            );
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let login = Login::Password { user: "vendor".into(), password: "secret".into() };
        assert_eq!(format!("{login:?}"), "Password(vendor)");
    }
}
