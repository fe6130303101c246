//! A stream of server-sent events: a thread that looks what there is to tell, a short queue, and
//! the caller. Who reads too slowly is let go and may come back for the rest.

use super::behind::Behind;
use axum::{
    http::{HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use chl_bus::{Actor, Refusal};
use futures_util::stream::unfold;
use std::{
    convert::Infallible,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::sync::mpsc::{Receiver, Sender, channel, error::TrySendError};

/// So many events wait for a caller.
const WAITING: usize = 64;
/// So long a caller may take nothing while as many wait as there is room for.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a thread looks whether there is something to tell, or nobody left to hear it.
pub(super) const HEARTBEAT: Duration = Duration::from_millis(200);
/// How long a thread waits before it tries a full queue again.
const GLANCE: Duration = Duration::from_millis(20);
/// How often a line goes out where there is nothing to tell, so that nobody takes the line for dead.
const ALIVE: Duration = Duration::from_secs(15);

/// Asks proxies to pass on what comes as it comes.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Something to tell.
pub(super) struct Told {
    /// Where a caller goes on behind it.
    pub(super) id: String,
    /// Its type.
    pub(super) kind: &'static str,
    /// The document.
    pub(super) data: String,
}

/// Says that nobody hears any more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gone;

/// The end of a stream that tells.
pub(super) struct Outlet {
    queue: Sender<Told>,
    patience: Duration,
    /// Whether the list of actors still says of the caller what it said when this began.
    may_hear: Box<dyn Fn() -> bool + Send>,
}

impl Outlet {
    /// Whether somebody still hears, and may.
    pub(super) fn is_heard(&self) -> bool {
        !self.queue.is_closed() && (self.may_hear)()
    }

    /// Tells something, as soon as there is room.
    pub(super) fn tell(&self, told: Told) -> Result<(), Gone> {
        let (mut waiting, since) = (told, Instant::now());
        loop {
            waiting = match self.queue.try_send(waiting) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Closed(_)) => return Err(Gone),
                Err(TrySendError::Full(_)) if since.elapsed() >= self.patience => {
                    tracing::info!("somebody who followed read too slowly and was let go");
                    return Err(Gone);
                }
                Err(TrySendError::Full(told)) => told,
            };
            thread::sleep(GLANCE);
        }
    }
}

/// Begins a stream; what tells runs on a thread of its own until it returns.
pub(super) fn begin(
    behind: &Behind,
    caller: Arc<Actor>,
    tells: impl FnOnce(&Outlet) + Send + 'static,
) -> Result<Response, Refusal> {
    let place = behind.follow()?;
    let (queue, waiting) = channel(WAITING);
    let actors = Arc::clone(&behind.actors);
    let may_hear =
        Box::new(move || actors.get(&caller.connection.actor).is_some_and(|now| now == caller));
    tokio::task::spawn_blocking(move || {
        tells(&Outlet { queue, patience: PATIENCE, may_hear });
        drop(place);
    });
    let events = unfold(waiting, async |mut waiting: Receiver<Told>| {
        let Told { id, kind, data } = waiting.recv().await?;
        let event = Event::default().id(id).event(kind).data(data);
        Some((Ok::<_, Infallible>(event), waiting))
    });
    let unbuffered = [(UNBUFFERED, HeaderValue::from_static("no"))];
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE));
    Ok((unbuffered, stream).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    fn told() -> Told {
        Told { id: "1".into(), kind: "moved", data: String::new() }
    }

    #[test]
    fn who_does_not_read_is_let_go_and_who_has_gone_is_known() {
        let (queue, waiting) = channel(1);
        let may = Arc::new(AtomicBool::new(true));
        let asked = Arc::clone(&may);
        let may_hear = Box::new(move || asked.load(Ordering::Acquire));
        let outlet = Outlet { queue, patience: GLANCE * 3, may_hear };
        assert!(outlet.tell(told()).is_ok());
        assert!(outlet.is_heard());
        assert!(outlet.tell(told()).is_err(), "the queue is full and nobody takes anything");
        may.store(false, Ordering::Release);
        assert!(!outlet.is_heard(), "who may not hear any more hears nothing");
        may.store(true, Ordering::Release);
        assert!(outlet.is_heard());
        drop(waiting);
        assert!(!outlet.is_heard());
        assert!(outlet.tell(told()).is_err());
    }
}
