//! Visitors: who has signed in, and that a form comes from a page of theirs.

use super::super::{behind::Behind, problem::Problem, sessions::Session, standing::Opened};
use crate::{
    pages::console::{Place, Who},
    reads::{Asked, Page},
};
use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, StatusCode,
        header::{COOKIE, HOST, ORIGIN},
        request::Parts,
    },
    response::{IntoResponse, Redirect, Response},
};
use chl_bus::{Actor, TokenDigest, Unanswered};
use chl_events::Role;
use serde_json::Value;
use std::{sync::Arc, time::Instant};

/// The cookie's name.
pub(super) const COOKIE_NAME: &str = "chl_session";
/// What a browser says of where a request comes from.
const FETCH_SITE: &str = "sec-fetch-site";

const FOR_ALL: &[Place] = &[
    Place { to: "/", name: "Balances" },
    Place { to: "/conflicts", name: "Conflicts" },
    Place { to: "/scorecards", name: "Scorecards" },
    Place { to: "/history", name: "History" },
    Place { to: "/lag", name: "Lag" },
];
const FOR_PARTNERS: &[Place] = &[
    Place { to: "/", name: "Balances" },
    Place { to: "/conflicts", name: "Conflicts" },
    Place { to: "/scorecards", name: "Scorecards" },
];

/// Somebody who has signed in; who has not is sent to where that is done.
pub(super) struct Visitor {
    pub(super) actor: Arc<Actor>,
    ledger: Option<String>,
    form: String,
    /// What the cookie holds.
    pub(super) cookie: String,
}

impl FromRequestParts<Behind> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, behind: &Behind) -> Result<Self, Response> {
        let visitor = || {
            let cookie = cookie(&parts.headers)?.to_owned();
            let session = behind.sessions.find(&cookie, Instant::now())?;
            let Session { actor, token, ledger, form, .. } = session;
            // A token that was taken out of the list is good for nothing, nor is what it began.
            let actor = behind.actors.get(&actor).filter(|actor| actor.tokens.contains(&token))?;
            Some(Self { actor, ledger, form, cookie })
        };
        visitor().ok_or_else(|| Redirect::to("/sign-in").into_response())
    }
}

impl Visitor {
    /// Whether it is a partner's.
    pub(super) fn is_partner(&self) -> bool {
        self.actor.connection.role == Role::Partner
    }

    /// How pages show it.
    pub(super) fn who(&self) -> Who {
        Who {
            actor: self.actor.connection.actor.to_string(),
            role: self.actor.connection.role.as_str(),
            form: self.form.clone(),
            links: if self.is_partner() { FOR_PARTNERS } else { FOR_ALL },
        }
    }

    /// What the forms it is shown bring back.
    pub(super) fn form(&self) -> &str {
        &self.form
    }

    /// Refuses a form that is not of this session.
    pub(super) fn check(&self, headers: &HeaderMap, form: Option<&str>) -> Result<(), Problem> {
        own_site(headers)?;
        // As digests they are compared in a time that tells nothing.
        let same = form.is_some_and(|form| TokenDigest::of(form) == TokenDigest::of(&self.form));
        if same { Ok(()) } else { Err(strange("the form is not of this session; load it again")) }
    }

    /// The ledger it looks at.
    pub(super) fn ledger(&self, behind: &Behind) -> Result<Opened, Problem> {
        Ok(behind.standings.opened(self.ledger.as_deref())?)
    }

    /// Asks a read model as it may be asked by it.
    pub(super) async fn ask(
        &self,
        behind: &Behind,
        view: &'static str,
        asked: Value,
    ) -> Result<Page, Problem> {
        let asked: Result<Asked, _> = serde_json::from_value(asked);
        let asked = asked.map_err(|error| Unanswered::refused(crate::reads::MALFORMED, error))?;
        let ledger = self.ledger(behind)?;
        let page = move |ledger: &Opened, asker: &chl_bus::Asker| {
            Page::of(view, asked, asker, &ledger.reading)
        };
        behind.ask(ledger, &self.actor, page).await
    }
}

/// Refuses what a browser says comes from another site.
pub(super) fn own_site(headers: &HeaderMap) -> Result<(), Problem> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let fetched = header(FETCH_SITE).is_none_or(|site| site == "same-origin" || site == "none");
    let host = header(HOST.as_str()).unwrap_or_default();
    let own = |origin: &str| origin.split_once("://").is_some_and(|(_, of)| of == host);
    let from_here = header(ORIGIN.as_str()).is_none_or(own);
    match fetched && from_here {
        true => Ok(()),
        false => Err(strange("this came from a page of another site")),
    }
}

fn strange(text: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "http.another_site", text)
}

/// What the session's cookie of a request holds.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[test]
    fn what_comes_from_another_site_is_refused() {
        let allowed = |headers: &[(&'static str, &'static str)]| {
            let headers = headers.iter().map(|(name, value)| {
                (HeaderName::from_static(name), HeaderValue::from_static(value))
            });
            own_site(&headers.collect()).is_ok()
        };
        let host = ("host", "ledger.example:8480");
        assert!(allowed(&[host]));
        assert!(allowed(&[host, ("origin", "https://ledger.example:8480")]));
        assert!(allowed(&[host, ("sec-fetch-site", "same-origin")]));
        for strange in [
            [host, ("origin", "https://evil.example")],
            [host, ("origin", "null")],
            [host, ("sec-fetch-site", "cross-site")],
            [host, ("sec-fetch-site", "same-site")],
        ] {
            assert!(!allowed(&strange), "{strange:?}");
        }
    }
}
