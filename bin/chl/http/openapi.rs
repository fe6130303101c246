//! The OpenAPI document, for those who may call.

use super::{behind::Behind, caller::Caller};
use crate::reference;
use axum::{Router, http::header::CONTENT_TYPE, response::IntoResponse, routing::get};
use std::sync::LazyLock;

/// It is made of the catalogs, which do not change while the process runs.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| format!("{:#}\n", reference::openapi()));

/// The route of the document.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/v1/openapi.json", get(show))
}

async fn show(Caller(_): Caller) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
