//! What the door says instead of an answer: a status and a JSON document that names the rule
//! (RFC 9457).

use super::standing::Unopened;
use axum::{
    http::{
        HeaderValue, StatusCode, Uri,
        header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use chl_bus::{Refusal, Unanswered};
use serde_json::json;

/// In so many seconds what is asked to come again may come again.
pub(super) const AGAIN: HeaderValue = HeaderValue::from_static("1");

/// A request that has no answer.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
}

impl Problem {
    /// One with a text of its own.
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        detail: impl std::fmt::Display,
    ) -> Self {
        Self { status, code, detail: detail.to_string() }
    }

    /// What is wrong, for people.
    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The status it is told with.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"chl\""));
        }
        if may_come_again(self.status) {
            headers.insert(RETRY_AFTER, AGAIN);
        }
        response
    }
}

/// Whether the same request may be answered in a moment.
pub(super) fn may_come_again(status: StatusCode) -> bool {
    status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refused(&refusal), refusal.code(), refusal)
    }
}

/// The status of what the door refuses by itself.
pub(super) fn refused(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::NoToken | Refusal::UnknownToken => StatusCode::UNAUTHORIZED,
        Refusal::UnknownActor(_) | Refusal::NoActor(_) => StatusCode::FORBIDDEN,
        Refusal::TypeDiffers { .. } | Refusal::Deadline(_) => StatusCode::BAD_REQUEST,
        Refusal::Quota { .. } => StatusCode::TOO_MANY_REQUESTS,
        Refusal::Busy(_) | Refusal::Late(_) => StatusCode::SERVICE_UNAVAILABLE,
        Refusal::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<Unanswered> for Problem {
    fn from(Unanswered { code, message, retry }: Unanswered) -> Self {
        let status = if code.starts_with("not_permitted.") {
            StatusCode::FORBIDDEN
        } else if code == "internal" {
            StatusCode::INTERNAL_SERVER_ERROR
        } else if retry {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::BAD_REQUEST
        };
        Self::new(status, code, message)
    }
}

impl From<Unopened> for Problem {
    fn from(error: Unopened) -> Self {
        let (status, code) = match &error {
            Unopened::Unknown(_) => (StatusCode::NOT_FOUND, "ledger.unknown"),
            Unopened::Which(_) => (StatusCode::BAD_REQUEST, "ledger.which"),
            Unopened::NotNow => (StatusCode::SERVICE_UNAVAILABLE, "ledger.closed"),
        };
        Self::new(status, code, error)
    }
}

/// There is nothing at this address.
pub(super) async fn no_page(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(64).collect();
    let text = format_args!("there is nothing at {path}; docs/http.md lists what there is");
    Problem::new(StatusCode::NOT_FOUND, "http.unknown_path", text)
}

/// What is at this address takes no such request.
pub(super) async fn no_method(uri: Uri) -> Problem {
    let path: String = uri.path().chars().take(64).collect();
    let text = format_args!("{path} takes no request of this method");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "http.method", text)
}
