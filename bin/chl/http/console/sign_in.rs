//! Signing in with a token, and out.

use super::{
    super::{behind::Behind, commands::read, problem::Problem, sessions::LASTS},
    show::{Html, Trouble},
    visitor::{COOKIE_NAME, Visitor, own_site},
};
use crate::pages::console::{self, Frame};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::SET_COOKIE},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use chl_bus::{Refusal, TokenDigest};
use std::{collections::BTreeMap, time::Instant};

/// What a proxy says of how the browser reached it.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The routes of signing in and out.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/sign-in", get(ask).post(begin)).route("/sign-out", post(end))
}

async fn ask(State(behind): State<Behind>) -> Result<Html, Trouble> {
    page(&behind, None)
}

fn page(behind: &Behind, wrong: Option<Refusal>) -> Result<Html, Trouble> {
    let frame = Frame { title: "Sign in".into(), at: "", who: None };
    let status = wrong.as_ref().map_or(StatusCode::OK, super::super::problem::refused);
    let wrong = wrong.map(|refusal| refusal.to_string());
    let ledgers = Some(behind.standings.names()).filter(|names| names.len() > 1);
    let page = console::SignIn { frame, wrong, ledgers: ledgers.unwrap_or_default() };
    Html::of(status, &page)
}

async fn begin(
    State(behind): State<Behind>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Trouble> {
    own_site(&headers)?;
    let form = fields(body).await?;
    let token = form.get("token").map(|token| token.trim()).unwrap_or_default();
    let Some(actor) = behind.actors.bearer(token) else {
        return Ok(page(&behind, Some(Refusal::UnknownToken))?.into_response());
    };
    let ledger = form.get("ledger").cloned();
    let who = (actor.connection.actor.clone(), TokenDigest::of(token));
    let cookie = behind.sessions.begin(who, ledger, Instant::now());
    Ok(to_start(&headers, &cookie, LASTS.as_secs()))
}

async fn end(
    State(behind): State<Behind>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Trouble> {
    let form = fields(body).await?;
    visitor.check(&headers, form.get("form").map(String::as_str))?;
    behind.sessions.end(&visitor.cookie);
    Ok(to_start(&headers, "", 0))
}

/// Sends the browser to the start with a cookie to keep for so long: no script reads it, and no
/// other site makes the browser send it.
fn to_start(headers: &HeaderMap, cookie: &str, seconds: u64) -> Response {
    let encrypted = headers.get(FORWARDED_PROTO).is_some_and(|proto| proto == "https");
    let secure = if encrypted { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE_NAME}={cookie}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{secure}"
    );
    let cookie = HeaderValue::from_str(&cookie).ok().map(|cookie| (SET_COOKIE, cookie));
    (AppendHeaders(cookie), Redirect::to("/")).into_response()
}

/// The fields of a form.
pub(super) async fn fields(body: Body) -> Result<BTreeMap<String, String>, Problem> {
    let body = read(body, "http.form_too_large").await?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}
