//! Who calls: the actor whose bearer token a request shows.

use super::{behind::Behind, problem::Problem};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};
use chl_bus::{Actor, Refusal};
use std::sync::Arc;

/// The scheme of the header, in any case.
const SCHEME: &str = "bearer";

/// The actor that calls; asked for by every address that is not for monitors.
pub(super) struct Caller(pub(super) Arc<Actor>);

impl FromRequestParts<Behind> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, behind: &Behind) -> Result<Self, Problem> {
        let token = token(&parts.headers).ok_or(Refusal::NoToken)?;
        let actor = behind.actors.bearer(token).ok_or(Refusal::UnknownToken)?;
        Ok(Self(actor))
    }
}

/// The token a request shows.
fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case(SCHEME) && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_a_bearer_token_is_one() {
        let shown = |header| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(header))]);
            token(&headers).map(str::to_owned)
        };
        assert_eq!(shown("Bearer chl_x").as_deref(), Some("chl_x"));
        assert_eq!(shown("bearer  chl_x ").as_deref(), Some("chl_x"));
        for none in ["", "chl_x", "Bearer", "Bearer ", "Basic Y2hsOng="] {
            assert_eq!(shown(none), None, "{none}");
        }
        assert_eq!(token(&HeaderMap::new()), None);
    }
}
