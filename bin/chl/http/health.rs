//! Health for monitors: whether the process runs, and whether it is of use.

use super::standing::{Look, Standings};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};

/// The routes of health.
pub(super) fn routes(standings: Standings) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(standings)
}

/// A process that cannot answer this is to be started anew.
async fn live() -> Json<Value> {
    Json(json!({ "live": true, "version": env!("CARGO_PKG_VERSION") }))
}

/// Whether each ledger is answered for or followed; 503 while one is not.
async fn ready(State(standings): State<Standings>) -> (StatusCode, Json<Value>) {
    let looked = tokio::task::spawn_blocking(move || standings.look()).await;
    let looks = looked.unwrap_or_default();
    let ready = !looks.is_empty() && looks.iter().all(|look: &Look| look.ready);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "ready": ready, "ledgers": looks })))
}
