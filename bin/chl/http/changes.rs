//! That something was recorded: for those who look again instead of polling.

use super::{
    behind::Behind,
    caller::Caller,
    problem::Problem,
    standing::Standings,
    stream::{self, HEARTBEAT, Outlet, Told},
};
use axum::{Router, extract::State, http::Uri, response::Response, routing::get};
use chl_bus::Unanswered;
use chl_events::Role;
use serde_json::json;
use std::{thread, time::Duration};

/// What happens within this time is told as one change.
const TOGETHER: Duration = Duration::from_millis(100);

/// The route of changes.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/v1/changes", get(follow))
}

async fn follow(
    State(behind): State<Behind>,
    Caller(actor): Caller,
    uri: Uri,
) -> Result<Response, Problem> {
    if actor.connection.role == Role::Partner {
        let text = "positions count everybody's commands; a partner follows /v1/events";
        return Err(Unanswered::refused("not_permitted.query", text).into());
    }
    let ledger = behind.ledger(&uri)?.ledger;
    let standings = behind.standings.clone();
    Ok(stream::begin(&behind, actor, move |outlet| run(&standings, &ledger, outlet))?)
}

/// Tells the last position, now and whenever it has moved.
fn run(standings: &Standings, ledger: &str, outlet: &Outlet) {
    let mut told = 0;
    while outlet.is_heard() {
        let Ok(opened) = standings.opened(Some(ledger)) else { return };
        let Ok(head) = opened.reading.log.wait_beyond(told, HEARTBEAT) else { return };
        let Some(position) = head.next.checked_sub(1).filter(|_| head.next > told) else {
            continue;
        };
        told = head.next;
        let data = json!({ "position": position }).to_string();
        if outlet.tell(Told { id: position.to_string(), kind: "moved", data }).is_err() {
            return;
        }
        drop(opened);
        thread::sleep(TOGETHER);
    }
}
