//! The door itself: an address, a thread, and the routes behind it.

use super::{
    behind::Behind, changes, commands, console, counted, events, health, metrics::Counts, openapi,
    problem, queries, standing::Standings,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    talk,
};
use axum::middleware;
use chl_bus::Actors;
use std::{
    net::{TcpListener, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
};

/// How long requests that are being answered may take once the door closes.
const GRACE: Duration = Duration::from_secs(1);

/// Whether there is a door, and where.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct HttpOptions {
    /// Answers at this address what monitors ask (/health/live, /health/ready, /metrics), and what
    /// those in --actors do (/v1/…).
    #[arg(long, value_name = "HOST:PORT", env = "CHL_HTTP")]
    http: Option<String>,
}

/// The door, open until it is dropped.
pub(crate) struct HttpDoor {
    closing: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

impl HttpOptions {
    /// Opens the door, where one is asked for; from then on the process counts.
    pub(crate) fn open(
        &self,
        standings: &Standings,
        actors: &Arc<Actors>,
    ) -> Outcome<Option<HttpDoor>> {
        let Some(address) = &self.http else { return Ok(None) };
        let behind = Behind::new(standings.clone(), Arc::clone(actors));
        HttpDoor::open(address, behind).map(Some)
    }

    /// Whether there is to be a door.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.http.is_some()
    }
}

impl HttpDoor {
    fn open(address: &str, behind: Behind) -> Outcome<Self> {
        let listener = listen(address)?;
        let at = listener.local_addr().or_exit(Exit::Internal, "--http")?;
        let counts = Counts::keep(behind.standings.clone())?;
        let named = commands::routes()
            .merge(queries::routes())
            .merge(events::routes())
            .merge(changes::routes())
            .merge(openapi::routes())
            .merge(console::routes());
        let routes = health::routes(behind.standings.clone())
            .merge(counts.clone().routes())
            .merge(named.with_state(behind))
            .fallback(problem::no_page)
            .method_not_allowed_fallback(problem::no_method)
            .layer(middleware::from_fn(counted::count));
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("http").enable_all().build();
        let runtime = runtime.or_exit(Exit::Internal, "the HTTP door's thread")?;
        let listener = {
            let _within = runtime.enter();
            tokio::net::TcpListener::from_std(listener).or_exit(Exit::Internal, "--http")?
        };
        let (closing, closed) = oneshot::channel::<()>();
        runtime.spawn(counts.upkeep());
        runtime.spawn(async move {
            let until = async move {
                // The sender goes without a word, and that is the word.
                let _gone = closed.await;
            };
            let served = axum::serve(listener, routes).with_graceful_shutdown(until).await;
            if let Err(error) = served {
                tracing::error!(%error, "the HTTP door broke");
            }
        });
        talk::say(&format!("HTTP at http://{at}"));
        Ok(Self { closing: Some(closing), runtime: Some(runtime) })
    }
}

/// Listens at an address; what is none is told from one that cannot be had.
fn listen(address: &str) -> Outcome<TcpListener> {
    let named = address.to_socket_addrs().map_err(|error| {
        Failure::usage(format_args!("--http {address:?}: no HOST:PORT to listen at: {error}"))
    })?;
    let named: Vec<_> = named.collect();
    let listener = TcpListener::bind(named.as_slice())
        .or_exit(Exit::Unavailable, format_args!("--http {address}: nobody can listen there"))?;
    listener.set_nonblocking(true).or_exit(Exit::Internal, "--http")?;
    Ok(listener)
}

impl Drop for HttpDoor {
    fn drop(&mut self) {
        self.closing = None;
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(GRACE);
        }
    }
}
