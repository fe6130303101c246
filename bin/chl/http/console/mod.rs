//! The console: pages for people who have a token, rendered on the server, without a script.
//!
//! ```text
//! GET  /                what each fund holds
//! GET  /sign-in         a token for a session; POST takes it, POST /sign-out ends the session
//! GET  /conflicts       the desk of conflicts, by state
//! GET  /conflicts/ID    one with its evidence; POST decides it
//! GET  /scorecards      a period's scorecards; /scorecards/PARTNER is one partner's page
//! GET  /history         what was recorded on a stream
//! GET  /lag             how far everything has come
//! ```
//!
//! A session is a cookie that no script reads and no other site sends. Every form brings back a word
//! of its session, and a request that a browser says comes from another site is refused. What a page
//! shows is asked as over `/v1`, so that each sees what it may see.

mod conflicts;
mod decision;
mod history;
mod overview;
mod scorecards;
mod show;
mod sign_in;
mod visitor;

use super::behind::Behind;
use axum::Router;

/// The routes of all pages.
pub(super) fn routes() -> Router<Behind> {
    Router::new()
        .merge(show::routes())
        .merge(sign_in::routes())
        .merge(overview::routes())
        .merge(conflicts::routes())
        .merge(scorecards::routes())
        .merge(history::routes())
}
